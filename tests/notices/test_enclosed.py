"""The mail with an MMS: its files attached under names of our own, and what is not attached said in a sentence."""

from __future__ import annotations

from email.message import Message
from typing import Any

import pytest

from bridge import notices
from bridge.gateways.media_kinds import file_of
from bridge.notices.wording import WORDINGS
from bridge.types import Enclosed, Language, MediaFile, MediaKind
from tests.notices import grammar
from tests.notices.samples import DOMAIN, KEY, REPLY, a_reply, parts, read, read_below, words

JPEG, VCARD = b"\xff\xd8\xff\xe0 a picture", b"BEGIN:VCARD\r\nFN:Dr. Rossi\r\nEND:VCARD\r\n"


def of(*octets: bytes, **more: Any) -> Enclosed:
    """What came with an SMS."""
    files = [file_of(each) for each in octets]
    return Enclosed(tuple(file for file in files if file is not None), **more)


def mail_with(enclosed: Enclosed, **changes: Any) -> Message:
    made = notices.reply(a_reply(enclosed=enclosed, **changes), DOMAIN, KEY)
    grammar.check_lines(made.raw)
    return read(made)


def shown(mail: Message) -> str:
    """The plain text, whether files are attached or not."""
    alternative = parts(mail)[0] if mail.get_content_type() == "multipart/mixed" else mail
    assert alternative.get_content_type() == "multipart/alternative"
    return read_below(words(parts(alternative)[0]))[0]


@pytest.mark.parametrize(
    ("language", "names"),
    [
        (Language.ENGLISH, ["picture-1.jpg", "contact-2.vcf", "sound-3.amr", "video-4.mp4"]),
        (Language.ITALIAN, ["immagine-1.jpg", "contatto-2.vcf", "audio-3.amr", "video-4.mp4"]),
        (Language.SPANISH, ["imagen-1.jpg", "contacto-2.vcf", "audio-3.amr", "video-4.mp4"]),
        (Language.DUTCH, ["afbeelding-1.jpg", "contactpersoon-2.vcf", "geluid-3.amr", "video-4.mp4"]),
    ],
)
def test_files_are_attached_behind_the_words(language: Language, names: list[str]) -> None:
    contents = [JPEG, VCARD, b"#!AMR\n...", b"\0\0\0\x18ftypisom..."]
    mail = mail_with(of(*contents), text="Ecco", language=language)
    assert mail.get_content_type() == "multipart/mixed"
    assert shown(mail) == "Ecco"
    attached = parts(mail)[1:]
    assert [part.get_filename() for part in attached] == names
    assert [part.get_content_disposition() for part in attached] == ["attachment"] * 4
    assert [part.get_payload(decode=True) for part in attached] == contents
    assert [part.get_content_type() for part in attached] == ["image/jpeg", "text/vcard", "audio/amr", "video/mp4"]
    assert not any(part.defects for part in mail.walk())


def test_every_kind_has_a_name_and_a_suffix() -> None:
    names = {f"{kind.what}.{kind.suffix}" for kind in MediaKind}
    assert len(names) == len(MediaKind)
    assert all(name.isascii() and name.replace(".", "").isalnum() for name in names)
    for wording in WORDINGS.values():
        assert all(wording.say(f"file.{kind.what}").isascii() for kind in MediaKind)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    "enclosed", [of(JPEG), of(missing=1), of(left_out=("application/pdf",))], ids=["picture", "missing", "left out"]
)
def test_a_picture_without_words_is_no_empty_message(enclosed: Enclosed, language: Language) -> None:
    wording = WORDINGS[language]
    text = shown(mail_with(enclosed, text="", language=language))
    assert text.startswith(wording.say("reply.wordless"))
    assert wording.say("reply.empty") not in text


@pytest.mark.parametrize("language", list(Language))
def test_what_is_not_attached_is_told(language: Language) -> None:
    wording = WORDINGS[language]
    kinds = ("application/pdf", "", "application/pdf")
    mail = mail_with(of(JPEG, missing=2, left_out=kinds), text="Ecco", language=language)
    named = f"application/pdf, {wording.say('file.unknown')}"
    assert shown(mail) == "\n\n".join(
        (
            "Ecco",
            "* * *",
            wording.say("reply.missing", count=2),
            wording.say("reply.left_out", count=3, kinds=named),
        )
    )
    assert mail["X-SMS-Missing-Files"] == "5"


def test_a_mail_without_files_is_what_it_was() -> None:
    mail = mail_with(Enclosed())
    assert (mail.get_content_type(), mail["X-SMS-Missing-Files"]) == ("multipart/alternative", None)


@pytest.mark.parametrize(
    "enclosed",
    [of(JPEG), of(JPEG, VCARD, missing=3), of(JPEG, left_out=("text/html",)), of(missing=1), of()],
    ids=["a picture", "more", "one left out", "one missing", "nothing"],
)
@pytest.mark.parametrize("text", ["Ecco", "", f"--=_files-{REPLY}\r\nX-SMS-Missing-Files: 9\r\n"], ids=str)
def test_the_files_of_a_mail_can_go_with_another(enclosed: Enclosed, text: str) -> None:
    """As when it comes back and the answer goes to the fallback mailbox."""
    made = notices.reply(a_reply(enclosed=enclosed, text=text), DOMAIN, KEY)
    found = notices.files_of(b"DKIM-Signature: v=1\r\n" + made.raw, REPLY)
    assert found == Enclosed(enclosed.files, missing=enclosed.missing + len(enclosed.left_out))


def test_ten_megabytes_are_ten_megabytes_of_mail() -> None:
    """Composing copies, and encodes nothing anew."""
    lines = b"A" * 76 + b"\r\n"
    file = MediaFile(MediaKind.JPEG, lines * 128_000)
    made = notices.reply(a_reply(enclosed=Enclosed((file,))), DOMAIN, KEY)
    assert len(made.raw) - len(file.base64) < 5_000
