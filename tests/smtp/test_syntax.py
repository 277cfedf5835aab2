"""The grammar of MAIL and RCPT, as a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.smtp_parameters import MailCommand, parse_mail, parse_rcpt
from bridge.smtp_syntax import BadCommand, decode_xtext
from bridge.types import Notify, Options, Priority, Recipient, Ret

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
HALF_PAST = NOW + timedelta(seconds=0.5)
MINUTE = NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("argument", "command"),
    [
        ("FROM:<a@b.example>", MailCommand("a@b.example")),
        ("FROM:<>", MailCommand("")),
        ("from: <A.b+c@B.Example>", MailCommand("A.b+c@B.Example")),
        ('FROM:<"a b\\"@> c"@b.example>', MailCommand('"a b\\"@> c"@b.example')),
        ("FROM:<a@[192.0.2.1]>", MailCommand("a@[192.0.2.1]")),
        ("FROM:<a@[IPv6:2001:db8::1]>", MailCommand("a@[IPv6:2001:db8::1]")),
        ("FROM:<a@b.example>  SIZE=12", MailCommand("a@b.example", size=12)),
        ("FROM:<é@b.example> SMTPUTF8", MailCommand("é@b.example", smtputf8=True)),
        ("FROM:<> RET=full ENVID=aB+20c", MailCommand("", ret=Ret.FULL, envid="aB c")),
        ("FROM:<> HOLDFOR=60", MailCommand("", options=Options(send_at=MINUTE, release="for;60"))),
        (
            "FROM:<> HOLDUNTIL=2026-03-01t10:00:00.5+01:00",
            MailCommand("", options=Options(send_at=HALF_PAST, release="until;2026-03-01T10:00:00.5+01:00")),
        ),
        ("FROM:<> BY=60;r", MailCommand("", options=Options(expires_at=MINUTE, deliver_by=MINUTE))),
        ("FROM:<> BY=+60;RT", MailCommand("", options=Options(expires_at=MINUTE, deliver_by=MINUTE, trace=True))),
        ("FROM:<> BY=60;N", MailCommand("", options=Options(late_at=MINUTE, deliver_by=MINUTE))),
        ("FROM:<> BY=-60;nt", MailCommand("", options=Options(deliver_by=NOW - timedelta(seconds=60), trace=True))),
        ("FROM:<> BY=0;N", MailCommand("", options=Options(deliver_by=NOW))),
        ("FROM:<> MT-PRIORITY=1", MailCommand("", priority=1, options=Options(priority=Priority.HIGH))),
        ("FROM:<> MT-PRIORITY=-9", MailCommand("", priority=-9, options=Options(priority=Priority.NORMAL))),
    ],
)
def test_mail_that_is_understood(argument: str, command: MailCommand) -> None:
    assert parse_mail(argument, NOW) == command


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("", "501 5.5.4"),
        ("TO:<a@b.example>", "501 5.5.4"),
        ("FROM a@b.example", "501 5.5.4"),
        ("FROM:<a@b.example", "501 5.5.4"),
        ("FROM:<a@b.example>SIZE=1", "501 5.5.4"),
        ("FROM:<a@b.example> SIZE=" + "9" * 21, "501 5.5.4"),
        ("FROM:<a@b.example> SIZE=٣", "501 5.5.4"),
        ("FROM:<a@b.example> ENVID=" + "x" * 101, "501 5.5.4"),
        ("FROM:<a@b.example> ENVID", "501 5.5.4"),
        ("FROM:<a@b.example> ENVID=+2b", "501 5.5.4"),
        ("FROM:<a@b.example> ENVID=+E9", "501 5.5.4"),
        ("FROM:<.a@b.example>", "501 5.1.7"),
        ("FROM:<a..b@b.example>", "501 5.1.7"),
        ("FROM:<a@-b.example>", "501 5.1.7"),
        ("FROM:<a@b_c.example>", "501 5.1.7"),
        ("FROM:<a@b.example.>", "501 5.1.7"),
        ("FROM:<a@[1.2.3]>", "501 5.1.7"),
        ("FROM:<a@[IPv6:x]>", "501 5.1.7"),
        (f"FROM:<{'a' * 65}@b.example>", "501 5.1.7"),
        (f"FROM:<a@{'.'.join(['b' * 63] * 4)}>", "501 5.1.7"),
    ],
)
def test_mail_that_is_not_understood(argument: str, reply: str) -> None:
    with pytest.raises(BadCommand) as refused:
        parse_mail(argument, NOW)
    assert refused.value.reply.startswith(reply + " ")


def test_rcpt_keeps_what_a_report_gives_back() -> None:
    argument = "TO:<+393331234567@SMS.example> NOTIFY=Delay,FAILURE ORCPT=Rfc822;+2B39@Example"
    assert parse_rcpt(argument) == Recipient(
        "+393331234567@SMS.example", frozenset({Notify.DELAY, Notify.FAILURE}), "Rfc822;+39@Example"
    )


def _reply(parse: Callable[[str], object], argument: str) -> str:
    try:
        parse(argument)
    except BadCommand as bad:
        return bad.reply
    return ""


@given(st.text(max_size=300))
def test_any_text_is_a_command_or_a_reply_that_does_not_repeat_it(text: str) -> None:
    for parse, keyword in ((partial(parse_mail, now=NOW), "FROM:"), (parse_rcpt, "TO:")):
        for argument in (text, keyword + text, f"{keyword}<{text}>", f"{keyword}<a@b.example> {text}"):
            reply = _reply(parse, argument)
            assert reply == "" or re.match(r"5\d\d 5\.\d\.\d [ -~]+\Z", reply)
            assert len(text) < 12 or text not in reply


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_xtext_comes_back_as_it_was(text: str) -> None:
    encoded = "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in text)
    assert decode_xtext(encoded) == text


def test_hostile_paths_are_refused_in_linear_time() -> None:
    for path in ("a" * 12_000, "a." * 6_000, '"' + "\\a" * 6_000, "a@" + "a-" * 6_000, "(" * 12_000):
        with pytest.raises(BadCommand):
            parse_rcpt(f"TO:<{path}>")
