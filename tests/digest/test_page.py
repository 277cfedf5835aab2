"""The page about the digest says what is true: its options, limits, columns and the name of the file."""

from __future__ import annotations

import re

from bridge.notices.sheet import COLUMNS, MOST_BYTES
from bridge.notices.wording import WORDINGS
from bridge.store.digests import MOST_SHOWN, MOST_WORDS
from bridge.types import NO_DIGEST, Language
from bridge.types.digest import MOST_ADDRESSES, MOST_DAYS, MOST_LINES
from tests.digest.test_mail import a_digest, first, letters
from tests.house.test_docs import page


def rows(part: str) -> list[list[str]]:
    """The rows of the table below a heading, without its titles."""
    text = page("digest.md").split(f"## {part}\n")[1] if part else page("digest.md")
    table = re.findall(r"^\| .* \|$", text.split("\n## ")[0], flags=re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table[2:]]


def test_its_options_have_these_limits_and_defaults() -> None:
    options = {cells[0].strip("`"): cells[1:] for cells in rows("")}
    assert options.keys() == {"--digest-to", "--digest-at", "--digest-days"}
    assert f"up to {MOST_ADDRESSES} addresses" in options["--digest-to"][0]
    assert f"1 to {MOST_DAYS}" in options["--digest-days"][0]
    assert [default for _, default in options.values()] == [
        "nobody", f"`{NO_DIGEST.at:%H:%M}`", str(NO_DIGEST.days),
    ]  # fmt: skip


def test_its_columns_are_those_of_the_file_in_this_order() -> None:
    titles = [WORDINGS[Language.ENGLISH].say(f"digest.column.{name}").split(" (")[0].lower() for name in COLUMNS]
    assert [cells[0] for cells in rows("The table")] == titles


def test_its_limits_are_those_that_hold() -> None:
    said = " ".join(page("digest.md").split())
    assert f"names {MOST_SHOWN} at most" in said
    assert f"the newest {MOST_LINES:,} lines, and {MOST_BYTES // 1_000_000} MB" in said
    assert f"the newest {MOST_LINES:,} answers only" in said
    assert f"their first {MOST_WORDS:,} characters" in said


def test_the_file_has_the_name_it_gives() -> None:
    assert f"`{letters(first(a_digest()))[2].get_filename()}`" in page("digest.md")
