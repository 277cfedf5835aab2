"""The filed copy of a text: in the thread of its mail, safe whatever the mail said, and in the reader's language."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from bridge.notices import filed_copy
from bridge.types import Language, MessageState, SentText
from tests.clinic import CLINIC
from tests.notices.samples import SENT as WHEN

DOMAIN = "sms.example.test"
SENT = SentText(
    message_id="01m7zc4y5dha8n2zj3v9k0q6rt",
    number="+393331234567",
    sender="+390200000001",
    text="La visita è domani alle 10:30.",
    segments=1,
    state=MessageState.SENT,
    sent_at=WHEN,
    subject="Your visit",
    in_reply_to="<one@client.test>",
    references=("<zero@client.test>",),
    reference="case 7",
)


def test_it_stands_in_the_thread_from_the_mailbox_to_the_phone() -> None:
    mail = message_from_bytes(filed_copy(SENT, CLINIC, DOMAIN), policy=policy.default)
    assert mail["From"] == CLINIC.login
    assert mail["To"].addresses[0].addr_spec == f"{SENT.number}@{DOMAIN}"
    assert mail["To"].addresses[0].display_name == "+39 333 123 4567"
    assert mail["Subject"] == SENT.subject
    assert mail["Message-ID"] == f"<sent.{SENT.message_id}@{DOMAIN}>"
    assert (mail["In-Reply-To"], mail["References"]) == ("<one@client.test>", "<zero@client.test> <one@client.test>")
    assert (mail["X-SMS-Status"], mail["X-SMS-Reference"]) == ("sent", "case 7")
    assert mail.get_content().strip() == SENT.text


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        (Language.ENGLISH, "SMS to +39 333 123 4567"),
        (Language.ITALIAN, "SMS a +39 333 123 4567"),
        (Language.SPANISH, "SMS a +39 333 123 4567"),
        (Language.DUTCH, "Sms aan +39 333 123 4567"),
    ],
)
def test_without_a_subject_it_names_the_phone(language: Language, subject: str) -> None:
    raw = filed_copy(replace(SENT, subject=" \r\n"), replace(CLINIC, language=language), DOMAIN)
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == subject


def test_a_phone_with_a_name_is_shown_by_it() -> None:
    mail = message_from_bytes(filed_copy(replace(SENT, contact="Zoë Rossi"), CLINIC, DOMAIN), policy=policy.default)
    assert mail["To"].addresses[0].display_name == "Zoë Rossi (+39 333 123 4567)"
    assert mail["To"].addresses[0].addr_spec == f"{SENT.number}@{DOMAIN}"


@pytest.mark.parametrize("field", ["subject", "text", "reference", "in_reply_to", "contact"])
def test_nothing_in_the_mail_becomes_a_header(field: str) -> None:
    raw = filed_copy(replace(SENT, **{field: "x\r\nBcc: all@example.test\r\n\r\nx"}), CLINIC, DOMAIN)  # type: ignore[arg-type]
    assert message_from_bytes(raw, policy=policy.default)["Bcc"] is None
