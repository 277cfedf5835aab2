"""`bridge messages`, `trace`, `cancel`, `retry`: the operator at 3 am asks what became of a text, and decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import Done, run
from tests.road.demo_process import DESK, DESK_PASSWORD, LOGIN, SENDER, DemoProcess, eventually

KEYS = {"id", "number", "state", "mailbox", "sender", "created_at", "price", "price_unit"}


@pytest.fixture
def bridge(demo: DemoProcess) -> Any:
    """A command on the running demo."""

    def command(*arguments: str) -> Done:
        return run(*arguments, environ={"BRIDGE_DATA_DIR": str(demo.data_dir)})

    return command


def listed(bridge: Any, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bridge("messages", "--json", *options).document
    return found


def in_state(bridge: Any, number: str, state: str) -> dict[str, Any]:
    """The one message to a phone, as soon as it is in `state`."""

    def look() -> dict[str, Any] | None:
        return next(iter(listed(bridge, "--number", number, "--state", state)), None)

    return eventually(look)


def test_a_text_is_found_by_phone_state_and_mailbox(bridge: Any, demo: DemoProcess) -> None:
    number = "+393330000601"
    demo.send(number, "From the clinic")
    demo.send(number, "From the desk", login=DESK, password=DESK_PASSWORD)
    eventually(lambda: len(listed(bridge, "--number", number, "--state", "delivered")) == 2)
    newest, oldest = listed(bridge, "--number", number)
    assert set(newest) >= KEYS
    assert (newest["mailbox"], oldest["mailbox"]) == (DESK, LOGIN)
    assert datetime.fromisoformat(newest["created_at"]) >= datetime.fromisoformat(oldest["created_at"])
    assert listed(bridge, "--number", number, "--mailbox", DESK) == [newest]
    assert listed(bridge, "--number", "+39 333 000 0601", "--limit", "1") == [newest]
    assert listed(bridge, "--number", number, "--state", "failed") == []


def test_for_people_a_message_is_a_line(bridge: Any, demo: DemoProcess) -> None:
    number = "+393330000602"
    assert bridge("messages", "--number", number).out == "No message fits.\n"
    demo.send(number, "Hello")
    found = in_state(bridge, number, "delivered")
    done = bridge("messages", "--number", number)
    assert done.out.startswith(found["id"])
    assert "  +39 333 000 0602  delivered  clinic@example.test\n" in done.out


def test_a_trace_tells_the_whole_road(bridge: Any, demo: DemoProcess) -> None:
    number = "+393330000603"
    demo.send(number, "Follow me")
    found = in_state(bridge, number, "delivered")
    traced = bridge("trace", found["id"], "--json").document
    assert set(traced) >= KEYS | {"text", "steps"}
    assert (traced["id"], traced["text"], traced["state"]) == (found["id"], "Follow me", "delivered")
    moments = [datetime.fromisoformat(step["at"]) for step in traced["steps"]]
    assert moments == sorted(moments)
    assert all(moment.tzinfo is not None for moment in moments)
    for_people = bridge("trace", found["id"]).out
    assert for_people.startswith(f"{found['id']}  +39 333 000 0603  delivered  from {SENDER} by {LOGIN}\n")
    assert for_people.count("\n") == 1 + len(traced["steps"])


def test_a_mail_is_traced_by_the_id_that_its_sender_was_told(bridge: Any, demo: DemoProcess) -> None:
    """The reply to DATA names it: `250 2.0.0 Taken as …`."""
    numbers = ["+393330000604", "+393330000605"]
    with demo.smtp() as client:
        client.mail(LOGIN)
        for number in numbers:
            client.rcpt(f"{number}@sms.example.test")
        _, answer = client.data(b"From: clinic@example.test\r\nSubject: Two\r\n\r\nTo both of you\r\n")
    submission = answer.decode().split()[-1]
    traced = bridge("trace", submission, "--json").document
    assert sorted(one["number"] for one in traced) == numbers


def test_a_scheduled_text_can_be_cancelled_and_its_sender_is_told(bridge: Any, demo: DemoProcess) -> None:
    number = "+393330000606"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    message_id = demo.send(number, "Not today", headers={"X-SMS-Send-At": tomorrow})
    waiting = in_state(bridge, number, "queued")
    assert bridge("cancel", waiting["id"]).out == f"{waiting['id']} is cancelled.\n"
    in_state(bridge, number, "cancelled")
    report = eventually(lambda: demo.answers_to(message_id))[0]
    assert report.get_content_type() == "multipart/report"
    assert report["X-SMS-Message-Id"] == waiting["id"]
    again = bridge("cancel", waiting["id"])
    assert again.code == 1
    assert waiting["id"] in again.sentence
    assert demo.phone(number) == []


def test_a_text_that_has_left_cannot_be_cancelled_nor_sent_again(bridge: Any, demo: DemoProcess) -> None:
    number = "+393330000607"
    demo.send(number, "Gone")
    found = in_state(bridge, number, "delivered")["id"]
    cancelled, retried = bridge("cancel", found), bridge("retry", found)
    assert (cancelled.code, retried.code) == (1, 1)
    assert cancelled.sentence == (
        f"{found} cannot be cancelled: it is delivered. Only a message that has not left yet can. "
        f"See `bridge trace {found}`."
    )
    assert retried.sentence == (
        f"{found} cannot be sent again: it is delivered. Only a message whose outcome is unknown can. "
        f"See `bridge trace {found}`."
    )
    assert len(demo.phone(number)) == 1


def test_a_text_that_waits_in_the_network_can_be_taken_back(bridge: Any, demo: DemoProcess) -> None:
    """The phone is off, so the network still has the text; once it is on, nothing comes."""
    number = "+393330000608"
    demo.switch(number, "off")
    message_id = demo.send(number, "On second thoughts")
    found = in_state(bridge, number, "sent")["id"]
    assert bridge("cancel", found).out == f"{found} is cancelled: gateway simulator took it back before it left.\n"
    in_state(bridge, number, "cancelled")
    (report,) = eventually(lambda: demo.answers_to(message_id))
    assert report["X-SMS-Message-Id"] == found
    demo.switch(number, "on")
    demo.send(number, "This one, please")
    in_state(bridge, number, "delivered")
    assert [message["text"] for message in demo.phone(number)] == ["This one, please"]


def test_an_unknown_text_is_sent_again_when_a_person_says_so(bridge: Any, demo: DemoProcess) -> None:
    """Fate 906: the phone got it, the bridge cannot know. So the phone has it twice, because a person asked."""
    number = "+393330000906"
    demo.send(number, "Once more")
    found = in_state(bridge, number, "unknown")["id"]
    assert len(demo.phone(number)) == 1
    assert bridge("retry", found).out == f"{found} is queued again.\n"
    eventually(lambda: len(demo.phone(number)) == 2)
    in_state(bridge, number, "unknown")
    assert [message["text"] for message in demo.phone(number)] == ["Once more", "Once more"]


def test_on_a_terminal_the_person_is_asked_first(bridge: Any, demo: DemoProcess) -> None:
    number = "+393331000906"
    demo.send(number, "Only once")
    found = in_state(bridge, number, "unknown")["id"]
    data_dir = {"BRIDGE_DATA_DIR": str(demo.data_dir)}
    asked = run("retry", found, stdin=b"n\n", terminal=True, environ=data_dir)
    assert "The phone may have this text already" in asked.out
    assert asked.code == 1
    assert in_state(bridge, number, "unknown")["id"] == found
    assert len(demo.phone(number)) == 1


@pytest.mark.parametrize("command", ["trace", "cancel", "retry"])
def test_a_message_that_does_not_exist(bridge: Any, command: str) -> None:
    done = bridge(command, "01nothing")
    assert done.code == 1
    assert done.sentence == "There is no message 01nothing. See `bridge messages`."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--number", "0212345"], "--number 0212345 is not a number with its country code, such as +393331234567."),
        (["--state", "lost"], "Invalid value for '--state': 'lost' is not one of 'held', 'queued', 'sending', 'sent', "
         "'unknown', 'delivered', 'undelivered', 'expired', 'failed', 'refused', 'cancelled'. "
         "See `bridge messages --help`."),
        (["--mailbox", "nobody@example.test"], "There is no mailbox nobody@example.test. See `bridge mailbox list`."),
    ],
    ids=["number", "state", "mailbox"],
)  # fmt: skip
def test_a_filter_that_makes_no_sense(bridge: Any, arguments: list[str], sentence: str) -> None:
    done = bridge("messages", *arguments)
    assert done.code != 0
    assert done.sentence == sentence


def test_without_a_configuration_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    done = run("messages", environ={"BRIDGE_DATA_DIR": str(tmp_path)})
    assert done.code == 2
    assert done.sentence == ("Name the configuration file with --config FILE, or start the demo with `bridge demo`.")
