"""Every fate of the simulated network ends in the state, and in the report, that the promises name."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.road.demo_process import DOMAIN, DemoProcess, eventually, status_blocks

FATES = [
    # fate, state, times the phone got it, what the report says: X-SMS-Status, Action, Status
    pytest.param("901", "failed", 0, ("failed", "failed", "5.1.1"), id="901-refused-at-submit"),
    pytest.param("902", "delivered", 1, ("delivered", "delivered", "2.1.5"), id="902-throttled-twice"),
    pytest.param("903", "undelivered", 0, ("undelivered", "failed", "5.4.1"), id="903-absent"),
    pytest.param("904", "expired", 0, ("expired", "failed", "5.4.7"), id="904-expired"),
    pytest.param("905", "delivered", 1, ("delivered", "delivered", "2.1.5"), id="905-broken-then-receipt"),
    pytest.param("906", "unknown", 1, ("unknown", "delayed", "4.4.7"), id="906-broken-for-ever"),
    pytest.param("907", "delivered", 1, ("delivered", "delivered", "2.1.5"), id="907-receipts-twice"),
    pytest.param("908", "delivered", 1, ("delivered", "delivered", "2.1.5"), id="908-receipt-first"),
    pytest.param("909", "delivered", 1, ("delivered", "delivered", "2.1.5"), id="909-slow-answer"),
    pytest.param("910", "delivered", 1, ("delivered", "delivered", "2.1.5"), id="910-unreachable-three-times"),
    pytest.param("000", "delivered", 1, ("delivered", "delivered", "2.1.5"), id="other"),
]


@pytest.fixture(scope="module")
def sent(demo: DemoProcess) -> dict[str, tuple[str, str]]:
    """One mail to each fate, all at once: number and Message-ID by fate."""
    found = {}
    for case in FATES:
        fate = str(case.values[0])
        number = f"+393481111{fate}"
        options = ["NOTIFY=SUCCESS,FAILURE,DELAY"]
        found[fate] = (number, demo.send(number, f"A text for fate {fate}.", rcpt_options=options))
    return found


@pytest.mark.parametrize(("fate", "state", "texts", "told"), FATES)
def test_fate(
    demo: DemoProcess,
    sent: dict[str, tuple[str, str]],
    fate: str,
    state: str,
    texts: int,
    told: tuple[str, str, str],
) -> None:
    number, mail = sent[fate]
    reports = eventually(lambda: demo.answers_to(mail), patience=60)
    _, about_phone = status_blocks(reports[0])
    assert (reports[0]["X-SMS-Status"], about_phone["Action"], about_phone["Status"]) == told
    assert about_phone["Final-Recipient"] == f"rfc822; {number}@{DOMAIN}"
    assert demo.states()[number] == state
    assert len(demo.phone(number)) == texts
    assert len(reports) == 1


def test_nothing_is_told_of_a_success_by_default(demo: DemoProcess, phone: Callable[..., str]) -> None:
    """Confirmations by default: failures only. A failure sent after it proves that nothing was on its way."""
    good, bad = phone(), phone("901")
    quiet = demo.send(good, "This one arrives.")
    eventually(lambda: demo.states().get(good) == "delivered")
    loud = demo.send(bad, "This one does not.")
    eventually(lambda: demo.answers_to(loud))
    assert demo.answers_to(quiet) == []


def test_one_mail_gets_one_report_for_all_its_phones(demo: DemoProcess, phone: Callable[..., str]) -> None:
    numbers = [phone("901"), phone("903"), phone(), phone("904")]
    mail = demo.send(numbers, "To four phones.")
    (report,) = eventually(lambda: demo.answers_to(mail))
    _, *phones = status_blocks(report)
    assert [block["Final-Recipient"] for block in phones] == [
        f"rfc822; {number}@{DOMAIN}" for number in numbers if not number.endswith("000")
    ]


def test_late_receipts_change_nothing_that_is_settled(demo: DemoProcess, sent: dict[str, tuple[str, str]]) -> None:
    number, mail = sent["907"]
    eventually(lambda: demo.states()[number] == "delivered")
    end = time.monotonic() + 3  # the late `sent` and the second `delivered` come after one second
    while time.monotonic() < end:
        assert demo.states()[number] == "delivered"
    assert len(demo.answers_to(mail)) == 1
