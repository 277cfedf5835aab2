"""Says what a line of a signature may be: a name, a title, a way to reach somebody; for `closings` and `learning`."""

from __future__ import annotations

import re

_LONGEST_LINE = 1_000
"""Characters of a line with contact details."""
_LABELS = (
    r"tel|telf|tlf|tél|telefono|teléfono|telefoon|telefon|téléphone|telefone|telemóvel|phone|cell|cellulare|celular|mob"
    r"|mobile|móvil|mobiel|mobil|handy|fax|office|direct"
)
_REACH = re.compile(
    rf"\b(?:{_LABELS}|e-?mail|web|website|sito|skype|whatsapp|p\.? ?iva|c\.? ?f|vat|kvk|nif|cif|siret|ust-?id)\b"
    r"\.? ?[:.)]"
    rf"|^(?:{_LABELS}|[tmfp])\b[.:|]? ?\(?[+0]\d|^(?:t|m|e|w|f|p)[.:|] ?\S"
    r"|www\.|https?://|\S@\S|\+\d[\d /.()-]{6,}\d|^\(?0\d[\d /.()-]{6,}\d$",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"^(?:via|viale|corso|piazza|calle|c/|avenida|rue|avenue|rua)\b.*\d|\b\d{4,5}(?: ?[A-Z]{2})? [A-ZÀ-Ý]\w+"
    r"|\b(?-i:[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})\b",
    re.IGNORECASE,
)
UNABBREVIATED = r"(?<!\.\w.)(?<!\.\w\w.)(?<! (?i:Lda|Ltd|Inc|Snc|Srl|Sas|Spa)\.)(?<! (?i:Ltda|Corp)\.)"
"""Pattern behind a full stop that ends a sentence: neither "s.r.l." nor "Ltd." is one."""
_SENTENCE = re.compile(rf"[.!?:]{UNABBREVIATED}$")
"""How a line of a letter ends, and none of an address."""


def is_sentence(line: str) -> bool:
    """Whether the line ends as one of a letter does, and none of an address."""
    return _SENTENCE.search(line) is not None


def is_title(line: str) -> bool:
    """Whether the line may name somebody and does not say something, as far as its letters tell."""
    return not (":" in line or line[:1].islower() or is_sentence(line))


def names_somebody(line: str) -> bool:
    return len(line) <= 60 and not is_contact(line) and not any(char.isdigit() for char in line)


def is_contact(line: str) -> bool:
    """Whether the line holds a telephone number, a mail or web address, a street or a place with its postal code."""
    return reaches(line) or (len(line) <= _LONGEST_LINE and _PLACE.search(line) is not None)


def reaches(line: str) -> bool:
    """Whether the line holds a telephone number, a mail or web address, or the number of a company."""
    return len(line) <= _LONGEST_LINE and _REACH.search(line) is not None
