"""A delivery report tells the person what happened and the mail client what became of each recipient."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from bridge import notices
from bridge.errors import STATUS, Reason
from bridge.types import Language, MessageState, Ret
from tests.notices import grammar
from tests.notices.samples import DOMAIN, HOSTNAME, SETTLED, a_report, line, parts, read, report, subject_of, words

S = MessageState


def test_a_report_is_a_multipart_report_with_three_parts() -> None:
    mail = report()
    assert mail.get_content_type() == "multipart/report"
    assert mail.get_param("report-type") == "delivery-status"
    assert [part.get_content_type() for part in parts(mail)] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]


def test_a_report_leaves_with_the_null_sender_in_the_thread_of_the_mail() -> None:
    made = notices.report(
        a_report(message_id="<third@example.test>", references=("<first@example.test>", "<second@example.test>")),
        HOSTNAME,
        DOMAIN,
    )
    mail = read(made)
    assert (made.id, made.envelope_from, made.envelope_to) == ("01notice", "", "clinic@example.test")
    assert mail["From"] == f"SMS delivered <postmaster@{DOMAIN}>"
    assert mail["To"] == "clinic@example.test"
    assert mail["Subject"] == "Re: Visit"
    assert mail["Message-ID"] == f"<01notice@{DOMAIN}>"
    assert mail["In-Reply-To"] == "<third@example.test>"
    assert mail["References"].split() == ["<first@example.test>", "<second@example.test>", "<third@example.test>"]
    assert mail["Date"] == "Thu, 12 Nov 2026 09:15:20 +0100"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"


def test_the_same_report_made_again_is_the_same_mail() -> None:
    assert notices.report(a_report(), HOSTNAME, DOMAIN) == notices.report(a_report(), HOSTNAME, DOMAIN)


@pytest.mark.parametrize(
    ("state", "reason", "shown", "action", "status"),
    [
        pytest.param(S.DELIVERED, None, "delivered", "delivered", "2.1.5", id="the phone has it"),
        pytest.param(S.SENT, None, "sent", "relayed", "2.0.0", id="no receipt will come"),
        pytest.param(S.UNKNOWN, Reason.NO_ANSWER, "unknown", "delayed", "4.4.7", id="nobody can say"),
        pytest.param(S.UNKNOWN, None, "unknown", "delayed", "4.4.7", id="nobody can say, no reason"),
        pytest.param(S.UNDELIVERED, Reason.ABSENT_SUBSCRIBER, "undelivered", "failed", "5.4.1", id="phone off"),
        pytest.param(S.UNDELIVERED, Reason.BARRED, "undelivered", "failed", "5.2.1", id="barred"),
        pytest.param(S.UNDELIVERED, None, "undelivered", "failed", "5.4.1", id="undelivered, no reason"),
        pytest.param(S.EXPIRED, Reason.VALIDITY_EXPIRED, "expired", "failed", "5.4.7", id="time ran out"),
        pytest.param(S.EXPIRED, None, "expired", "failed", "5.4.7", id="expired, no reason"),
        pytest.param(S.FAILED, Reason.UNKNOWN_SUBSCRIBER, "failed", "failed", "5.1.1", id="no such number"),
        pytest.param(S.FAILED, Reason.GAVE_UP, "failed", "failed", "5.4.7", id="network away for too long"),
        pytest.param(S.FAILED, None, "failed", "failed", "5.3.0", id="failed, no reason"),
        pytest.param(S.REFUSED, Reason.OPTED_OUT, "refused", "failed", "5.7.1", id="opted out"),
        pytest.param(S.CANCELLED, Reason.CANCELLED, "failed", "failed", "5.7.0", id="cancelled by a person"),
    ],
)
def test_every_outcome_has_its_status_action_and_code(
    state: MessageState, reason: Reason | None, shown: str, action: str, status: str
) -> None:
    made = notices.report(a_report(line(state, reason=reason)), HOSTNAME, DOMAIN)
    _, (recipient,) = grammar.delivery_status(made.raw)
    assert (recipient["action"], recipient["status"]) == (action, status)
    assert recipient["x-sms-status"] == shown
    assert read(made)["X-SMS-Status"] == shown


@pytest.mark.parametrize("reason", list(Reason))
def test_a_failure_carries_the_status_of_its_reason(reason: Reason) -> None:
    made = notices.report(a_report(line(S.FAILED, reason=reason)), HOSTNAME, DOMAIN)
    _, (recipient,) = grammar.delivery_status(made.raw)
    assert recipient["status"] == STATUS[reason]


@pytest.mark.parametrize("state", [S.HELD, S.QUEUED, S.SENDING])
def test_an_open_message_cannot_be_reported(state: MessageState) -> None:
    with pytest.raises(ValueError, match=state.value):
        notices.report(a_report(line(state)), HOSTNAME, DOMAIN)


def test_a_report_about_nobody_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no recipients"):
        notices.report(replace(a_report(), lines=()), HOSTNAME, DOMAIN)


# ------------------------------------------------------------------------------------- the machine-readable part


def test_envelope_id_and_original_recipient_come_back_as_they_were_given() -> None:
    asked = line(address="+39-333-1234567@SMS.Example.Test", orcpt="rfc822;Anna.Rossi@example.test")
    message, (recipient,) = grammar.delivery_status(
        notices.report(a_report(asked, envid="QQ314159"), HOSTNAME, DOMAIN).raw
    )
    assert message["original-envelope-id"] == "QQ314159"
    assert recipient["original-recipient"] == "rfc822; Anna.Rossi@example.test"
    assert recipient["final-recipient"] == "rfc822; +39-333-1234567@SMS.Example.Test"


def test_without_envid_and_orcpt_their_fields_are_absent() -> None:
    message, (recipient,) = grammar.delivery_status(notices.report(a_report(), HOSTNAME, DOMAIN).raw)
    assert "original-envelope-id" not in message
    assert "original-recipient" not in recipient


def test_a_translated_receipt_names_the_network_as_reporter_and_us_as_gateway() -> None:
    heard = line(gateway="acme", tried_at=SETTLED)
    message, (recipient,) = grammar.delivery_status(notices.report(a_report(heard), HOSTNAME, DOMAIN).raw)
    assert message["reporting-mta"] == "x-smsc; acme"
    assert message["dsn-gateway"] == f"dns; {HOSTNAME}"
    assert recipient["last-attempt-date"] == "Thu, 12 Nov 2026 09:15:20 +0100"
    assert "remote-mta" not in recipient


def test_a_receipt_without_a_time_leaves_the_last_attempt_out() -> None:
    heard = line(gateway="acme")
    _, (recipient,) = grammar.delivery_status(notices.report(a_report(heard), HOSTNAME, DOMAIN).raw)
    assert "last-attempt-date" not in recipient


def test_a_decision_of_the_bridge_is_reported_by_the_bridge() -> None:
    refused = line(S.REFUSED, reason=Reason.OPTED_OUT)
    message, (recipient,) = grammar.delivery_status(notices.report(a_report(refused), HOSTNAME, DOMAIN).raw)
    assert message["reporting-mta"] == f"dns; {HOSTNAME}"
    assert "dsn-gateway" not in message
    assert "remote-mta" not in recipient
    assert "last-attempt-date" not in recipient


def test_a_gateway_that_refused_is_named_beside_what_it_said() -> None:
    """RFC 3464 section 2.3.6: without Remote-MTA the Diagnostic-Code would be the bridge's own."""
    refused = line(S.FAILED, reason=Reason.SENDER_REFUSED, diagnostic="0x0A", remote="acme", tried_at=SETTLED)
    message, (recipient,) = grammar.delivery_status(notices.report(a_report(refused), HOSTNAME, DOMAIN).raw)
    assert message["reporting-mta"] == f"dns; {HOSTNAME}"
    assert "dsn-gateway" not in message
    assert recipient["remote-mta"] == "x-smsc; acme"
    assert recipient["diagnostic-code"] == "x-sms; 0x0A"
    assert recipient["last-attempt-date"] == "Thu, 12 Nov 2026 09:15:20 +0100"


