"""The patterns of what mail programs add, made once of the rows of `languages`; used by all that cut.

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

_WROTE_WITHOUT_COLON = re.compile(rf"[>)\]] (?:{_any(_all('wrote'))})$")
_BEGINS_WITH_DAY = re.compile(r"\d{4}[-/]\d{1,2}[-/]")

DATED = re.compile(r"\W{0,3}(?:[^\W\d_]{2,14}[.,]{0,2} )?\d")
SENDER_AT_END = re.compile(
    r"(?:<|\[|\(|&lt;) ?(?:mailto:)?[^<>\[\]()@\s]{1,64}@[^<>\[\]()\s@]{1,255}(?:>|\]|\)|&gt;) ?:$"
)
"""How a line begins with a day or an hour, and ends with an address and a colon."""

MARKED_WORDS = re.compile(r">(?: ?[^\s\d>=]|\s*$)")
"""A line that nothing but quoting explains: "> 126 mg/dl" compares, and ">>> ALARM" shouts."""

EMOJI_NAME = re.compile(r":[\w+-]{1,40}:$")
"""An emoji by its name, such as ":+1:"."""

LEADS_OVER = re.compile(
    r"(?=.{1,80}$)(?=.*[^.!?,]$).*\b(?:website|web ?site|web ?form|contact form|form submission|sito|modulo|formulario"
    r"|sitio web|formulier|site web|formulaire|kontaktformular|formular|webseite)\b",
    re.IGNORECASE,
)
"""A heading above what somebody wrote into a form."""

_BETWEEN_DASHES = _any((*_all("originals"), *_all("forwards")))
ANNOUNCES_FORWARD = re.compile(rf"(?:{_any(_all('forwards'))}){_COLON}", re.IGNORECASE)
"""Such a line without dashes; a short one may be a person's own."""

_BEFORE_COLON = _any(phrase for phrase in _all("forwards") if len(phrase) > 20)

SEPARATOR = re.compile(
    rf"[-_*=]{{2,}}+ ?(?:{_BETWEEN_DASHES}) ?[-_*=]{{2,}}|(?:{_BEFORE_COLON}){_COLON}"
    r"|>>> .{3,120}\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4},? .{0,20}\d[:.]\d\d(?: ?[AP]M)? >>>"
    r"|\[?Original Message processed by .{1,60}:?",
    re.IGNORECASE,
)
"""A line such as "-----Original Message-----", Apple's "Begin forwarded message:", and those of GroupWise and David."""

_REPLY_ABOVE = re.compile(
    r"[\W_]*+(?=.*\b(?:repl|respon|typ|writ|enter|risp|scriv|digit|escrib|antwoord|schrijf|répon|écri|saisi"
    r"|antwort|schreib|gib|geb|escrev))(?:.*\b(?:above (?:this|the) line|sopra (?:questa|la) (?:riga|linea)"
    r"|(?:encima|arriba) de esta línea|boven deze (?:regel|lijn)|au-dessus de cette ligne|über dieser zeile"
    r"|oberhalb dieser (?:zeile|linie)|acima desta linha))\b.{0,60}",
    re.IGNORECASE,
)
"""The line of a help desk above which an answer is to be written."""

_LONGEST_REPLY_MARK = 120
_ROW_OF_SIGNS = re.compile(r"[\W_]{3,80}")
_DECORATED = re.compile(r"[^\w\s\"'(]|__")
"""It is set in signs, for a person may speak of a line, too."""

FORWARD = re.compile(
    rf"[-_*=]{{2,}}+ ?(?:{_any(_all('forwards'))}) ?[-_*=]{{2,}}|(?:{_BEFORE_COLON}){_COLON}",
    re.IGNORECASE,
)
"""Such a line above a mail that is passed on."""

SENDER_LABEL = re.compile(rf"(?:\*{{1,2}} ?)?(?:{_any(_all('sender'))})\*?{_COLON}\*{{0,2}}[ \xa0]*[^ \xa0].*")
"""The first line of a header block; some programs set the label in asterisks."""

