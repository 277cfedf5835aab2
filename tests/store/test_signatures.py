"""What ends a mailbox's mails again and again is learned to be its signature, and can be forgotten."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine import Engine
from structlog.testing import capture_logs

from bridge import notices
from bridge.clock import new_id, now
from bridge.errors import NotFound
from bridge.settings import Settings
from bridge.store.claims import Claim
from bridge.store.mails import Mails
from bridge.store.outbox import Outbox, Taken
from bridge.store.signatures import ENOUGH, MOST_LEARNED, MOST_WAITING, Endings, Signature
from bridge.store.store import Store, database_url
from bridge.types import Mailbox, NewMail, OutgoingMail
from tests.clinic import CLINIC
from tests.store.conftest import DOMAIN, NOW, StoreRoom, Template, new_mail, open_outbox, open_room

SIGNATURE = "Studio Rossi\nTel. 02 1234567"
OTHER = "Anna Bianchi\nwww.rossi.example"
DAY = 86_400.0


def signed(
    mailbox: Mailbox,
    words: str,
    *,
    signature: str = SIGNATURE,
    days: float = 0,
    numbers: Sequence[str] = ("+393331234567",),
    again: str = "",
) -> NewMail:
    """A mail that ends with what may be a signature; each is another mail unless it is sent `again`."""
    text = f"{words}\n\n{signature}" if signature else words
    at = NOW + timedelta(days=days)
    mail = new_mail(mailbox, numbers, text=text, message_id=again or f"<{new_id()}@client.test>", at=at)
    return replace(mail, signature=signature)


async def take(room: StoreRoom, *mails: NewMail) -> list[Taken]:
    """Take mails one after the other."""
    return [await room.outbox.take(mail) for mail in mails]


def several(mailbox: Mailbox, count: int, **changes: Any) -> list[NewMail]:
    """Mails with different words above the same signature."""
    return [signed(mailbox, f"Words number {number}.", **changes) for number in range(count)]


async def learned(room: StoreRoom) -> tuple[str, ...]:
    """The signatures that a running bridge cuts, once it has looked."""
    await room.store.directory.refresh()
    mailbox = room.store.directory.by_login(room.mailbox.login)
    assert mailbox is not None
    return mailbox.habits.signatures


async def found(room: StoreRoom) -> list[Signature]:
    return await room.store.signatures.all(room.mailbox.id)


async def notices_in(store: Store) -> list[OutgoingMail]:
    """The mails that say what was learned and that nobody has claimed before: the only ones in these stores."""
    return await Mails(store.engine, store.committer).claim(Claim("me", now(), now() + timedelta(hours=1), 1000))


async def test_four_mails_are_not_enough_and_the_fifth_is(room: StoreRoom) -> None:
    *few, fifth = several(room.mailbox, ENOUGH)
    assert [taken.learned for taken in await take(room, *few)] == [False] * 4
    assert await learned(room) == ()
    assert [(each.text, each.seen, each.learned, each.forgotten) for each in await found(room)] == [
        (SIGNATURE, 4, False, False)
    ]
    assert not await room.store.directory.refresh(), "until it is learned, no bridge has anything to read again"
    assert [taken.learned for taken in await take(room, fifth)] == [True]
    assert await room.store.directory.refresh(), "the revision moved with it"
    assert await learned(room) == (SIGNATURE,)
    assert [(each.seen, each.learned) for each in await found(room)] == [(5, True)]


async def test_mails_that_are_taken_in_one_transaction_count_each(room: StoreRoom) -> None:
    results = await asyncio.gather(*map(room.outbox.take, several(room.mailbox, ENOUGH)))
    assert sum(taken.learned for taken in results) == 1
    assert await learned(room) == (SIGNATURE,)


@pytest.mark.parametrize(
    ("mails", "seen"),
    [
        pytest.param(lambda m: [signed(m, "Hi.", numbers=[f"+3933312{n:05}" for n in range(100)])], 1, id="one mail"),
        pytest.param(lambda m: [signed(m, "Hi.", numbers=[f"+3933312{n:05}"]) for n in range(100)], 1, id="a hundred"),
        pytest.param(lambda m: [signed(m, "Hi.", again="<a@x>"), signed(m, "Hi.", again="<a@x>")], 1, id="resubmitted"),
        pytest.param(
            lambda m: [signed(m, "One.", again="<a@x>"), signed(m, "Two."), signed(m, "One.", again="<a@x>")],
            2,
            id="resubmitted after another",
        ),
        pytest.param(lambda m: [signed(m, "One."), signed(m, "Two.")], 2, id="other words"),
        pytest.param(
            lambda m: [replace(each, mailbox=replace(m, daily_cap=0)) for each in several(m, 5)], None, id="cap"
        ),
    ],
)
@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
async def test_what_counts_as_a_mail(
    room: StoreRoom, mails: Callable[[Mailbox], list[NewMail]], seen: int | None, at_once: bool
) -> None:
    sent = mails(room.mailbox)
    if at_once:
        await asyncio.gather(*map(room.outbox.take, sent))
    else:
        await take(room, *sent)
    assert [each.seen for each in await found(room)] == ([] if seen is None else [seen])


@pytest.mark.parametrize(
    ("days", "is_learned"),
    [
        pytest.param([0, 20, 40, 60, 90], True, id="just within the time"),
        pytest.param([0, 20, 40, 60, 91], False, id="the fifth is too late"),
        pytest.param([0, 91, 92, 93, 94, 95], True, id="the count began again"),
        pytest.param([0, 89, 178, 267, 356, 445], False, id="now and then"),
    ],
)
async def test_they_must_come_within_a_time(room: StoreRoom, days: list[float], is_learned: bool) -> None:
    await take(room, *(signed(room.mailbox, f"On day {day}.", days=day) for day in days))
    assert await learned(room) == ((SIGNATURE,) if is_learned else ())


async def test_each_ending_and_each_mailbox_is_counted_by_itself(room: StoreRoom) -> None:
    await room.store.mailboxes.add(replace(CLINIC, login="desk@example.test"))
    await room.store.directory.refresh()
    desk = room.store.directory.by_login("desk@example.test")
    assert desk is not None
    await take(room, *several(room.mailbox, 3), *several(room.mailbox, 4, signature=OTHER), *several(desk, 2))
    assert {each.text: each.seen for each in await found(room)} == {SIGNATURE: 3, OTHER: 4}
    assert [(each.text, each.seen) for each in await room.store.signatures.all(desk.id)] == [(SIGNATURE, 2)]
    assert await learned(room) == ()


async def test_what_is_forgotten_is_never_learned_again(room: StoreRoom) -> None:
    await take(room, *several(room.mailbox, ENOUGH))
    (signature,) = await found(room)
    await room.store.signatures.forget(signature.id)
    assert await room.store.directory.refresh()
    assert await learned(room) == ()
    await take(room, *(signed(room.mailbox, f"Later, {number}.", days=100) for number in range(20)))
    assert await learned(room) == ()
    assert await found(room) == [replace(signature, forgotten=True)]
    await room.store.signatures.forget(signature.id)
    assert await found(room) == [replace(signature, forgotten=True)]


async def test_it_can_be_forgotten_before_it_is_learned(room: StoreRoom) -> None:
    await take(room, *several(room.mailbox, 2))
    (signature,) = await found(room)
    await room.store.signatures.forget(signature.id)
    await take(room, *several(room.mailbox, ENOUGH))
    assert await learned(room) == ()


async def test_what_is_not_there_cannot_be_forgotten(room: StoreRoom) -> None:
    with pytest.raises(NotFound):
        await room.store.signatures.forget("01nothing")


async def test_a_system_with_random_endings_fills_no_table(room: StoreRoom) -> None:
    await take(room, *several(room.mailbox, ENOUGH), *several(room.mailbox, 2, signature=OTHER))
    (other,) = [each for each in await found(room) if each.text == OTHER]
    await room.store.signatures.forget(other.id)
    many = [
        signed(room.mailbox, "Hi.", signature=f"Studio Rossi\nTel. 02 {number:07}", days=number / 100)
        for number in range(2 * MOST_WAITING)
    ]
    await asyncio.gather(*map(room.outbox.take, many[:MOST_WAITING]))
    await take(room, *many[MOST_WAITING:])
    waiting = [each.text for each in await found(room) if not each.learned and not each.forgotten]
    assert waiting == [mail.signature for mail in many[MOST_WAITING:]], "those seen last, the first one first"
    assert await learned(room) == (SIGNATURE,)
    assert [each.text for each in await found(room) if each.forgotten] == [OTHER], "what was forgotten is remembered"


async def test_a_mailbox_has_only_so_many_signatures(room: StoreRoom) -> None:
    for number in range(MOST_LEARNED):
        mails = several(room.mailbox, ENOUGH, signature=f"Studio {number}\nTel. 02 1234567")
        await asyncio.gather(*map(room.outbox.take, mails))
    await take(room, *several(room.mailbox, ENOUGH))
    assert len(await learned(room)) == MOST_LEARNED
    assert SIGNATURE not in await learned(room)
    assert len(await notices_in(room.store)) == MOST_LEARNED, "nobody is told of what was not learned"
    await room.store.signatures.forget((await found(room))[0].id)
    (same, other) = await take(
        room, several(room.mailbox, ENOUGH)[-1], signed(room.mailbox, "Now there is room for it.")
    )
    assert (same.learned, other.learned) == (False, True)
    assert SIGNATURE in await learned(room)


def elsewhere(mail: NewMail) -> NewMail:
    """The same mail to another phone and on another day: its node waits for none of the rows that the first one holds
    but those of the endings."""
    numbered = replace(mail.messages[0], number="+393337654321")
    return replace(mail, messages=(numbered,), day="2026-11-22")


async def test_two_nodes_count_the_same_endings_at_once(tmp_path: Path, template: Template) -> None:
    """In opposite order, again and again: nobody waits for the other for ever, no mail is lost or counted twice."""
    settings = template.copy(tmp_path, "postgresql")
    texts = [f"Studio {number}\nTel. 02 1234567" for number in range(MOST_WAITING)]
    async with Store(settings) as one, Store(settings) as two:
        mailbox = one.directory.all()[0]
        here, there = open_outbox(one), open_outbox(two)
        for number in range(4):
            ours = [signed(mailbox, f"Here {number}.", signature=text) for text in texts]
            theirs = [elsewhere(signed(mailbox, f"There {number}.", signature=text)) for text in reversed(texts)]
            await asyncio.gather(*map(here.take, ours), *map(there.take, theirs))
            counted = await one.signatures.all(mailbox.id)
            assert {each.text: each.seen for each in counted} == dict.fromkeys(texts, min(2 * number + 2, ENOUGH))
        await two.directory.refresh()
        assert set(two.directory.all()[0].habits.signatures) == set(texts)
        told = [mail.id for mail in await notices_in(two)]
        assert sorted(told) == sorted(f"learned.{each.id}" for each in counted)
    assert deadlocks(template, settings) == 0


async def test_two_nodes_let_the_oldest_go_at_once(tmp_path: Path, template: Template) -> None:
    settings = template.copy(tmp_path, "postgresql")
    async with Store(settings) as one, Store(settings) as two:
        mailbox = one.directory.all()[0]
        here, there = open_outbox(one), open_outbox(two)
        mails = [signed(mailbox, "Hi.", signature=f"Studio Rossi\nTel. 02 {number:07}") for number in range(800)]
        theirs = map(elsewhere, reversed(mails[200:]))
        await asyncio.gather(*map(here.take, mails[:600]), *map(there.take, theirs))
        await here.take(signed(mailbox, "Hi."))
        assert len(await one.signatures.all(mailbox.id)) == MOST_WAITING
    assert deadlocks(template, settings) == 0


def deadlocks(template: Template, settings: Settings) -> int:
    """How often PostgreSQL had to end one of two who waited for each other; the committer would try that work again."""
    name = make_url(database_url(settings)).database
    return int(template.server.sql(f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{name}'"))


async def test_every_node_takes_the_rows_in_one_order(room: StoreRoom) -> None:
    taken: list[list[str]] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, parameters: Sequence[object], *_: object) -> None:
        if statement.startswith("INSERT INTO signature"):
            taken.append([each for each in parameters if isinstance(each, str) and re.fullmatch("[0-9a-f]{32}", each)])

    mails = [signed(room.mailbox, "Hi.", signature=f"Studio Rossi\nTel. 02 {number}") for number in range(20)]
    for order in (mails, [replace(mail, day="2026-11-22") for mail in reversed(mails)]):
        fresh = [replace(mail, submission=replace(mail.submission, fingerprint=new_id())) for mail in order]
        await asyncio.gather(*map(room.outbox.take, fresh))
    event.remove(Engine, "before_cursor_execute", note)
    assert [len(digests) for digests in taken] == [20, 20]
    assert taken == [sorted(digests) for digests in taken]


async def test_what_another_node_counts_at_this_moment_is_left_and_not_waited_for(
    tmp_path: Path, template: Template
) -> None:
    async with open_room(tmp_path, template, "postgresql") as room:
        await take(
            room,
            *(
                signed(room.mailbox, "Hi.", signature=f"Studio {number}\nTel. 02 1234567", days=number / 100)
                for number in range(MOST_WAITING)
            ),
        )
        oldest = "SELECT id FROM signature ORDER BY seen_at LIMIT 1 FOR UPDATE"
        async with room.store.engine.begin() as elsewhere:
            locked = (await elsewhere.exec_driver_sql(oldest)).scalar_one()
            async with asyncio.timeout(30):
                await take(room, signed(room.mailbox, "Hi.", days=1))
        assert locked in {each.id for each in await found(room)}
        await take(room, signed(room.mailbox, "Hi.", signature=OTHER, days=2))
        assert len(await found(room)) == MOST_WAITING
        assert locked not in {each.id for each in await found(room)}


async def test_with_a_mailbox_goes_what_was_counted_for_it(room: StoreRoom) -> None:
    await room.store.mailboxes.add(replace(CLINIC, login="desk@example.test"))
    await room.store.directory.refresh()
    desk = room.store.directory.by_login("desk@example.test")
    assert desk is not None

    def count(connection: Connection, mails: Sequence[NewMail]) -> list[int]:
        return [len(Endings(room.store.key).count(connection, [mail])) for mail in mails]

    await room.store.committer.do(count, several(desk, 1)[0])  # without a message, which would keep the mailbox
    assert len(await room.store.signatures.all(desk.id)) == 1
    await room.store.mailboxes.remove(desk.login)
    assert await room.store.signatures.all(desk.id) == []


async def test_nobody_can_tell_from_its_hash_what_an_ending_is(room: StoreRoom) -> None:
    """The same words have another hash in another mailbox and in another installation."""
    await take(room, *several(room.mailbox, 1))
    async with room.store.engine.connect() as connection:
        row = (await connection.exec_driver_sql("SELECT digest, above FROM signature")).one()
    assert row.digest not in (room.store.key.hash(SIGNATURE), row.above)
    assert len(row.digest) == len(row.above) == 32


async def test_a_mail_without_an_ending_costs_nothing(room: StoreRoom) -> None:
    statements: list[str] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    await take(room, signed(room.mailbox, "No name, no number.", signature=""))
    event.remove(Engine, "before_cursor_execute", note)
    assert statements
    assert not any("signature" in statement or "revision" in statement for statement in statements)


async def test_the_operator_reads_that_something_was_learned_and_not_what(room: StoreRoom) -> None:
    with capture_logs() as lines:
        await take(room, *several(room.mailbox, ENOUGH + 1))
    (line,) = [line for line in lines if line["event"] == "signature.learned"]
    assert line["mailbox"] == room.mailbox.id
    assert "Rossi" not in str(lines)


# ----------------------------------------------------------------------------------------- the mailbox is told


async def test_the_mail_by_which_it_is_learned_brings_one_that_says_so(room: StoreRoom) -> None:
    rung: list[str] = []
    outbox = open_outbox(room.store, lambda: rung.append("mailed"))
    *few, fifth = several(room.mailbox, ENOUGH)
    for mail in few:
        await outbox.take(mail)
    assert (await notices_in(room.store), rung) == ([], [])
    taken = await outbox.take(replace(fifth, reply_to="doctor@example.test"))
    (told,) = await notices_in(room.store)
    (signature,) = await found(room)
    assert told == replace(
        notices.learned(replace(fifth, reply_to="doctor@example.test"), signature.id, DOMAIN), attempts=1
    )
    assert (told.envelope_from, told.envelope_to) == ("", "doctor@example.test")
    assert rung == ["mailed"]
    async with room.store.engine.connect() as connection:
        row = (await connection.exec_driver_sql("SELECT kind, mailbox_id, submission_id FROM mail")).one()
    assert tuple(row) == ("learned", room.mailbox.id, taken.submission_id)


async def test_it_is_told_once_and_never_again(room: StoreRoom) -> None:
    first = several(room.mailbox, ENOUGH)
    await take(room, *first)
    assert len(await notices_in(room.store)) == 1
    await take(room, first[-1], *(signed(room.mailbox, f"Later, {number}.") for number in range(7)))
    await room.store.signatures.forget((await found(room))[0].id)
    await take(room, *(signed(room.mailbox, f"Forgotten, {number}.") for number in range(7)))
    assert await notices_in(room.store) == []


async def test_several_that_are_learned_in_one_transaction_are_told_each(room: StoreRoom) -> None:
    both = several(room.mailbox, ENOUGH) + several(room.mailbox, ENOUGH, signature=OTHER)
    await asyncio.gather(*map(room.outbox.take, both))
    told = {mail.id for mail in await notices_in(room.store)}
    assert told == {f"learned.{each.id}" for each in await found(room)}
    assert len(told) == 2


async def test_what_cannot_be_told_is_not_learned(room: StoreRoom) -> None:
    """Both are in one transaction, and the mail with them: its client sends it again."""

    def broken(mail: NewMail, signature_id: str) -> OutgoingMail:
        raise OverflowError("no such day")

    silent = Outbox(
        room.store.committer,
        room.store.key,
        86_400,
        conversation_window=timedelta(days=14),
        late_after=timedelta(hours=1),
        tell=broken,
        mailed=lambda: None,
    )
    *few, fifth = several(room.mailbox, ENOUGH)
    await take(room, *few)
    with pytest.raises(OverflowError):
        await silent.take(fifth)
    assert await learned(room) == ()
    assert await notices_in(room.store) == []
    await room.outbox.take(fifth)
    assert await learned(room) == (SIGNATURE,)
    assert len(await notices_in(room.store)) == 1