@pytest.mark.parametrize(
    "gateways", [("acme", ""), ("acme", "other")], ids=["receipt and own decision", "receipts of two networks"]
)
def test_a_mixed_report_is_the_bridge_s_own_and_names_the_network_of_each_receipt(gateways: tuple[str, str]) -> None:
    first, second = gateways
    mixed = a_report(line(gateway=first), line(S.FAILED, "+393331234568", gateway=second))
    message, recipients = grammar.delivery_status(notices.report(mixed, HOSTNAME, DOMAIN).raw)
    assert message["reporting-mta"] == f"dns; {HOSTNAME}"
    assert "dsn-gateway" not in message
    assert [recipient.get("remote-mta") for recipient in recipients] == [
        f"x-smsc; {second}" if second else None,
        "x-smsc; acme",
    ]


def test_the_network_s_words_are_kept_as_diagnostic_code() -> None:
    heard = line(S.UNDELIVERED, gateway="acme", diagnostic="UNDELIV err:069\r\nX-Evil: 1 è")
    _, (recipient,) = grammar.delivery_status(notices.report(a_report(heard), HOSTNAME, DOMAIN).raw)
    assert recipient["diagnostic-code"] == "x-sms; UNDELIV err:069 X-Evil: 1 ?"


def test_an_address_beyond_ascii_is_written_in_its_seven_bit_form() -> None:
    made = notices.report(a_report(line(address="+39è@sms.example.test")), HOSTNAME, DOMAIN)
    _, (recipient,) = grammar.delivery_status(made.raw)
    assert recipient["final-recipient"] == r"utf-8; \x{2B}39\x{E8}@sms.example.test"


