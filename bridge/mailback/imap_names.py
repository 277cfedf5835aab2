"""What a folder is called on the wire: names that people chose, made safe for any IMAP server; pure.

A folder's name comes from a template with names of people in it, and ends up in a command line and, on many servers,
in a file name. So whatever could end a command, climb out of a folder, match several folders or mean a level is
replaced; the same name becomes the same folder everywhere, also after a move from one server to another.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from dataclasses import dataclass

LONGEST = 200
"""Octets of a whole name at most. Maildir++ keeps all levels in one file name, and file names end at 255 octets."""

_REPLACEMENT = "_"
_UNSAFE = frozenset('/\\.*%"!;<>`{|}')
"""Delimiters of the common servers, wildcards of LIST (RFC 3501 section 6.3.8), what quoting would have to escape, and
what Cyrus has in no name. The dot among them: with a delimiter `/`, Dovecot's Maildir++ refuses names with a dot in
them."""
_LAST = "\uffff"
"""What is beyond, such as emoji, takes two halves in modified UTF-7, and Courier refuses names with those."""
_UNSAFE_FIRST = frozenset("~#&")
"""A home folder, a namespace (RFC 3501 section 5.1.2) and, for servers that decode names twice, the shift of UTF-7."""
_CONTROL = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_HIDDEN = "Cf"
_DIGEST = 8

_PRINTABLE = re.compile(r"([^\x20-\x7e]+)")
_NAMESPACE = re.compile(rb'\(\("((?:[^"\\]|\\.)*)" (?:"((?:[^"\\]|\\.))"|NIL)')
_LIST = re.compile(rb'\([^)]*\) (?:"((?:[^"\\]|\\.))"|NIL) ')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """How one server writes the path to a folder of the account."""

    prefix: str = ""
    """What every name but INBOX begins with, as it stands on the wire: `INBOX.` on Courier, often empty."""
    delimiter: str = "/"
    """Empty on a server without levels."""

    def name(self, path: tuple[str, ...]) -> str:
        """The folder's name on the wire, not quoted yet: printable ASCII of at most about `LONGEST` octets.

        `path` has at least one level. A first level INBOX (any case) is the inbox itself (RFC 3501 section 5.1).
        """
        joint = self.delimiter or "-"
        levels, start = path, self.prefix
        if path[0].upper() == "INBOX":
            if len(path) == 1:
                return "INBOX"
            levels, start = path[1:], self.prefix or "INBOX" + joint
        longest = max(LONGEST // len(levels), 2 * _DIGEST)
        return start + joint.join(_fit(safe(part, self.delimiter), longest) for part in levels)


def safe(part: str, delimiter: str = "/") -> str:
    """One level of a path as every server can keep it: NFC, one line, without levels, wildcards and hidden signs."""
    composed = unicodedata.normalize("NFC", part)
    kept = "".join(
        _REPLACEMENT if _is_unsafe(sign, delimiter) else sign
        for sign in composed
        if unicodedata.category(sign) != _HIDDEN
    )
    words = " ".join(kept.split())
    if words[:1] in _UNSAFE_FIRST:
        words = _REPLACEMENT + words[1:]
    return words or _REPLACEMENT


def encoded(text: str) -> str:
    """Modified UTF-7 (RFC 3501 section 5.1.3): printable ASCII as it is, all else as base64 of UTF-16 between & and -.

    Raises UnicodeEncodeError for a lone surrogate, which is no character.
    """
    runs = _PRINTABLE.split(text)
    return "".join(_shifted(run) if index % 2 else run.replace("&", "&-") for index, run in enumerate(runs))


def quoted(text: str) -> str:
    """A quoted string (RFC 3501 section 9); CR, LF and NUL have no place in one, and aioimaplib refuses them."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def from_namespace(line: bytes) -> Hierarchy | None:
    """The first personal namespace of a NAMESPACE answer (RFC 2342 section 5); None when it names none."""
    found = _NAMESPACE.match(line)
    if found is None:
        return None
    return Hierarchy(_plain(found[1]), _plain(found[2] or b""))


def from_list(line: bytes) -> Hierarchy | None:
    """The delimiter in the answer to `LIST "" ""` (RFC 3501 section 6.3.8), for servers without NAMESPACE."""
    found = _LIST.match(line)
    return None if found is None else Hierarchy("", _plain(found[1] or b""))


def _is_unsafe(sign: str, delimiter: str) -> bool:
    return sign in _UNSAFE or sign == delimiter or sign > _LAST or unicodedata.category(sign) in _CONTROL


def _shifted(run: str) -> str:
    packed = base64.b64encode(run.encode("utf-16-be"), b"+,").rstrip(b"=")
    return f"&{packed.decode('ascii')}-"


def _fit(part: str, longest: int) -> str:
    """`part` encoded; when it is too long, its beginning and a digest of the whole, so that two never become one."""
    whole = encoded(part)
    if len(whole) <= longest:
        return whole
    digest = hashlib.sha256(part.encode()).hexdigest()[:_DIGEST]
    beginning = part
    while len(encoded(beginning)) > longest - _DIGEST - 1:
        beginning = beginning[:-1]
    return f"{encoded(beginning.rstrip())}{_REPLACEMENT}{digest}"


def _plain(octets: bytes) -> str:
    return _ESCAPED.sub(r"\1", octets.decode("ascii", "replace"))
