"""The end of a mail, wherever the borders between blocks fall."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.smtp_data import DISCARD_FACTOR, Chunks, Flaw, MailData

LINES = st.lists(st.text(alphabet=".ab \té", max_size=12), max_size=8)


def _stuffed(lines: list[str]) -> bytes:
    return b"".join((b"." if line.startswith(".") else b"") + line.encode() + b"\r\n" for line in lines) + b".\r\n"


@given(LINES, st.binary(max_size=20), st.data())
def test_a_mail_comes_out_as_it_went_in(lines: list[str], rest: bytes, data: st.DataObject) -> None:
    wire = _stuffed(lines) + rest
    mail = MailData(10_000)
    position = 0
    while True:
        size = data.draw(st.integers(1, 9))
        ended = mail.feed(wire[position : position + size])
        position += size
        if ended:
            break
        assert position < len(wire)
    assert mail.content() == b"".join(line.encode() + b"\r\n" for line in lines)
    assert mail.rest + wire[position:] == rest


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"a", b"\0", b"\r\n."]), max_size=30).map(b"".join),
    st.data(),
)
def test_only_crlf_dot_crlf_ends_a_mail(octets: bytes, data: st.DataObject) -> None:
    mail = MailData(1000)
    end = (b"\r\n" + octets).find(b"\r\n.\r\n")
    position, ended = 0, False
    while position < len(octets) and not ended:
        size = data.draw(st.integers(1, 30))
        ended = mail.feed(octets[position : position + size])
        position += size
    assert ended == (end >= 0)
    if end >= 0:
        assert mail.content() == _as_one_piece(octets[:end])


def _as_one_piece(wire: bytes) -> bytes | Flaw:
    """What a mail is when all of it can be seen at once."""
    stuffed = b"\r\n" + wire
    if b"\r" in wire.replace(b"\r\n", b"") or b"\0" in wire:
        return Flaw.BAD_LINES
    if b"\n.\n" in (stuffed + b"\r\n").replace(b"\r\n", b"\n"):
        return Flaw.BAD_LINES
    return stuffed.replace(b"\r\n.", b"\r\n")[2:].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("octets", "content"),
    [
        pytest.param(b"Subject: a\n\nb\n\r\n.\r\n", b"Subject: a\r\n\r\nb\r\n\r\n", id="a script that knows LF only"),
        pytest.param(b"a\nb\r\nc\r\n.\r\n", b"a\r\nb\r\nc\r\n", id="both kinds of line end"),
        pytest.param(b"a\n.b\r\n.\r\n", b"a\r\n.b\r\n", id="a dot after a lone LF is no transparency dot"),
        pytest.param(b"a\n.\nb\r\n.\r\n", Flaw.BAD_LINES, id="a lone dot between lone LFs"),
        pytest.param(b"a\r\n.\nb\r\n.\r\n", Flaw.BAD_LINES, id="a lone dot before a lone LF"),
        pytest.param(b"a\rb\r\n.\r\n", Flaw.BAD_LINES, id="a lone CR"),
    ],
)
def test_lines_that_end_with_lf_alone(octets: bytes, content: bytes | Flaw) -> None:
    mail = MailData(1000)
    assert mail.feed(octets)
    assert mail.content() == content


def test_the_limit_counts_octets_without_transparency_dots() -> None:
    for lines, taken in (((["."] * 4), True), ((["."] * 5), False)):
        mail = MailData(12)
        assert mail.feed(_stuffed(lines))
        assert (mail.content() is not Flaw.TOO_LARGE) == taken


def test_a_mail_beyond_its_limit_is_not_kept() -> None:
    mail = MailData(1000)
    while not mail.endless:
        assert not mail.feed(b"x" * 500)
        assert mail.held <= 1000
    assert mail.feed(b"\r\n.\r\nNOOP\r\n")
    assert mail.rest == b"NOOP\r\n"
    assert mail.content() is Flaw.TOO_LARGE
    assert DISCARD_FACTOR > 1


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_a_mail_in_chunks_is_what_all_of_them_are(chunks: list[bytes]) -> None:
    mail = Chunks(1000)
    for chunk in chunks:
        assert mail.announce(len(chunk))
        mail.add(bytearray(chunk))
    raw, content = b"".join(chunks), mail.content()
    if b"\r" in raw.replace(b"\r\n", b"") or b"\0" in raw:
        assert content is Flaw.BAD_LINES
    else:
        assert content == raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def test_chunks_beyond_the_limit_are_not_kept() -> None:
    mail = Chunks(1000)
    assert mail.announce(1000)
    mail.add(bytearray(1000))
    assert not mail.announce(1)
    assert mail.failed
    assert mail.held == 0
    assert not mail.announce(0), "a mail that has failed stays so"
