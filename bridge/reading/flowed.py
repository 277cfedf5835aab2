"""Joins the lines of a text that was broken into lines on its way, `format=flowed`; used by `mime` (RFC 3676)."""

from __future__ import annotations


def unflow(text: str, *, delsp: bool) -> str:
    """The paragraphs of a format=flowed text, each on one line (RFC 3676 section 4); quoted levels stay apart."""
    pieces: list[str] = []
    flowing: int | None = None
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        if flowing != depth or content == "-- ":
            pieces.append("\n" + ">" * depth + (" " if depth else ""))
        flows = content.endswith(" ") and content != "-- "
        pieces.append(content[:-1] if flows and delsp else content)
        flowing = depth if flows else None
    return "".join(pieces).removeprefix("\n")
