"""Tells a plain text that only stands in for the HTML beside it; used by `mime` to choose between the two.

A stub says that the mail is HTML or is to be seen in a browser, or is a link and nothing else. Each sentence must say
so or belong to it, since a word that was meant must not be lost.
"""

from __future__ import annotations

import re

LONGEST = 600
"""Characters of a stub, links not counted."""
LONGEST_WITH_LINKS = 10_000
"""Characters of a stub; links that count who follows them are long."""
MAX_LABELS = 6
"""Lines such as "When: …" that Outlook writes above the words of an invitation."""
SHARE = 5
"""How many times the words of a plain text that breaks off its HTML must have."""
LONGEST_ABOVE = 10_000
"""Characters that the HTML may have before and between these words, beside `SHARE` times as many as they have."""

_HINTS = ("://", "www.", "html", "mime", "browser", "web", "line", "naviga", "navega", "clic", "cliq", "klik", "klick")
"""One of them stands in every stub; a quick look."""
_LINK = re.compile(r"[<(\[]?(?:https?://|www\.)[^\s<>\])]{1,4000}[>)\]]?", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?:;](?=\s|$)|\n[ \t]*\n")
_MAIL = re.compile(
    r"\b(?:e-?mails?|mails?|messages?|newsletters?|messaggi[oa]?|posta|mensajes?|correos?|bericht(?:en)?|nieuwsbrief|"
    r"courriels?|lettre|messagerie|nachricht(?:en)?|mensage(?:m|ns)|boletín|boletim)\b",
    re.IGNORECASE,
)
_MEDIUM = re.compile(
    r"\b(?:html|mime|browser|web ?browser|webversie|webversion|web version|on-?line|versione web|versión web|"
    r"navigateur|navegador|versão web|version web|en ligne|internetbrowser|click here|clicca qui|clic aquí|pulse aquí|"
    r"klik hier|cliquez ici|clique aqui|klicken sie hier)\b",
    re.IGNORECASE,
)
_SHOWING = re.compile(
    r"\b(?:view|viewer|see|read|display|displayed|support|supports|supported|format|formatted|open|contains?|requires?|"
    r"compatible|visualizz\w*|veder\w*|vedi|leggi|legger\w*|apri\w*|support\w*|formato|ver|vea|leer\w*|mostrar\w*|"
    r"abrir\w*|visualiza\w*|contiene|bekijk\w*|lees|lezen|weer(?:te)?geven|weergegeven|openen|ondersteun\w*|formaat|"
    r"voir|lire|affich\w*|visualis\w*|consult\w*|ouvr\w*|anzeig\w*|angezeigt|ansehen|lesen|öffnen|dar(?:ge)?stell\w*|"
    r"unterstütz\w*|contém|suporta\w*|soporta\w*|multi-?part)\b",
    re.IGNORECASE,
)
_BREAKS_OFF = re.compile(r"(?:…|\.\.\.|\[…\]|\[\.\.\.\])\s*(?:[^\W\d_]{2,12}:?\s){0,3}\Z")
_WORD = re.compile(r"\w+")


def is_stub(text: str) -> bool:
    """Whether `text`, in any of seven languages, says no more than that the mail is to be seen elsewhere."""
    text = text.strip()
    if not text:
        return True
    folded = text.lower()
    if len(text) > LONGEST_WITH_LINKS or not any(hint in folded for hint in _HINTS):
        return False
    bare = _LINK.sub(" ", text)
    if len(bare) > LONGEST:
        return False
    sentences = [sentence for sentence in _SENTENCE_END.split(bare) if _WORD.search(sentence)]
    said = [_says_so(sentence) for sentence in sentences]
    return not said or (max(said) == 3 and min(said) >= 2)


def is_invitation_stub(text: str) -> bool:
    """Whether `text`, beside an invitation, says no more than the invitation does: it is a stub, or what Outlook writes
    above the author's words, with nothing below.
    """
    return is_stub(text) or ("*~*~*" in text[: LONGEST * 2] and _is_outlook_block(text))


def _is_outlook_block(text: str) -> bool:
    *labels, line = [line.strip() for line in text.strip().split("\n") if not line.isspace() and line]
    return set(line) == {"*", "~"} and len(labels) <= MAX_LABELS and all(":" in label[:40] for label in labels)


def breaks_off(text: str) -> bool:
    """Whether `text` itself says that it goes on elsewhere: it ends with three dots, with or without a link."""
    tail = text[-500:]
    return ("…" in tail or "..." in tail) and _BREAKS_OFF.search(_LINK.sub(" ", tail).rstrip() + " ") is not None


def is_beginning(text: str, whole: str) -> bool:
    """Whether `whole` has more than five times the words of `text`, and all of them in the same order."""
    words = _words(_BREAKS_OFF.sub("", _LINK.sub(" ", text).rstrip() + " "))
    others = _words(whole[: LONGEST_ABOVE + 2 * SHARE * len(text)])
    if len(words) * SHARE >= len(others):
        return False
    following = iter(others)
    return all(word in following for word in words)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _says_so(sentence: str) -> int:
    """How many it has of: this mail, another place or form, showing."""
    return sum(pattern.search(sentence) is not None for pattern in (_MEDIUM, _MAIL, _SHOWING))