# ------------------------------------------------------------------------------------------- the mail given back


@pytest.mark.parametrize("ret", [None, Ret.HDRS, Ret.FULL])
def test_the_header_of_the_mail_comes_back(ret: Ret | None) -> None:
    returned = parts(report(line(S.FAILED), ret=ret))[2]
    assert "Subject: Visit" in words(returned)


def test_who_asked_for_the_whole_mail_is_told_that_only_its_header_is_kept() -> None:
    asked, delivered, not_asked = (
        words(parts(report(line(state), ret=ret))[0])
        for state, ret in ((S.FAILED, Ret.FULL), (S.DELIVERED, Ret.FULL), (S.FAILED, Ret.HDRS))
    )
    assert "You asked for the whole mail back." in asked
    assert "You asked" not in delivered  # RFC 3461 section 4.3: RET concerns failures only
    assert "You asked" not in not_asked


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"Subject: Visit\xe0\r\nFrom: a@example.test\r\n", id="bytes beyond ASCII"),
        pytest.param(b"Subject: " + b"x" * 2_000 + b"\r\n", id="a line of 2,000 octets"),
        pytest.param(b"Subject: a\r\n--=_01notice--\r\n", id="our own boundary"),
        pytest.param(b"Subject: a\rX: b\nY: c\0\r\n", id="bare CR, bare LF and NUL"),
        pytest.param(b"X: y\r\n" * 100_000, id="600 kB of header"),
        pytest.param(b"x" * 100_000, id="one endless line"),
    ],
)
def test_a_hostile_header_block_comes_back_harmless(headers: bytes) -> None:
    made = notices.report(a_report(headers=headers), HOSTNAME, DOMAIN)
    grammar.check_lines(made.raw)
    grammar.delivery_status(made.raw)
    assert len(parts(read(made))) == 3
    assert len(made.raw) < 120_000


def test_a_mail_whose_header_is_no_longer_kept_is_reported_without_it() -> None:
    assert len(parts(report(headers=b""))) == 2


# ------------------------------------------------------------------------------------------------ for the person


def test_one_recipient_reads_as_a_plain_letter() -> None:
    uncertain = line(S.UNKNOWN, reason=Reason.NO_ANSWER, diagnostic="ReadTimeout")
    assert words(parts(report(uncertain, reference="AB12"))[0]) == (
        "It is uncertain whether your text message reached +39 333 123 4567.\n"
        "\n"
        "The connection broke after the message was handed over, so nobody can say whether the phone got it. "
        "Please do not send it again before you have asked the recipient, or they may get it twice. "
        "If the outcome becomes known, you get another mail.\n"
        "\n"
        "Your mail: 12 November 2026, 09:14\n"
        "Outcome: 12 November 2026, 09:15\n"
        "Your reference: AB12\n"
        "For support: 01message567, ReadTimeout\n"
        "\n"
        "The text:\n"
        "\n"
        "Your visit is tomorrow at 9.\n"
    )


