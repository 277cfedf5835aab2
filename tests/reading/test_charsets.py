"""Octets become text: by the charset that the mail names, in whatever spelling, else as UTF-8, else by a guess."""

from __future__ import annotations

import time

import pytest

from bridge.reading.charsets import decode, decode_known


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("koi8-u", "koi8_u", "Зустріч о десятій"),
        ("x-sjis", "cp932", "明日の会議"),
        ("Windows-31J", "cp932", "明日の会議"),
        ("windows-874", "cp874", "พรุ่งนี้"),
        ("iso-8859-8-i", "iso8859_8", "שלום"),
        ("KS_C_5601-1987", "cp949", "내일"),
        ("gb_2312-80", "gb18030", "明天"),
        ("x-gbk", "gb18030", "明天"),
        ("x-mac-roman", "mac_roman", "è così"),
        ("cp-850", "cp850", "è così"),
        ("'iso-8859-15'", "iso8859_15", "5 €"),
        ("latin1", "cp1252", "5 €"),
        ("unicode-1-1-utf-7", "utf_7", "è così"),
    ],
)
def test_labels_that_mails_bear(label: str, codec: str, text: str) -> None:
    assert decode(text.encode(codec), label) == text


@pytest.mark.parametrize("label", ["", "utf-8", "x-unknown", "us-ascii", "binary", "base64", "undefined", "x" * 500])
def test_utf_8_is_read_whatever_else_is_said(label: str) -> None:
    assert decode("è così, 5 €".encode(), label) == "è così, 5 €"


@pytest.mark.parametrize("label", ["unicode", "utf-16", "utf-16le", "utf-32"])
@pytest.mark.parametrize("text", ["Alle dieci, ok?\n", "Perché così, già"])
def test_a_label_of_wide_characters_on_utf_8_is_wrong(label: str, text: str) -> None:
    assert decode(text.encode(), label) == text


@pytest.mark.parametrize("codec", ["utf_16", "utf_16_le", "utf_32"])
def test_wide_characters_are_read(codec: str) -> None:
    assert decode("Alle 10, 明日\n".encode(codec), codec) == "Alle 10, 明日\n"


@pytest.mark.parametrize("label", ["utf-7", "UNICODE-1-1-UTF-7"])
def test_half_a_surrogate_pair_is_no_character(label: str) -> None:
    """Python reads what UTF-7 writes, and no database takes it."""
    assert decode(b"Ciao +2AA-, a domani +2D3eAA-", label) == "Ciao \ufffd, a domani \N{GRINNING FACE}"


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp1252", "Perché non è così, costa 5 €"),
        ("cp1251", "Встреча завтра в десять часов"),
        ("cp932", "明日の会議は十時からです。よろしくお願いします。"),
        ("cp1253", "Καλημέρα σας, τα λέμε αύριο το πρωί"),
    ],
)
def test_what_is_in_no_charset_that_was_named_is_guessed(codec: str, text: str) -> None:
    assert decode_known(text.encode(codec), "") is None
    assert decode(text.encode(codec), "utf-8") == text


@pytest.mark.parametrize("octets", [b"\xe9\xa0", b"\xcf\xf0\xe8", bytes(range(128, 256)), b"\x81"])
def test_guessing_looks_at_a_sample_only(octets: bytes) -> None:
    before = time.process_time()
    assert len(decode(octets * (5_000_000 // len(octets)), "")) > 0
    assert time.process_time() - before < 1


@pytest.mark.parametrize("label", ["iso-8859-1", "windows-1252", "iso-8859-15", "us-ascii", "koi8-r"])
@pytest.mark.parametrize("text", ["Perché così, già", "50 €", "Ваш приём", "“Sì”"])
def test_a_label_of_single_octets_on_utf_8_is_wrong(label: str, text: str) -> None:
    assert decode(text.encode(), label) == text


@pytest.mark.parametrize("text", ["CAFÉ»", "perché", "à", "É…"])
def test_western_text_is_not_taken_for_utf_8(text: str) -> None:
    assert decode(text.encode("cp1252"), "iso-8859-1") == text


@pytest.mark.parametrize(
    "text", ["La visita è venerdì, perché il medico è in città", "Grüße aus München", "mañana", "Très tôt à Orléans"]
)
def test_text_of_dos_without_a_label_is_read(text: str) -> None:
    assert decode(text.encode("cp850"), "") == text


@pytest.mark.parametrize(
    "text", ["La visita è venerdì… perché", "“Sì” – 5 €", "Škoda", "Größe ‚A‘", "costa 5 € • città"]
)
def test_text_of_windows_without_a_label_is_not_taken_for_dos(text: str) -> None:
    assert decode(text.encode("cp1252"), "") == text
