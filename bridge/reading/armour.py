"""Takes the frame of a clear-text OpenPGP signature off a plain text; used by `mime` (RFC 9580 section 7)."""

from __future__ import annotations

import re

_BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE = re.compile(r"^-----BEGIN PGP SIGNATURE-----[ \t]*$", re.MULTILINE)
_END = re.compile(r"^-----END PGP SIGNATURE-----[ \t]*$\n?", re.MULTILINE)
_HEADERS = re.compile(r"(?:[A-Za-z]+: [^\n]*\n)*[ \t]*\n")
_OPENING = re.compile(rf"^{_BEGIN}[ \t]*\n", re.MULTILINE)
_ESCAPE = re.compile(r"^- ", re.MULTILINE)
_SEALED = re.compile(r"^-----BEGIN PGP MESSAGE-----", re.MULTILINE)


def is_sealed(text: str) -> bool:
    """Whether an encrypted OpenPGP message stands in the text, not only quoted or spoken of."""
    return "-----BEGIN PGP MESSAGE-----" in text and _SEALED.search(text) is not None


def without_armour(text: str) -> str:
    """The signed words without armour, signature and dash-escapes, between what stands around them."""
    if _BEGIN not in text:
        return text
    opening = _OPENING.search(text)
    if opening is None:
        return text
    headers = _HEADERS.match(text, opening.end())
    start = opening.end() if headers is None else headers.end()
    signature = _SIGNATURE.search(text, start)
    stop = len(text) if signature is None else signature.start()
    end = None if signature is None else _END.search(text, signature.end())
    rest = "" if end is None else text[end.end() :]
    return text[: opening.start()] + _ESCAPE.sub("", text[start:stop]) + rest