def test_many_recipients_are_grouped_by_what_became_of_them_the_worst_first() -> None:
    mail = report(
        line(S.DELIVERED, "+393331234561"),
        line(S.UNDELIVERED, "+393331234562", reason=Reason.ABSENT_SUBSCRIBER, diagnostic="err:027"),
        line(S.DELIVERED, "+393331234563"),
        line(S.REFUSED, "+393331234564", reason=Reason.OPTED_OUT),
    )
    assert words(parts(mail)[0]) == (
        "This is what became of your text message to 4 phones.\n"
        "\n"
        "Refused: 1\n"
        "  +39 333 123 4564\n"
        "The recipient has asked not to be texted any more. "
        "Please reach them in another way. Only they can lift the block, by texting START.\n"
        "\n"
        "Not delivered: 1\n"
        "  +39 333 123 4562\n"
        "The phone was switched off or out of reach. Please call, or send the message again later.\n"
        "\n"
        "Delivered: 2\n"
        "  +39 333 123 4561\n"
        "  +39 333 123 4563\n"
        "\n"
        "Your mail: 12 November 2026, 09:14\n"
        "For support: 01message562, err:027\n"
        "\n"
        "The text:\n"
        "\n"
        "Your visit is tomorrow at 9.\n"
    )


def test_headers_for_programs_repeat_for_each_recipient_the_worst_first() -> None:
    mail = report(
        line(S.DELIVERED, "+393331234561", segments=2), line(S.FAILED, "+393331234562", segments=2), reference="AB12"
    )
    assert mail.get_all("X-SMS-Number") == ["+393331234562", "+393331234561"]
    assert mail.get_all("X-SMS-Status") == ["failed", "delivered"]
    assert mail.get_all("X-SMS-Message-Id") == ["01message562", "01message561"]
    assert mail.get_all("X-SMS-Segments") == ["2", "2"]
    assert mail.get_all("X-SMS-Reference") == ["AB12"]
    assert mail["From"].startswith("SMS not delivered")


@pytest.mark.parametrize(
    ("whole", "own", "header", "blocks", "letter"),
    [
        pytest.param(None, (None, None), None, [None, None], [], id="none"),
        pytest.param("A", (None, None), "A", [None, None], ["A"], id="of the mail"),
        pytest.param(None, ("b", "b"), "b", ["b", "b"], ["b"], id="of all addresses, and the same"),
        pytest.param(
            None, ("b", "c"), None, ["b", "c"], ["b, Mario (+39 333 123 4561)", "c, +39 333 123 4562"], id="others"
        ),
        pytest.param(None, ("b", None), None, ["b", None], ["b, Mario (+39 333 123 4561)"], id="of one address"),
        pytest.param(
            "A", ("b", None), "A", ["b", None], ["A", "b, Mario (+39 333 123 4561)"], id="of the mail and one"
        ),
        pytest.param("A", ("A", "A"), "A", ["A", "A"], ["A"], id="the same everywhere"),
    ],
)
def test_the_sender_s_own_references_are_given_back(
    whole: str | None,
    own: tuple[str | None, str | None],
    header: str | None,
    blocks: list[str | None],
    letter: list[str],
) -> None:
    lines = [
        line(S.FAILED, "+393331234561", reference=own[0], contact="Mario"),
        line(S.FAILED, "+393331234562", reference=own[1]),
    ]
    made = notices.report(a_report(*lines, reference=whole), HOSTNAME, DOMAIN)
    assert read(made)["X-SMS-Reference"] == header
    _, recipients = grammar.delivery_status(made.raw)
    assert [recipient.get("x-sms-reference") for recipient in recipients] == blocks
    told = [text for text in words(parts(read(made))[0]).splitlines() if text.startswith("Your reference: ")]
    assert told == [f"Your reference: {each}" for each in letter]


def test_a_phone_with_a_name_is_told_by_it() -> None:
    letter = words(parts(report(line(contact="Mario Rossi")))[0])
    assert letter.startswith("Your text message to Mario Rossi (+39 333 123 4567) was delivered.\n")


def test_a_thousand_recipients_fit_into_one_report() -> None:
    lines = [line(S.DELIVERED, f"+39333123{number:04}") for number in range(1_000)]
    made = notices.report(a_report(*lines), HOSTNAME, DOMAIN)
    _, recipients = grammar.delivery_status(made.raw)
    assert len(recipients) == 1_000
    assert len(made.raw.partition(b"\r\n\r\n")[0]) < 60_000


@pytest.mark.parametrize(
    ("language", "sentence", "moment"),
    [
        (Language.ENGLISH, "Your text message to +39 333 123 4567 was delivered.", "12 November 2026, 09:14"),
        (Language.ITALIAN, "Il Suo SMS a +39 333 123 4567 è stato consegnato.", "12 novembre 2026, ore 09:14"),
        (Language.SPANISH, "Su SMS a +39 333 123 4567 se ha entregado.", "12 de noviembre de 2026, 09:14"),
        (Language.DUTCH, "Uw sms naar +39 333 123 4567 is bezorgd.", "12 november 2026, 09:14 uur"),
    ],
)
def test_the_letter_is_in_the_mailbox_s_language_and_time_zone(language: Language, sentence: str, moment: str) -> None:
    letter = words(parts(report(language=language))[0])
    assert letter.startswith(sentence + "\n")
    assert moment in letter


