"""Names of folders on the wire: any text becomes one printable line of bounded length that means no other folder."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.mailback.imap_names import Hierarchy, encoded, from_list, from_namespace, quoted, safe

CHARACTERS = st.text(st.characters(exclude_categories=["Cs"]))
ANYTHING = st.text(st.characters())
DELIMITERS = st.sampled_from(["/", ".", "^", "-", ""])


def decoded(wire: str) -> str:
    """The other direction, as a server reads it (RFC 3501 section 5.1.3)."""

    def run(match: re.Match[str]) -> str:
        packed = match[1].replace(",", "/")
        return base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("utf-16-be") if packed else "&"

    return re.sub("&([^-]*)-", run, wire)


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),  # the example of RFC 3501 section 5.1.3
        ("Hi Mom -☺-!", "Hi Mom -&Jjo--!"),  # the example of RFC 2152
        ("Entwürfe", "Entw&APw-rfe"),
        ("R&D", "R&-D"),
        ("&", "&-"),
        ("", ""),
        ("👍", "&2D3cTQ-"),
    ],
)
def test_names_are_encoded_as_the_standards_show(name: str, wire: str) -> None:
    assert encoded(name) == wire
    assert decoded(wire) == name


@given(CHARACTERS)
def test_every_name_comes_back_from_its_encoding(name: str) -> None:
    wire = encoded(name)
    assert wire.isascii()
    assert wire.isprintable()
    assert decoded(wire) == name
    assert "--" not in wire.replace("&-", "") or "-" in name


@pytest.mark.parametrize(
    ("part", "kept"),
    [
        ("+393331234567", "+393331234567"),
        ("Anna Rossi", "Anna Rossi"),
        ("a/b\\c.d", "a_b_c_d"),
        ("..", "__"),
        ("*%", "__"),
        ("~root", "_root"),
        ("#news", "_news"),
        ("&AOk-", "_AOk-"),
        ("two\r\nlines\0", "two__lines_"),
        ("  wide \u3000 gaps  ", "wide gaps"),
        ("e\u0301", "é"),
        ("abc\u202etxt\u200b", "abctxt"),
        ("\ud800", "_"),
        ('say "hi"', "say _hi_"),
        ("a!b;c<d>e`f{g|h}i", "a_b_c_d_e_f_g_h_i"),
        ("#1 is it? 'x' = [y]: $5 @home, (z) ^-~", "_1 is it? 'x' = [y]: $5 @home, (z) ^-~"),
        ("ward 🏥", "ward _"),
        ("", "_"),
        ("   ", "_"),
    ],
)
def test_a_level_is_one_plain_line(part: str, kept: str) -> None:
    assert safe(part) == kept


@given(st.lists(ANYTHING, min_size=1, max_size=4), DELIMITERS, st.sampled_from(["", "INBOX.", "Personal/"]))
@example(["👍" * 300, "👍" * 301], "/", "")
def test_any_path_is_a_name_that_stays_where_it_belongs(path: list[str], delimiter: str, prefix: str) -> None:
    name = Hierarchy(prefix, delimiter).name(tuple(path))
    assert name.isascii()
    assert name.isprintable()
    assert len(name) <= 230
    levels = decoded(name.removeprefix(prefix)).split(delimiter) if delimiter else [decoded(name)]
    if path[0].upper() != "INBOX":
        assert name.startswith(prefix)
        assert len(levels) == (len(path) if delimiter else 1)
    if delimiter != "-":
        assert not any(sign in level for level in levels for sign in '/\\.*%"!;<>`{|}' if sign not in prefix)
    assert all(level and level == level.strip() for level in levels)


def test_long_names_that_begin_alike_stay_apart() -> None:
    names = {Hierarchy().name(("SMS", "ü" * 300 + end)) for end in ("", "a", "b")}
    assert len(names) == 3


@given(CHARACTERS)
def test_a_quoted_name_ends_where_it_should(text: str) -> None:
    inside = quoted(text)[1:-1]
    assert re.fullmatch(r'(?:[^"\\]|\\["\\])*', inside, re.DOTALL)
    assert re.sub(r"\\(.)", r"\1", inside) == text


@pytest.mark.parametrize(
    ("line", "hierarchy"),
    [
        (b'(("" "/")) NIL NIL', Hierarchy("", "/")),
        (b'(("INBOX." ".")) NIL (("#shared." "."))', Hierarchy("INBOX.", ".")),
        (b'(("" "/")("#mh/" "/" "X-PARAM" ("FLAG1" "FLAG2"))) (("~" "/")) NIL', Hierarchy("", "/")),
        (b'(("" "\\\\")) NIL NIL', Hierarchy("", "\\")),
        (b'(("" NIL)) NIL NIL', Hierarchy("", "")),
        (b"NIL NIL NIL", None),
        (b"NAMESPACE completed", None),
    ],
    ids=["usual", "courier", "several", "escaped", "flat", "no personal one", "no answer"],
)
def test_the_personal_namespace_is_read(line: bytes, hierarchy: Hierarchy | None) -> None:
    assert from_namespace(line) == hierarchy


@pytest.mark.parametrize(
    ("line", "hierarchy"),
    [
        (b'(\\Noselect) "/" ""', Hierarchy("", "/")),
        (b'(\\Noselect \\NoInferiors) "." ""', Hierarchy("", ".")),
        (b'() "\\\\" ""', Hierarchy("", "\\")),
        (b'() NIL ""', Hierarchy("", "")),
        (b"List completed", None),
    ],
)
def test_the_delimiter_is_read(line: bytes, hierarchy: Hierarchy | None) -> None:
    assert from_list(line) == hierarchy


@given(st.binary())
def test_no_answer_of_a_server_breaks_the_reading(line: bytes) -> None:
    for hierarchy in (from_namespace(line), from_list(line)):
        assert hierarchy is None or len(hierarchy.delimiter) <= 1
