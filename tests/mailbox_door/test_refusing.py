"""Mails in a watched mailbox that are not texted: where they go, who is told, and who is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.mailbox_door.reception import MOST_NOTICES
from bridge.types import Language
from tests.mailbox_door.conftest import PHONE, PROVIDER, Post, body


async def test_a_mail_that_nobody_vouches_for_is_told_to_the_watched_mailbox(post: Post) -> None:
    post.put(post.mail(says=f"{PROVIDER}; dmarc=fail header.from=example.test"))
    await post.look()
    assert await post.texts() == []
    assert len(post.refused()) == 1
    (told,) = await post.notices()
    assert (told.envelope_to, told.envelope_from) == (post.address, "")
    assert "It says that it is from clinic@example.test" in body(told)
    assert b"In-Reply-To: <1@clinic.example>" in told.raw
    assert b"Auto-Submitted: auto-replied" in told.raw


@pytest.mark.parametrize(
    "says",
    [None, "evil.example; dmarc=pass header.from=example.test", f"{PROVIDER}; dmarc=pass header.from=evil.example"],
    ids=["the provider says nothing", "somebody else says so", "the provider vouches for another"],
)
async def test_a_forged_mail_reaches_no_phone(sqlite_post: Post, says: str | None) -> None:
    sqlite_post.put(sqlite_post.mail(says=says))
    await sqlite_post.look()
    assert await sqlite_post.texts() == []
    assert [mail.envelope_to for mail in await sqlite_post.notices()] == [sqlite_post.address]


async def test_an_author_who_is_known_and_no_mailbox_is_told(sqlite_post: Post) -> None:
    post = sqlite_post
    post.put(post.mail(says=f"{PROVIDER}; dmarc=pass header.from=other.example", author="eve@other.example"))
    await post.look()
    assert await post.texts() == []
    (told,) = await post.notices()
    assert told.envelope_to == "eve@other.example"
    assert "eve@other.example is not an address that may send texts here." in body(told)


async def test_a_mailbox_is_told_why_in_its_language(sqlite_post: Post) -> None:
    post = sqlite_post
    await post.room.store.mailboxes.save(replace(post.room.mailbox, language=Language.ITALIAN))
    await post.room.store.directory.refresh()
    post.put(post.mail(post.phone("+3912")))
    await post.look()
    (told,) = await post.notices()
    assert told.envelope_to == "clinic@example.test"
    assert "Questo numero di telefono non può esistere." in body(told)
    assert "553 5.1.3" in body(told)
    assert len(post.refused()) == 1


async def test_a_mail_beyond_the_limit_is_not_fetched(sqlite_post: Post) -> None:
    post = sqlite_post
    post.put(post.mail(text="word " * 4_000))
    await post.look(max_octets=10_000)
    assert await post.texts() == []
    (told,) = await post.notices()
    assert "552 5.3.4 The mail is too large: 10000 octets are the limit." in body(told)


async def test_a_mail_of_long_ago_is_not_texted_any_more(sqlite_post: Post) -> None:
    """As when the bridge was away for a weekend: an appointment may be over."""
    post = sqlite_post
    post.put(post.mail(), age=timedelta(hours=49))
    post.put(post.mail(message_id="<2@x>", text="Still true."), age=timedelta(hours=23))
    await post.look()
    assert await post.texts() == [PHONE]
    assert len(post.refused()) == 1
    (told,) = await post.notices()
    assert told.envelope_to == "clinic@example.test"
    assert "This mail came 49 hours ago and could not be texted until now." in body(told)


async def test_strangers_of_one_domain_are_told_a_few_times(sqlite_post: Post) -> None:
    post = sqlite_post
    says = f"{PROVIDER}; dmarc=pass header.from=other.example"
    post.put(*(post.mail(says=says, author=f"eve{number}@other.example") for number in range(MOST_NOTICES + 2)))
    await post.look()
    assert len(await post.notices()) == MOST_NOTICES


async def test_a_paused_mailbox_is_told_at_once(sqlite_post: Post) -> None:
    post = sqlite_post
    await post.room.store.mailboxes.save(replace(post.room.mailbox, paused=True))
    await post.room.store.directory.refresh()
    post.put(post.mail())
    await post.look()
    assert "This mailbox is paused." in body((await post.notices())[0])


async def test_a_mail_beyond_the_daily_cap_is_refused_and_can_be_sent_again(post: Post) -> None:
    await post.room.store.mailboxes.save(replace(post.room.mailbox, daily_cap=1))
    await post.room.store.directory.refresh()
    post.put(post.mail(f"{post.phone()}, {post.phone('+393471234567')}"))
    await post.look()
    assert await post.texts() == []
    assert "a limit of 1 messages a day" in body((await post.notices())[0])
    post.put(post.mail(message_id="<2@x>"))
    await post.look()
    assert await post.texts() == [PHONE]


@pytest.mark.parametrize(
    "field",
    ["Auto-Submitted: auto-replied", "X-Autoreply: yes", "Content-Type: multipart/report; boundary=b"],
)
async def test_nobody_is_told_of_an_automatic_mail(sqlite_post: Post, field: str) -> None:
    """Two programs that answer each other would never end."""
    sqlite_post.put(sqlite_post.mail(extra=f"{field}\r\n"), sqlite_post.mail(says=None, extra=f"{field}\r\n"))
    await sqlite_post.look()
    assert await sqlite_post.texts() == []
    assert await sqlite_post.notices() == []
    assert len(sqlite_post.refused()) == 2


async def test_a_flood_of_forged_mails_is_told_of_a_few_times(sqlite_post: Post) -> None:
    post = sqlite_post
    post.put(*(post.mail(says=None, message_id=f"<{number}@x>") for number in range(MOST_NOTICES + 5)))
    await post.look()
    assert len(await post.notices()) == MOST_NOTICES
    assert len(post.refused()) == MOST_NOTICES + 5
    assert post.inbox() == []


async def test_the_notice_to_the_watched_mailbox_is_no_order(sqlite_post: Post) -> None:
    post = sqlite_post
    post.put(post.mail(says=None))
    await post.look()
    (told,) = await post.notices()
    post.put(told.raw)
    await post.look(subject_numbers=True)
    assert await post.notices() == []
    assert [told.raw] == post.inbox()
    assert post.done() == []
