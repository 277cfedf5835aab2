"""How the page reads mails: any bytes give a letter, and letters find their thread."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.simulator.letters import read_letter, summary, threads, view
from bridge.simulator.record import StoredMail


def mail(raw: bytes, name: str = "1") -> StoredMail:
    return StoredMail(name, "clinic@example.test", "INBOX", raw, f"2026-11-21T10:00:0{name}+00:00")


def linked(name: str, references: str) -> StoredMail:
    return mail(f"Message-ID: <{name}@x>\r\nReferences: {references}\r\n\r\n".encode(), name)


REPORT = (
    b"X-SMS-Status: undelivered\r\nContent-Type: multipart/report; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nTm9uIMOoIGFycml2YXRvCg==\r\n"
    b"--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--b--\r\n"
)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Subject: x\r\n\r\nciao\r\n", "ciao"),
        (REPORT, "Non è arrivato"),
        (b"Content-Type: text/plain; charset=no-such\r\n\r\ncaf\xc3\xa9", "café"),
        (b"Content-Type: text/html\r\n\r\n<p>x</p>", ""),
        (b"", ""),
    ],
    ids=["plain", "report in base64", "unknown charset", "html only", "nothing"],
)
def test_the_words_of_a_mail(raw: bytes, text: str) -> None:
    assert read_letter(mail(raw)).text == text


def test_a_report_tells_its_status() -> None:
    assert read_letter(mail(REPORT)).statuses == ("undelivered",)


def test_a_header_that_is_not_there_is_null_in_the_list() -> None:
    line = summary(read_letter(mail(b"\r\nx")))
    assert line["message_id"] is None
    assert line["in_reply_to"] is None


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ([("1", ""), ("2", "<1@x>"), ("3", "<1@x> <2@x>")], [["1", "2", "3"]]),
        ([("1", ""), ("2", "")], [["2"], ["1"]]),
        ([("1", "<0@x>"), ("2", ""), ("3", "<0@x>")], [["1", "3"], ["2"]]),
        ([("1", ""), ("2", ""), ("3", "<1@x> <2@x>")], [["1", "2", "3"]]),
    ],
    ids=["a chain", "strangers, newest first", "a first mail sent elsewhere", "a letter that joins two threads"],
)
def test_letters_find_their_thread(letters: list[tuple[str, str]], expected: list[list[str]]) -> None:
    found = threads([read_letter(linked(name, references)) for name, references in letters])
    assert [[letter.id for letter in thread] for thread in found] == expected


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda words: f"Subject: {words}\r\n\r\n{words}".encode()))
def test_any_bytes_give_a_letter_that_json_can_carry(raw: bytes) -> None:
    letter = read_letter(mail(raw))
    assert json.dumps([view(letter), summary(letter)]).encode()
    assert "\n" not in letter.subject
    assert threads([letter]) == [[letter]]
