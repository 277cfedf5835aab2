"""When is something wrong? Facts in, conditions out: the table that decides whether an operator is woken."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.conditions import Condition, Facts, Kind, Limits, Unfiled, judge
from bridge.notices import alert
from bridge.streaks import RELAY, Streak, gateway, mailbox, poll
from bridge.types import Money

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LIMITS = Limits(
    nothing_sent_for=600,
    queue_older_than=3600,
    refusing_for=300,
    disk_free_below=500,
    balance_below={"main": Decimal("50")},
)
QUIET = Facts(at=NOON, began=NOON, database=True, disk_free=1000, last_sent=NOON)

DATABASE, DISK, RELAYS, QUEUE, SILENCE = (
    Condition(kind) for kind in (Kind.DATABASE, Kind.DISK, Kind.RELAY, Kind.QUEUE, Kind.SILENCE)
)
MAIN = Condition(Kind.GATEWAY, "main")
ANSWERS = Condition(Kind.ANSWERS, "main")
WATCHED = Condition(Kind.MAILBOX, "sms@clinic.example")
DRY = Condition(Kind.BALANCE, "main")
ANNA = Condition(Kind.CONSENT, "anna@clinic.example")
CLINIC = Condition(Kind.FILING, "clinic@example.test")


def ago(minutes: float) -> datetime:
    return NOON - timedelta(minutes=minutes)


def unfiled(since: float, tries: int = 0) -> dict[str, Unfiled]:
    """What the clinic's folders wait for."""
    return {CLINIC.part: Unfiled(7, ago(since), tries)}


def left(amount: str, name: str = "main") -> dict[str, Money]:
    """What the provider says of the account."""
    return {name: Money(Decimal(amount), "EUR")}


def failing(times: int, since: float, last: float = 0) -> Streak:
    """A part whose last tries all failed, from `since` to `last` minutes ago."""
    return Streak(times, ago(since), ago(last))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({}, set(), id="nothing-to-do"),
        pytest.param({"disk_free": 499}, {DISK}, id="disk-nearly-full"),
        pytest.param({"disk_free": 500}, set(), id="disk-at-its-limit"),
        pytest.param({"database": False}, {DATABASE}, id="database-away"),
        pytest.param({"waiting_since": ago(59)}, set(), id="waits-but-others-are-sent"),
        pytest.param({"waiting_since": ago(61)}, {QUEUE}, id="waits-too-long"),
        pytest.param({"last_sent": ago(90)}, set(), id="nothing-sent-since-nothing-waits"),
        pytest.param({"last_sent": ago(90), "waiting_since": ago(9)}, set(), id="work-came-just-now"),
        pytest.param({"last_sent": ago(11), "waiting_since": ago(11)}, {SILENCE}, id="nothing-sent-although-work"),
        pytest.param({"streaks": {gateway("main"): failing(3, 6)}}, {MAIN}, id="gateway-refuses"),
        pytest.param({"streaks": {gateway("main"): failing(2, 6)}}, set(), id="two-failures-are-bad-luck"),
        pytest.param({"streaks": {gateway("main"): failing(99, 4)}}, set(), id="gateway-refuses-not-for-long"),
        pytest.param({"streaks": {gateway("main"): failing(9, 90, 21)}}, set(), id="not-tried-any-more"),
        pytest.param({"streaks": {gateway("main"): Streak(last_success=NOON)}}, set(), id="gateway-works"),
        pytest.param({"streaks": {poll("main"): failing(3, 6)}}, {ANSWERS}, id="answers-are-not-fetched"),
        pytest.param(
            {"last_sent": ago(11), "waiting_since": ago(11), "streaks": {poll("main"): failing(3, 6)}},
            {ANSWERS, SILENCE},
            id="answers-say-nothing-of-sending",
        ),
        pytest.param(
            {"streaks": {mailbox(WATCHED.part): failing(3, 6)}}, {WATCHED}, id="mailbox-cannot-be-looked-into"
        ),
        pytest.param({"streaks": {RELAY: failing(3, 6)}}, {RELAYS}, id="mail-server-refuses"),
        pytest.param({"balances": left("49.99")}, {DRY}, id="account-runs-dry"),
        pytest.param({"balances": left("-3")}, {DRY}, id="account-overdrawn"),
        pytest.param({"balances": left("50.00")}, set(), id="account-at-its-limit"),
        pytest.param({"balances": left("1", "second")}, set(), id="account-without-a-limit"),
        pytest.param({"consents": {ANNA.part: "it is over"}}, {ANNA}, id="consent-is-over"),
        pytest.param({"consents": {ANNA.part: ""}}, set(), id="consent-is-good"),
        pytest.param({"consents": {ANNA.part: None}}, set(), id="nobody-has-tried-the-consent"),
        pytest.param({"filings": unfiled(6, tries=3)}, {CLINIC}, id="imap-server-refuses"),
        pytest.param({"filings": unfiled(4, tries=9)}, set(), id="imap-server-refuses-not-for-long"),
        pytest.param({"filings": unfiled(6, tries=2)}, set(), id="two-refusals-are-bad-luck-too"),
        pytest.param({"filings": unfiled(59)}, set(), id="filings-wait-for-their-turn"),
        pytest.param({"filings": unfiled(61)}, {CLINIC}, id="filings-wait-too-long"),
        pytest.param(
            {"last_sent": ago(99), "waiting_since": ago(99), "streaks": {gateway("main"): failing(9, 99)}},
            {QUEUE, MAIN},
            id="the-cause-stands-for-its-consequence",
        ),
    ],
)
def test_what_is_wrong(facts: dict[str, Any], expected: set[Condition]) -> None:
    assert judge(replace(QUIET, **facts), LIMITS) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"disk_free": 620}, {DISK}, id="disk-just-above-its-limit"),
        pytest.param({"disk_free": 630}, set(), id="disk-has-room"),
        pytest.param({"waiting_since": ago(50)}, {QUEUE}, id="queue-just-below-its-limit"),
        pytest.param({"waiting_since": ago(45)}, set(), id="queue-is-short"),
        pytest.param({"filings": unfiled(50)}, {CLINIC}, id="filings-just-below-their-limit"),
        pytest.param({"filings": unfiled(45)}, set(), id="filings-flow"),
        pytest.param({"filings": {}}, set(), id="all-is-filed"),
        pytest.param({"balances": left("62.49")}, {DRY}, id="account-just-above-its-limit"),
        pytest.param({"balances": left("62.50")}, set(), id="account-topped-up"),
        pytest.param({"balances": {}}, {DRY}, id="not-asked-since-the-restart"),
        pytest.param({"consents": {ANNA.part: None}}, {ANNA}, id="consent-not-tried-since-the-restart"),
        pytest.param({"consents": {ANNA.part: ""}}, set(), id="somebody-has-consented"),
        pytest.param({"consents": {}}, set(), id="the-account-is-not-in-the-settings-any-more"),
        pytest.param({"database": False}, {DATABASE, QUEUE, CLINIC}, id="nobody-knows-the-queue"),
    ],
)
def test_what_is_over_is_over_by_a_margin(facts: dict[str, Any], expected: set[Condition]) -> None:
    about = {"disk_free": {DISK}, "waiting_since": {QUEUE}, "filings": {CLINIC}, "balances": {DRY}}
    about |= {"database": {QUEUE, CLINIC}, "consents": {ANNA}}
    holding = about[next(iter(facts))]
    assert judge(replace(QUIET, **facts), LIMITS, holding) == expected