def test_a_message_without_a_number_is_named_by_its_address() -> None:
    unreadable = line(S.REFUSED, reason=Reason.MALFORMED_NUMBER, number="", address="12@sms.example.test")
    assert "to 12@sms.example.test was refused" in words(parts(report(unreadable))[0])


def test_a_refusal_shows_what_the_front_door_would_have_said() -> None:
    too_long = line(S.REFUSED, reason=Reason.TOO_MANY_SEGMENTS, detail="This text needs 9 segments, 6 are allowed.")
    mail = report(too_long)
    assert "01message567, This text needs 9 segments, 6 are allowed." in words(parts(mail)[0])


def test_an_endless_text_is_shown_in_part() -> None:
    letter = words(parts(report(line(S.REFUSED, text="a" * 1_000_000)))[0])
    assert letter.endswith("aaa …\n")
    assert len(letter) < 3_000


@pytest.mark.parametrize(
    ("subject", "answered"),
    [
        pytest.param("Visit", "Re: Visit", id="plain"),
        pytest.param("Re: Visit", "Re: Visit", id="already an answer"),
        pytest.param("R: RE: Rif: Visit", "Re: Visit", id="an Italian chain of answers"),
        pytest.param("Antw: Visit", "Re: Visit", id="a Dutch answer"),
        pytest.param("Research: results", "Re: Research: results", id="a word that begins with Re"),
        pytest.param("Visita è domani 🎉", "Re: Visita è domani 🎉", id="accents and emoji"),
        pytest.param("=?utf-8?q?x?=", "Re: =?utf-8?q?x?=", id="text that looks like an encoded word"),
        pytest.param("a\r\nBcc: x@example.test", "Re: a Bcc: x@example.test", id="a line break"),
        pytest.param("\u202eevil", "Re: evil", id="reversed writing"),
        pytest.param("\ud800", "Re: \ufffd", id="half a character"),
        pytest.param("", "Your text message", id="empty"),
        pytest.param("Re: ", "Your text message", id="nothing but the mark"),
        pytest.param("x" * 900, "Re: " + "x" * 496, id="endless"),
    ],
)
def test_the_subject_keeps_the_thread(subject: str, answered: str) -> None:
    made = notices.report(a_report(subject=subject), HOSTNAME, DOMAIN)
    grammar.header_fields(made.raw)
    grammar.check_lines(made.raw)
    assert subject_of(read(made)) == answered


@pytest.mark.parametrize(
    ("message_id", "references", "in_reply_to", "chain"),
    [
        pytest.param("", (), None, [], id="a mail without Message-ID"),
        pytest.param("<a@x>\r\nBcc: y", ("<b@x>",), None, ["<b@x>"], id="a line break in the Message-ID"),
        pytest.param("<a@x>", ("<a@x>", "<a@x>"), "<a@x>", ["<a@x>"], id="the same id again and again"),
        pytest.param("no brackets", ("<è@x>", "<b c@x>"), None, [], id="nothing usable"),
        pytest.param(
            "<last@x>",
            tuple(f"<{number}@x>" for number in range(30)),
            "<last@x>",
            ["<0@x>", *(f"<{number}@x>" for number in range(21, 30)), "<last@x>"],
            id="a thread of thirty: the first and the last ten",
        ),
    ],
)
def test_the_thread_is_kept_whatever_the_mail_said(
    message_id: str, references: tuple[str, ...], in_reply_to: str | None, chain: list[str]
) -> None:
    made = notices.report(a_report(message_id=message_id, references=references), HOSTNAME, DOMAIN)
    grammar.header_fields(made.raw)
    mail = read(made)
    assert mail["In-Reply-To"] == in_reply_to
    assert (mail["References"] or "").split() == chain


def test_dates_are_those_of_the_mailbox_s_time_zone() -> None:
    summer = datetime.fromisoformat("2026-07-01T22:30:00+00:00")
    mail = report(received_at=summer)
    assert "Your mail: 2 July 2026, 00:30\n" in words(parts(mail)[0])
