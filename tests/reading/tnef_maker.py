"""Makes winmail.dat as Outlook does (MS-OXTNEF section 2), to test its reader."""

from __future__ import annotations

import struct

PLAIN, HTML, RTF, CODE_PAGE = 0x1000, 0x1013, 0x1009, 0x3FDE
LONG, STRING, UNICODE, BINARY = 0x0003, 0x001E, 0x001F, 0x0102


def attribute(name: int, value: bytes, level: int = 1) -> bytes:
    return struct.pack("<BII", level, name, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def variable(kind: int, name: int, value: bytes) -> bytes:
    """A property that says how long it is, padded to a multiple of four."""
    return struct.pack("<HHII", kind, name, 1, len(value)) + value + bytes(-len(value) % 4)


def number(name: int, value: int) -> bytes:
    return struct.pack("<HHI", LONG, name, value)


def named(value: bytes) -> bytes:
    """A property with a name of its own, a subject in the calendar for instance."""
    label = "x-own".encode("utf-16-le") + b"\0\0"
    head = struct.pack("<HH", UNICODE, 0x8001) + bytes(16) + struct.pack("<II", 1, len(label))
    return head + label + bytes(-len(label) % 4) + struct.pack("<II", 1, len(value)) + value + bytes(-len(value) % 4)


def tnef(*properties: bytes, code_page: int = 1252, body: bytes = b"") -> bytes:
    parts = [attribute(0x00069007, struct.pack("<II", code_page, 0))]
    if body:
        parts.append(attribute(0x0002800C, body))
    parts.append(attribute(0x00069003, struct.pack("<I", len(properties)) + b"".join(properties)))
    parts.append(attribute(0x00069002, bytes(14), level=2))
    return b"\x78\x9f\x3e\x22" + struct.pack("<H", 1) + b"".join(parts)


def compressed(rtf: bytes) -> bytes:
    """Compressed rich text (MS-OXRTFCP) that refers back to nothing."""
    runs = b"".join(b"\0" + rtf[at : at + 8] for at in range(0, len(rtf), 8))
    return struct.pack("<II4sI", len(runs) + 12, len(rtf), b"LZFu", 0) + runs
