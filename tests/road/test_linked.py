"""Two mailboxes on one number: an answer goes to the mail whose text the network says it answers."""

from __future__ import annotations

from collections.abc import Callable

from tests.road.demo_process import DESK, DESK_PASSWORD, LOGIN, DemoProcess, eventually


def test_an_answer_that_is_linked_goes_to_the_mail_that_asked(demo: DemoProcess, phone: Callable[..., str]) -> None:
    number = phone()
    asked = demo.send(number, "Can you come tomorrow at 10:30?")
    (first,) = eventually(lambda: demo.phone(number))
    other = demo.send(number, "Your glasses are ready to be fetched.", login=DESK, password=DESK_PASSWORD)
    eventually(lambda: demo.phone(number)[1:])

    demo.texts_back(number, "I fetch them on Monday")
    (guessed,) = eventually(lambda: demo.answers_to(other, DESK))
    assert guessed["X-SMS-Match"] == "ambiguous"

    demo.texts_back(number, "I shall be there at half past ten", answers=str(first["id"]))
    (linked,) = eventually(lambda: demo.answers_to(asked, LOGIN))
    assert linked["X-SMS-Match"] == "provider"
    part = linked.get_body(("plain",))
    assert part is not None
    assert part.get_content().startswith("I shall be there at half past ten")
    assert len(demo.answers_to(other, DESK)) == 1