_LABELS = ("labels", "sent", "subject", "sender")
LABEL = re.compile(
    rf"(?:\*{{1,2}} ?)?({_any(each for field in _LABELS for each in _all(field))})\*?{_COLON}\*{{0,2}}(?: .*|\S.*)?"
)
"""Every other line of it."""

SENDER_LABELS = frozenset(_all("sender"))
SUBJECT_LABELS = frozenset(_all("subject"))
"""The label that hardly any such block is without."""

SENT_LABELS = frozenset(_all("sent"))
"""The label that no form of a person has."""

FORM_LABEL = re.compile(
    r"(?:name|first name|last name|surname|phone|telephone|mobile|tel|e-?mail|age|company|message|comments?|nome|"
    r"cognome|nome e cognome|telefono|cellulare|età|azienda|messaggio|note|ora|durata|nombre|apellidos?|teléfono|"
    r"móvil|edad|empresa|mensaje|hora|duración|naam|voornaam|achternaam|telefoon|leeftijd|bedrijf|bericht|tijd|"
    r"duur|nom|prénom|téléphone|âge|société|heure|durée|vorname|nachname|telefon|alter|firma|nachricht|uhrzeit|"
    r"dauer|telefone|idade|mensagem|duração|duration|pages|time|status|state|host|departure|arrival|pick-?up|"
    r"partenza|arrivo|ritiro|consegna)[*]{0,2} ?:",
    re.IGNORECASE,
)
"""Labels of forms that no header block has."""

RUN_TOGETHER = re.compile(
    rf"[-_*=]{{2,}}+ ?(?:{_BETWEEN_DASHES}) ?[-_*=]{{2,}}+ ?(?:{_any(_all('sender'))}){_COLON} ?\S.*", re.IGNORECASE
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
    r"|mail|outlook|spark|courrier|correo|correio|courriel|posta\b|post\b|yahoo|gmx|web\.de|telekom|\bapp\b"
    r"|superhuman|\btuta|em client|thunderbird",
    re.IGNORECASE,
)
"""What such a line names: a person sends from his office, too."""

DEVICE_HEADS = frozenset(phrase[:4].casefold() for phrase in _all("devices"))
"""How each of them begins, for a quick look; `…` stands for a beginning that is open."""

_LONGEST_SIGN_OFF = 100
SIGN_OFFS = frozenset(phrase.casefold() for phrase in _all("sign_offs"))
"""Whole lines that end a letter, above the name; folded, without what stands behind them."""


def is_sign_off(line: str) -> bool:
    """Whether the line takes leave, in one language or in several, as the one above the name does."""
    if len(line) > _LONGEST_SIGN_OFF:
        return False
    bare = line.strip(" ,.!;:-*_").casefold()
    if bare in SIGN_OFFS or ("/" not in bare and "|" not in bare):
        return bare in SIGN_OFFS
    return all(part.strip(" ,") in SIGN_OFFS for part in bare.replace("|", "/").split("/"))


def takes_leave(line: str) -> bool:
    """Whether the line takes leave, with or without the name of its author behind it."""
    greeting, comma, name = line.partition(",")
    return is_sign_off(line) or (bool(comma) and len(name.split()) <= 3 and is_sign_off(greeting))


def is_reply_mark(line: str, above: str = "") -> bool:
    """Whether a help desk wants its answer above this line: it is set in signs, or has a row of them `above`."""
    if len(line) > _LONGEST_REPLY_MARK or not (_DECORATED.match(line) or _ROW_OF_SIGNS.fullmatch(above)):
        return False
    return _REPLY_ABOVE.fullmatch(line) is not None


def ends_attribution(line: str) -> bool:
    """Whether the line looks like the last one of an attribution: a quick look before the long one."""
    if line.endswith((":", "\N{FULLWIDTH COLON}", "---")):
        return True
    if line[:4].isdigit():
        return _BEGINS_WITH_DAY.match(line) is not None
    return "@" in line and _WROTE_WITHOUT_COLON.search(line[-40:]) is not None
