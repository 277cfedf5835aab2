"""The patterns of what mail programs add, made once of the rows of `languages`; used by `quotes` and `closings`.

Each takes time in proportion to its line, whatever the line holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bridge.reading.languages import LANGUAGES

_COLON = r"[ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]?[:\N{FULLWIDTH COLON}]"
_LINK = r"(?: ?[<(\[]*https?://[^\s>)\]]*[>)\]]*)?"


def _any(phrases: Iterable[str], gap: str = "") -> str:
    """One pattern for all phrases, the longest first; `gap` is what `…` stands for."""
    ordered = sorted(set(phrases), key=len, reverse=True)
    return "|".join(gap.join(re.escape(piece) for piece in phrase.split("…")) for phrase in ordered)


def _all(field: str) -> list[str]:
    listed = [" ".join(phrase.split()) for language in LANGUAGES for phrase in getattr(language, field).split("|")]
    return [phrase for phrase in listed if phrase]


OPENING = re.compile(rf"(?:{_any(_all('openings'))})(?!\w)", re.IGNORECASE)
"""How an attribution, the line above a quotation, begins where it begins with the day."""

OPENING_WITHIN = re.compile(rf"(?<=[\s-])(?:{_any(_all('openings'))}) (?=[^\n]*\d)")
"""The same behind words of one's own on the line."""

WROTE = re.compile(rf"(?<![^\W_])(?:{_any(_all('wrote'))})(?![^\W_])|写道|寫道|のメール|書きました", re.IGNORECASE)
"""What an attribution says of the one who is quoted."""

WROTE_AT_END = re.compile(rf".*(?:{_any(_all('wrote'))})(?:{_COLON}| ?-{{3,}})", re.IGNORECASE)
"""An attribution that ends with it."""

ADDRESS = re.compile(r"[<\[(](?:mailto:)?[^<>\[\]()@\s]{1,64}@[^<>\[\]()\s]{1,255}|[^\s@]@[^\s@]")
BRACKETED = re.compile(r"(?:<|\[|\(|&lt;) ?(?:mailto:)?[^<>\[\]()@]{1,80}@[^<>\[\]()\s@]{1,255}")
"""A mail address, and one in brackets after a name."""

TIME = re.compile(r"(?<![\d.])\d{1,2}[:.h]\d{2}(?!\d|\.\d)")
DAY = re.compile(r"(?<!\d)\d{4}(?!\d)|(?<!\d)\d{1,2}[/.-]\d{1,2}[/.-]\d{2}|\d年")

NO_WORDS = re.compile(
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}\b.{0,200}<\s*[^\s<>@]{1,64}@[^\s<>@]{1,255}>:?"
    r"|\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2} GMT[+-]\d{1,2}:\d{2} .{1,80}"
)
"""An attribution of Gmail in languages it had no words for: "2017-02-05 13:29 GMT+02:00 Name <address>:"."""

ATTRIBUTION_END = re.compile(r"[:\N{FULLWIDTH COLON}]$|^\d{4}[-/]\d{1,2}[-/]|-{3}$")
"""What the last line of one looks like: a quick look before the long one."""

_BETWEEN_DASHES = _any((*_all("originals"), *_all("forwards")))
ANNOUNCES_FORWARD = re.compile(rf"(?:{_any(_all('forwards'))}){_COLON}", re.IGNORECASE)
"""Such a line without dashes; a short one may be a person's own."""

_BEFORE_COLON = _any(phrase for phrase in _all("forwards") if len(phrase) > 20)

SEPARATOR = re.compile(
    rf"[-_*=]{{2,}} ?(?:{_BETWEEN_DASHES}) ?[-_*=]{{2,}}|(?:{_BEFORE_COLON}){_COLON}",
    re.IGNORECASE,
)
"""A line such as "-----Original Message-----" or Apple's "Begin forwarded message:"."""

FORWARD = re.compile(
    rf"[-_*=]{{2,}} ?(?:{_any(_all('forwards'))}) ?[-_*=]{{2,}}|(?:{_BEFORE_COLON}){_COLON}",
    re.IGNORECASE,
)
"""Such a line above a mail that is passed on."""

SENDER_LABEL = re.compile(rf"\*{{0,2}}(?:{_any(_all('sender'))})\*?{_COLON}\*{{0,2}} ?\S.*")
"""The first line of a header block; some programs set the label in asterisks."""

LABEL = re.compile(
    rf"\*{{0,2}}({_any((*_all('labels'), *_all('subject'), *_all('sender')))})\*?{_COLON}\*{{0,2}}(?: .*|\S.*)?"
)
"""Every other line of it."""

SUBJECT_LABELS = frozenset(_all("subject"))
"""The label that hardly any such block is without."""

RUN_TOGETHER = re.compile(
    rf"[-_*=]{{2,}} ?(?:{_BETWEEN_DASHES}) ?[-_*=]{{2,}} ?(?:{_any(_all('sender'))}){_COLON} ?\S.*", re.IGNORECASE
)
"""A separator and a whole header block on one line, as Samsung and Yahoo write them in plain text."""

FORWARD_SUBJECT = re.compile(
    r"\s*(?:fwd?|inoltrato|i|rv|reenv|enc|wg|tr|doorst|vb|vid|pd|továbbítás|ilt|转发|轉寄)\s?[:\N{FULLWIDTH COLON}]",
    re.IGNORECASE,
)
ANSWER_SUBJECT = re.compile(
    r"\s*(?:re|r|aw|sv|antw|res|odp|vá|ynt|rif|回复|答复|回覆)(?:\[\d+\])?\s?[:\N{FULLWIDTH COLON}]", re.IGNORECASE
)
"""How the subject of a mail begins that passes another one on, and of one that answers. "VS:" is in neither: it is an
answer in Finnish and a forward in Danish."""

RULE = re.compile(r"[_-]{5,}|\*{5,}|={5,}")
"""The line Outlook draws above a quoted mail."""

DEVICE = re.compile(
    rf"[<(]{{0,2}}(?:{_any(_all('devices'), '.{0,80}')}){_LINK}[.!>)]{{0,2}}",
    re.IGNORECASE,
)
"""A whole line that a phone's mail program adds."""

GADGET = re.compile(
    r"phone|i[pP]ad|pod\b|galaxy|samsung|android|blackberry|handy|mobil|móvil|tablet|smart|pixel|nokia|lumia|windows|htc"
    r"|huawei|xiaomi|redmi|oneplus|xperia|motorola|palm|honor|device|dispositivo|apparaat|appareil|gerät|portable|cell"
    r"|fon\b|telefon|teléfono|telefoon|téléphone|telemóvel|celular|puhelim|телефон|смартфон|手[机機]|\bmac\b|laptop|computer"
    r"|mail|outlook|spark|courrier|correo|correio|courriel|posta\b|post\b|yahoo|gmx|web\.de|telekom|\bapp\b",
    re.IGNORECASE,
)
"""What such a line names: a person sends from his office, too."""

DEVICE_HEADS = frozenset(phrase[:4].casefold() for phrase in _all("devices"))
"""How each of them begins, for a quick look; `…` stands for a beginning that is open."""

SIGN_OFFS = frozenset(phrase.casefold() for phrase in _all("sign_offs"))
"""Whole lines that end a letter, above the name; folded, without what stands behind them."""
