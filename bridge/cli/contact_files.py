"""Reads a file of contacts as spreadsheets write it: name, number and perhaps groups on each line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bridge.errors import NotPossible
from bridge.reading.names import name_key
from bridge.reading.naming import single_spaced

_SEPARATORS = "\t;,"
_SAID = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""How a file tells Excel what stands between its columns."""
_ROUNDED = re.compile(r"[+-]?\d([.,]\d+)?E[+-]?\d+", re.IGNORECASE)
"""A number of which the spreadsheet kept the first digits only: 3.93331E+11."""
_TITLES = {
    "name": "name nome nombre naam nom contact contatto contacto contactpersoon",
    "number": "number numero nummer telephone telefono telefoon telefon phone mobile cellulare cell movil mobiel gsm",
    "groups": "groups group gruppi gruppo grupos grupo groepen groep groupes groupe",
}
_DIGITS = 5
"""The fewest digits of what may be meant as a telephone number."""
_COLUMNS = {title: column for column, titles in _TITLES.items() for title in titles.split()}


@dataclass(frozen=True, slots=True)
class Line:
    """What one line of the file says, not checked yet."""

    place: int
    """The line of the file that it begins on; the first is 1."""
    name: str
    number: str
    groups: tuple[str, ...]


def read_lines(raw: bytes) -> list[Line]:
    """Every line that says something, below a line of titles or without one. Raises NotPossible for what is no such
    file."""
    text = _decoded(raw)
    said = _SAID.match(text)
    if said is not None:
        text = text[said.end() :]
    separator = said[1] if said is not None else _separator(text)
    rows = list(_rows(text, separator, 2 if said is not None else 1))
    columns = ["name", "number", "groups"]
    titles = [_COLUMNS.get(name_key(cell), "") for cell in rows[0][1]] if rows else []
    if "name" in titles and "number" in titles:
        columns, rows = titles, rows[1:]
    if not rows:
        raise NotPossible("The file holds no contact. Each line has a name and a number.")
    return [_line(place, row, columns) for place, row in rows]


def _decoded(raw: bytes) -> str:
    """UTF-8, UTF-16 with its mark, or Windows-1252, as Excel writes them."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise NotPossible("The file is no text. Save it as CSV, in UTF-8 if you can choose.")


def _separator(text: str) -> str:
    """What stands between the columns: what puts a title or a number into the second one of the first line."""
    first = next((line for line in text.splitlines() if line.strip(_SEPARATORS + ' "')), "")
    for each in _SEPARATORS:
        cells = [cell.strip(' "') for cell in first.split(each)]
        if len(cells) > 1 and (_is_title(cells[1]) or sum(map(str.isdigit, cells[1])) >= _DIGITS):
            return each
    return max(_SEPARATORS, key=first.count)


def _is_title(cell: str) -> bool:
    return name_key(cell) in _COLUMNS


def _rows(text: str, separator: str, first: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    before = 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise NotPossible(
                f"Line {before + first}: a quotation mark is not closed or stands within a word. Mend it, or leave all "
                "quotation marks out."
            ) from error
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield before + first, row
        before = reader.line_num


def _line(place: int, row: Sequence[str], columns: Sequence[str]) -> Line:
    if len(row) > len(columns) and columns[-1] == "groups":  # semicolons stand between groups and columns alike
        row = [*row[: len(columns) - 1], ";".join(row[len(columns) - 1 :])]
    cells = {column: cell for column, cell in zip(columns, row, strict=False) if column}
    groups = (single_spaced(each) for each in cells.get("groups", "").split(";"))
    return Line(
        place,
        single_spaced(cells.get("name", "")),
        _number(cells.get("number", "")),
        tuple(dict.fromkeys(each for each in groups if each)),
    )


def _number(cell: str) -> str:
    """The number without what keeps spreadsheets from reckoning with it."""
    bare = " ".join(cell.split()).removeprefix("'")
    formula = re.fullmatch(r'="?([^"]*)"?', bare)
    return (formula[1] if formula is not None else bare).strip()


def is_rounded(number: str) -> bool:
    """Whether a spreadsheet took the number for an amount and kept its first digits only."""
    return _ROUNDED.fullmatch(number) is not None
