"""A mail in a watched mailbox is texted once: after crashes, on several nodes, and when somebody moves it about."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge import clock
from bridge.errors import StoreUnavailable
from bridge.mailback.imap_inbox import Inbox
from bridge.mailback.imap_session import Broken
from bridge.mailbox_door import door as door_module
from bridge.store.nodes import Nodes
from bridge.store.outbox import Outbox, Taken
from bridge.store.store import Store, database_url
from bridge.store.watched import Watched
from bridge.types import Fate, NewMail, Place
from tests.filing.conftest import eventually
from tests.mailbox_door.conftest import OTHER, PATIENCE, PHONE, PROVIDER, Post, looking, watching
from tests.servers.dovecot import DovecotServer
from tests.store.conftest import StoreRoom, Template, new_mail, open_outbox, open_room

EVERYTHING = timedelta(days=400)


async def interrupted(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that ends between the commit and the move, as in a crash."""

    async def crash(*_: object) -> str:
        raise Broken("crashed")

    with monkeypatch.context() as patched:
        patched.setattr(Inbox, "put_away", crash)
        with pytest.raises(Broken):
            await post.look()


async def test_a_crash_before_the_mail_is_moved_texts_nobody_twice(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.put(post.mail())
    await interrupted(post, monkeypatch)
    assert await post.texts() == [PHONE]
    assert len(post.inbox()) == 1
    await post.look()
    assert await post.texts() == [PHONE]
    assert (post.inbox(), len(post.done())) == ([], 1)


async def test_nor_when_the_bridge_comes_back_after_weeks(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resubmitted mails are known for a day alone: what is taken here is written down for good."""
    post.put(post.mail())
    await interrupted(post, monkeypatch)
    await post.room.outbox.forget(clock.now() + EVERYTHING)
    await post.look()
    assert await post.texts() == [PHONE]
    assert len(post.done()) == 1


async def test_a_crash_after_a_refusal_tells_nobody_twice(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.put(post.mail(says=None))
    await interrupted(post, monkeypatch)
    assert len(await post.notices()) == 1
    await post.look()
    assert await post.notices() == []
    assert len(post.refused()) == 1


async def test_a_mail_that_the_database_did_not_take_is_taken_later(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.put(post.mail(), post.mail(post.phone(OTHER), message_id="<2@x>", text="Another."))
    take = Outbox.take
    refused: list[NewMail] = []

    async def refuse_once(outbox: Outbox, mail: NewMail) -> Taken:
        if not refused:
            refused.append(mail)
            raise StoreUnavailable("The database is away.")
        return await take(outbox, mail)

    monkeypatch.setattr(Outbox, "take", refuse_once)
    watch = await post.look()
    assert await post.texts() == [OTHER], "the others do not wait for it"
    assert len(post.inbox()) == 1
    monkeypatch.setattr(clock, "now", lambda before=clock.now: before() + timedelta(seconds=30))
    async with looking(watch) as inbox:
        await watch.round(inbox)
    assert await post.texts() == [OTHER, PHONE]
    assert post.inbox() == []
    assert await post.notices() == []


async def test_a_mail_that_breaks_the_bridge_holds_up_no_other_and_is_refused_in_the_end(
    sqlite_post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, take = sqlite_post, Outbox.take
    post.put(post.mail(text="poison"), post.mail(post.phone(OTHER), message_id="<2@x>"))

    async def breaks(outbox: Outbox, mail: NewMail) -> Taken:
        if mail.submission.text == "poison":
            raise ZeroDivisionError
        return await take(outbox, mail)

    monkeypatch.setattr(Outbox, "take", breaks)
    watch = await post.look()
    assert await post.texts() == [OTHER]
    assert len(post.inbox()) == 1
    monkeypatch.setattr(clock, "now", lambda before=clock.now: before() + timedelta(days=1, seconds=1))
    async with looking(watch) as inbox:
        await watch.round(inbox)
    assert (post.inbox(), len(post.refused())) == ([], 1)
    assert len(await post.notices()) == 1


@pytest.mark.parametrize("hangs_up", [False, True], ids=["it says NO", "it hangs up"])
async def test_a_mail_that_the_server_cannot_read_holds_up_no_other_and_is_refused_in_the_end(
    sqlite_post: Post, monkeypatch: pytest.MonkeyPatch, hangs_up: bool
) -> None:
    post, mail = sqlite_post, Inbox.mail
    post.put(post.mail(), post.mail(post.phone(OTHER), message_id="<2@x>"))

    async def fetch(inbox: Inbox, uid: int, size: int) -> bytes | None:
        if uid == 1 and hangs_up:
            raise Broken("hung up")
        return None if uid == 1 else await mail(inbox, uid, size)

    monkeypatch.setattr(Inbox, "mail", fetch)
    watch = post.watch()

    async def look_again() -> None:
        for _ in range(3):
            async with looking(watch) as inbox:
                with contextlib.suppress(Broken):
                    await watch.round(inbox)

    await look_again()
    assert await post.texts() == [OTHER]
    monkeypatch.setattr(clock, "now", lambda before=clock.now: before() + timedelta(days=1, seconds=1))
    await look_again()
    assert (post.inbox(), len(post.refused())) == ([], 1)
    assert len(await post.notices()) == 1


async def test_while_a_mail_waits_those_behind_it_are_not_fetched_again(
    sqlite_post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = sqlite_post
    post.put(post.mail(), post.mail("bob@clinic.example"), post.mail(post.phone(OTHER), message_id="<2@x>"))
    header, fetched = Inbox.header, list[int]()

    async def fetch(inbox: Inbox, uid: int, most: int) -> bytes | None:
        fetched.append(uid)
        return None if uid == 1 else await header(inbox, uid, most)

    monkeypatch.setattr(Inbox, "header", fetch)
    watch = await post.look()
    async with looking(watch) as inbox:
        await watch.round(inbox)
        assert fetched == [1, 2, 3]
        monkeypatch.setattr(clock, "now", lambda before=clock.now: before() + timedelta(seconds=30))
        await watch.round(inbox)
    assert fetched == [1, 2, 3, 1]
    assert await post.texts() == [OTHER]


async def test_a_mail_that_is_moved_back_is_not_texted_again(post: Post) -> None:
    post.put(post.mail())
    await post.look()
    await post.room.outbox.forget(clock.now() + EVERYTHING)
    post.put(post.done()[0])
    await post.look()
    assert await post.texts() == [PHONE]
    assert post.inbox() == []


async def test_a_mail_that_is_moved_back_after_days_is_not_said_to_have_been_missed(sqlite_post: Post) -> None:
    """A mail keeps its date of arrival when it is moved. Who is told that it was not texted sends it once more."""
    post = sqlite_post
    post.put(post.mail())
    await post.look()
    post.put(post.done()[0], age=timedelta(days=3))
    await post.look()
    assert await post.notices() == []
    assert (post.inbox(), len(post.done()), post.refused()) == ([], 2, [])


async def test_a_mail_that_is_sent_again_by_anybody_is_texted_once(sqlite_post: Post) -> None:
    """Whoever has got a copy of a signed mail can hand it in again, after weeks; the fields on its way differ."""
    post = sqlite_post
    for server in ("a", "b"):
        post.put(post.mail(extra=f"Received: by {server}.example; Sun, 1 Nov 2026 09:00:00 +0100\r\n"))
        await post.look()
        await post.room.outbox.forget(clock.now() + EVERYTHING)
    assert await post.texts() == [PHONE]
    assert len(post.done()) == 2


async def test_copies_of_one_mail_for_two_phones_in_bcc_are_two(sqlite_post: Post) -> None:
    """Some providers deliver a copy for each address, and only what they write above it tells them apart."""
    post = sqlite_post
    says = f"{PROVIDER}; spf=pass smtp.mailfrom=clinic@example.test"
    for number in (PHONE, OTHER):
        post.put(post.mail("bob@clinic.example", says=says, extra=f"Delivered-To: {post.phone(number)}\r\n"))
    await post.look()
    assert sorted(await post.texts()) == [PHONE, OTHER]


async def test_a_mailbox_that_is_numbered_anew_texts_nobody_again(sqlite_post: Post) -> None:
    """As after a restore on the mail server: what lies there may have been texted before, and nobody can say."""
    post = sqlite_post
    post.put(post.mail())
    number_anew(post)
    watched = await post.look()
    assert await post.texts() == []
    assert len(post.inbox()) == 1
    post.put(post.mail(post.phone(OTHER), message_id="<2@x>"))
    async with looking(watched) as inbox:
        await watched.round(inbox)
    assert await post.texts() == [OTHER]


def number_anew(post: Post) -> None:
    """As after a restore on the mail server."""
    place = post.server.maildir(post.user)
    for file in place.glob("dovecot.index*"):
        file.unlink()
    listed = place / "dovecot-uidlist"
    first, _, _ = listed.read_text().partition("\n")
    fields = first.split()
    listed.write_text(" ".join((fields[0], f"V{int(fields[1][1:]) + 1}", "N1", *fields[3:])) + "\n")


@asynccontextmanager
async def another_node(room: StoreRoom) -> AsyncIterator[StoreRoom]:
    """A second bridge on the same database."""
    async with Store(room.store.settings) as store:
        yield replace(room, store=store, outbox=open_outbox(store))


async def test_two_nodes_that_look_at_once_text_each_phone_once(
    tmp_path: Path, template: Template, dovecot: DovecotServer, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a node that was cut off still lives while another one takes over: both read, and the database decides.
    The fingerprints of resubmitted mails are out of the way, so that they do not."""
    monkeypatch.setattr(Outbox, "_fingerprint", lambda self, mail, message: clock.new_id())
    async with open_room(tmp_path, template, "postgresql") as room, another_node(room) as other:
        post = Post(dovecot, account, room)
        await post.look()
        phones = [f"+3933312345{number:02}" for number in range(20)]
        post.put(*(post.mail(post.phone(phone), message_id=f"<{phone}@x>") for phone in phones))
        one, two = post.watch(), post.watch(other)
        async with looking(one) as first, looking(two) as second:
            await asyncio.gather(one.round(first), two.round(second))
            await asyncio.gather(one.round(first), two.round(second))
        assert sorted(await post.texts()) == phones
        assert post.inbox() == []
        # Whoever moves a mail in the same breath as another may leave a copy more.
        assert len(set(post.done())) == len(phones)


async def test_two_nodes_that_take_one_mail_in_the_same_breath(tmp_path: Path, template: Template) -> None:
    async with open_room(tmp_path, template, "postgresql") as room, another_node(room) as other:
        for number in range(30):
            place = Place("sms@clinic.example INBOX", 1, number, f"digest {number}")
            mail = new_mail(room.mailbox, message_id=f"<{number}@x>")
            mine, theirs = (
                replace(
                    mail,
                    envelope=replace(mail.envelope, place=place),
                    submission=replace(mail.submission, fingerprint=f"{who} {number}"),
                )
                for who in ("mine", "theirs")
            )
            taken = await asyncio.gather(room.outbox.take(mine), other.outbox.take(theirs))
            assert sorted(each.messages for each in taken) == [0, 1]


async def test_a_mail_beyond_the_cap_is_not_written_down(room: StoreRoom) -> None:
    place = Place("sms@clinic.example INBOX", 1, 1, "digest")
    capped = replace(room.mailbox, daily_cap=0)
    mail = new_mail(capped)
    mail = replace(mail, envelope=replace(mail.envelope, place=place))
    assert (await room.outbox.take(mail)).over_cap
    taken = await room.outbox.take(replace(mail, mailbox=room.mailbox))
    assert taken.messages == 1
    again = await room.outbox.take(
        replace(mail, mailbox=room.mailbox, submission=replace(mail.submission, fingerprint="x"))
    )
    assert (again.messages, again.over_cap) == (0, False)


async def test_a_refused_mail_that_is_moved_back_is_tried_again(post: Post) -> None:
    """As when its author was no mailbox yet."""
    post.put(post.mail(says=f"{PROVIDER}; dmarc=pass header.from=other.example", author="eve@other.example"))
    await post.look()
    assert len(await post.notices()) == 1
    await post.room.store.mailboxes.save(replace(post.room.mailbox, addresses=("eve@other.example",)))
    await post.room.store.directory.refresh()
    post.put(post.refused()[0])
    await post.look()
    assert await post.texts() == [PHONE]
    assert (post.inbox(), len(post.done())) == ([], 1)
    post.put(post.done()[0])
    await post.look()
    assert await post.texts() == [PHONE]


async def test_a_node_that_takes_over_while_the_other_still_lives(
    tmp_path: Path, template: Template, dovecot: DovecotServer, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL says who leads. A node whose connection to it broke goes on for a while, and does no harm."""
    monkeypatch.setattr(door_module, "STANDBY", 0.05)
    monkeypatch.setattr(Outbox, "_fingerprint", lambda self, mail, message: clock.new_id())
    async with AsyncExitStack() as stack:
        room = await stack.enter_async_context(open_room(tmp_path, template, "postgresql"))
        other = await stack.enter_async_context(another_node(room))
        post = Post(dovecot, account, room)
        await post.look()
        first, second = (
            Nodes(database_url(room.store.settings), each.store.node, lambda: None) for each in (room, other)
        )
        for node, watch in ((first, post.watch()), (second, post.watch(other))):
            await node.start()
            stack.push_async_callback(node.close)
            await node.leads()
            await stack.enter_async_context(watching(post, watch, leads=node.leads))
        assert [await node.leads() for node in (first, second)] == [True, False]
        post.put(post.mail())
        await post.texted_times(1)
        await first.close()
        await eventually(second.leads)  # PostgreSQL notices in its own time that a connection is gone
        assert await first.leads(), "nobody has told it"
        phones = [PHONE, *(f"+3933312345{number:02}" for number in range(5))]
        post.put(*(post.mail(post.phone(phone), message_id=f"<{phone}@x>") for phone in phones[1:]))
        async with asyncio.timeout(PATIENCE):
            while len(await post.texts()) < len(phones):
                await post.bell.wait()  # both ring, whoever has taken the mail
                post.bell.clear()
        assert sorted(await post.texts()) == sorted(phones)
    assert post.done()


async def test_what_is_known_already_stays_as_it_is(room: StoreRoom) -> None:
    watched = Watched(room.store.engine, room.store.committer)
    place = Place("sms@clinic.example INBOX", 1, 7, "digest")
    assert await watched.keep(place, Fate.TAKEN)
    assert not await watched.keep(replace(place, uid=8), Fate.REFUSED), "the same mail under another number"
    assert not await watched.keep(replace(place, digest="other"), Fate.REFUSED), "another mail under this one"
    assert await watched.fate(replace(place, uid=9)) is Fate.TAKEN
    assert await watched.fates(place.watch, 1, [7, 8]) == {7: Fate.TAKEN}
