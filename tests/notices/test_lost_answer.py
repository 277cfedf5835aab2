"""The operator is told of an answer that did not arrive: for whom, why, and what was done, without its words."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.notices import alert
from bridge.notices.alert import LostAnswer
from tests.notices import grammar
from tests.notices.samples import DOMAIN, HOSTNAME, REPLY, SETTLED, read, words


def told(**changes: Any) -> str:
    """The words of the mail, on one line."""
    values: dict[str, Any] = {
        "mail_id": REPLY,
        "mailbox": "clinic@example.test",
        "address": "dr.rossi@example.test",
        "codes": "5.1.1",
        "at": SETTLED,
    }
    mail = alert.undelivered(LostAnswer(**(values | changes)), to="op@example.test", domain=DOMAIN, hostname=HOSTNAME)
    grammar.check_lines(mail.raw)
    assert (mail.envelope_from, mail.envelope_to) == ("", "op@example.test")
    return " ".join(words(read(mail)).split())


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        ("5.1.1", "the mail server does not know this address (5.1.1)"),
        ("550 5.1.10", "the mail server does not know this address (550 5.1.10)"),
        ("5.2.1", "the mailbox is closed or takes no mail (5.2.1)"),
        ("4.2.2", "the mailbox is full (4.2.2)"),
        ("5.2.3", "the mail is too large for the mailbox (5.2.3)"),
        ("4.3.1", "the mail server has a fault or no room (4.3.1)"),
        ("4.4.7", "the mail server was not reached in time (4.4.7)"),
        ("5.6.0", "the mail server does not accept what is in the mail (5.6.0)"),
        ("5.7.26", "the mail server does not allow the mail (5.7.26)"),
        ("5.5.0", "the mail server gave the code 5.5.0"),
        ("550", "the mail server gave the code 550"),
        ("", "no reason was given that a program can read"),
    ],
)
def test_the_code_of_the_mail_server_is_put_into_words(codes: str, reason: str) -> None:
    assert told(codes=codes).startswith(
        "The mail with a phone's answer for dr.rossi@example.test (mailbox clinic@example.test) could not be "
        f"delivered: {reason}. Noticed on 12 November 2026, 08:15 UTC by {HOSTNAME}. "
        f"In the log of the bridge the mail is {REPLY}. "
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param(
            {"sent_to": "desk@example.test"}, "sent to the fallback mailbox desk@example.test", id="passed on"
        ),
        pytest.param({}, "Nobody has read it yet", id="kept"),
        pytest.param({"second": True}, "It is not sent anywhere else", id="the second time"),
    ],
)
def test_what_was_done_is_said(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in told(**changes)


def test_an_alert_is_no_mail_that_is_answered_or_texted() -> None:
    mail = read(
        alert.undelivered(
            LostAnswer(REPLY, "a@example.test", "a@example.test", "", SETTLED),
            to="op@example.test",
            domain=DOMAIN,
            hostname=HOSTNAME,
        )
    )
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<alert.{REPLY}@{DOMAIN}>"