@pytest.mark.parametrize(
    ("streak", "began", "holds"),
    [
        pytest.param(None, ago(1), True, id="not-tried-since-the-restart"),
        pytest.param(failing(1, 1), ago(1), True, id="failed-since-the-restart"),
        pytest.param(Streak(last_success=ago(1)), ago(1), False, id="took-a-message"),
        pytest.param(None, ago(21), False, id="nobody-knows-for-long"),
    ],
)
def test_a_gateway_that_refused_does_so_until_it_takes_something(
    streak: Streak | None, began: datetime, holds: bool
) -> None:
    streaks = {gateway("main"): streak} if streak is not None else {}
    found = judge(replace(QUIET, began=began, streaks=streaks), LIMITS, {MAIN})
    assert found == ({MAIN} if holds else set())


@pytest.mark.parametrize(
    "condition",
    [DATABASE, DISK, MAIN, ANSWERS, WATCHED, DRY, ANNA, RELAYS, CLINIC, QUEUE, SILENCE],
    ids=lambda each: each.kind.value,
)
def test_the_operator_can_read_what_is_wrong_and_what_to_do(condition: Condition) -> None:
    facts = replace(QUIET, waiting_since=ago(61), waiting=12, filings=unfiled(90))
    parts = {"to": "it@clinic.example", "domain": "sms.clinic.example", "hostname": "mail.clinic.example"}
    first = alert.begins(condition, facts, ago(5), **parts)
    last = alert.ends(condition, facts, ago(5), **parts)
    for mail in (first, last):
        assert mail.envelope_from == ""  # a bounce of it goes nowhere
        assert b"\r\nAuto-Submitted: auto-generated\r\n" in mail.raw
        assert b"{" not in mail.raw
    assert f"\r\nIn-Reply-To: <{first.id}@sms.clinic.example>\r\n".encode() in last.raw
    assert alert.begins(condition, facts, ago(5), **parts) == first  # a second try is the same mail


def test_the_alert_names_what_is_left() -> None:
    assert alert.sentence(DRY, replace(QUIET, balances=left("9.50"))).startswith(
        "Left on the account of gateway main: 9.50 EUR."
    )
    assert "Left on the account of gateway main: not known yet." in alert.sentence(DRY, QUIET)


def test_the_alert_says_why_somebody_must_consent() -> None:
    assert alert.sentence(ANNA, replace(QUIET, consents={ANNA.part: "the consent is over"})).startswith(
        "The bridge cannot log in as anna@clinic.example any more: the consent is over."
    )


def test_the_alert_names_the_mailbox_and_what_waits_for_it() -> None:
    facts = replace(QUIET, filings=unfiled(90))
    assert alert.sentence(CLINIC, facts).startswith(
        "Mails to be filed for clinic@example.test: 7. The oldest has waited since 21 November 2026, 10:30 UTC."
    )
