"""Says whether a name can be given to a contact or a group: whether an address that holds it means it and nothing else.

Asked by the address book before it takes a name; at a RCPT `addresses` reads the name back.
"""

from __future__ import annotations

from bridge.errors import RecipientRefusal
from bridge.reading.addresses import read_local_part
from bridge.reading.names import MAX_NAME, name_key, typed
from bridge.types import InTheMail, Named, Trial

_IN_QUOTES = frozenset('"@\\<>()[],;:')
"""Characters that an address holds in quotes only (RFC 5322 section 3.2.3), which few mail programs can write."""

_OUR_OWN = frozenset({"postmaster", "mailer daemon"})
"""Whose name stands in the From of what the bridge itself writes, compared: an answer to it must text nobody."""


def single_spaced(name: str) -> str:
    """The name with one blank between its words, as it is kept."""
    return " ".join(name.split())


def why_no_name(name: str) -> str | None:
    """Why nothing can have this name, as the end of a sentence that begins with it; None when something can."""
    key = name_key(name)
    if not name:
        return "is empty"
    if max(len(name), len(key)) > MAX_NAME:
        return f"has more than the {MAX_NAME} characters that an address can hold"
    if not name.isprintable():
        return "holds a character that cannot be seen"
    if "+" in name or "+" in key:
        return "holds a plus, and behind a plus an address has its options"
    strange = next((char for char in name + key if char in _IN_QUOTES), None)
    if strange is not None:
        shown = "a quotation mark" if strange == '"' else f'"{strange}"'
        return f"holds {shown}, which mail programs do not write in an address"
    if not key:
        return "has no letter and no digit"
    if key in _OUR_OWN:
        return "is an address of the bridge itself"
    for spelt in (name, key, typed(name), typed(name).replace(".", "-"), typed(name).replace(".", "_")):
        why = _otherwise(spelt, key)
        if why is not None:
            return why
    return None


def _otherwise(local: str, key: str) -> str | None:
    """What `local` means in an address, when it is not the name that is compared as `key`."""
    try:
        meant = read_local_part(local)
    except RecipientRefusal:
        return "would be read as a telephone number"
    match meant:
        case Named(name) if name_key(name) == key:
            return None
        case InTheMail() | Trial():
            return "is an address of the bridge itself"
        case _:
            return "would be read as a telephone number"
