"""How a mailbox is watched: at once where the server says so, and through everything that connections do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bridge.consent import kept
from bridge.consent.renewal import Consents
from bridge.mailback.imap_inbox import Account as Watchable
from bridge.mailback.imap_inbox import Inbox
from bridge.mailbox_door import door as door_module
from bridge.mailbox_door import watch as watch_module
from bridge.settings import MailAuth
from bridge.store.store import make_folder
from bridge.streaks import mailbox
from tests.consent.conftest import settings_for
from tests.mailback.imap import reaching, scripted_imap
from tests.mailbox_door.conftest import PATIENCE, Post, watching
from tests.servers.faulty import faulty


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> asyncio.Semaphore:
    """Released each time that a look is over and the wait for the next mail begins."""
    begun, wait = asyncio.Semaphore(0), Inbox.wait

    async def told(inbox: Inbox, seconds: float, woken: asyncio.Event) -> None:
        begun.release()
        await wait(inbox, seconds, woken)

    monkeypatch.setattr(Inbox, "wait", told)
    return begun


async def test_a_mail_is_texted_as_soon_as_the_server_says_that_it_has_come(
    sqlite_post: Post, rounds: asyncio.Semaphore
) -> None:
    async with watching(sqlite_post):
        for number in range(3):
            await rounds.acquire()
            sqlite_post.put(sqlite_post.mail(message_id=f"<{number}@x>"))
            await sqlite_post.texted_times(number + 1)
    assert sqlite_post.streaks.all()[mailbox(sqlite_post.address)].failures == 0


async def test_a_mail_that_comes_while_another_is_dealt_with_does_not_wait(
    sqlite_post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the search and IDLE the server says only once that a mail has come."""
    put_away = Inbox.put_away

    async def another(inbox: Inbox, *where: Any) -> str:
        monkeypatch.setattr(Inbox, "put_away", put_away)
        sqlite_post.put(sqlite_post.mail(message_id="<2@x>"))
        return await put_away(inbox, *where)

    monkeypatch.setattr(Inbox, "put_away", another)
    sqlite_post.put(sqlite_post.mail())
    async with watching(sqlite_post):
        await sqlite_post.texted_times(2)


async def test_idle_is_begun_anew_before_the_server_ends_it(
    sqlite_post: Post, rounds: asyncio.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert watch_module.IDLE < 29 * 60, "RFC 2177"
    monkeypatch.setattr(watch_module, "IDLE", 0.05)
    async with watching(sqlite_post):
        for _ in range(4):
            await rounds.acquire()
        sqlite_post.put(sqlite_post.mail())
        await sqlite_post.texted_times(1)


async def test_a_server_that_says_nothing_by_itself_is_asked(
    sqlite_post: Post, rounds: asyncio.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Inbox, "_takes_idle", False)
    monkeypatch.setattr(watch_module, "POLL", 0.05)
    async with watching(sqlite_post):
        await rounds.acquire()
        sqlite_post.put(sqlite_post.mail())
        await sqlite_post.texted_times(1)


async def test_what_came_while_the_server_was_away_is_texted(
    sqlite_post: Post, rounds: asyncio.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "FIRST_RETRY", 0.05)
    async with faulty(sqlite_post.server.port) as network:
        sqlite_post.port = network.port
        async with watching(sqlite_post):
            await rounds.acquire()
            network.cut_after = 0
            sqlite_post.put(sqlite_post.mail())
            await sqlite_post.texted_times(1)
            network.cut_after = None
    assert network.connections >= 1


async def test_a_network_that_falls_silent_is_noticed(
    sqlite_post: Post, rounds: asyncio.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing tells of such an end: only what is asked and not answered."""
    monkeypatch.setattr(door_module, "FIRST_RETRY", 0.05)
    monkeypatch.setattr(watch_module, "IDLE", 0.1)
    post = sqlite_post
    async with faulty(post.server.port) as network:
        watch = post.watch()
        watch._account = Watchable(reaching(network.port, post.user, timeout=1.0))
        async with watching(post, watch):
            await rounds.acquire()
            network.muted = True
            async with asyncio.timeout(PATIENCE):
                await post.streaks.failed(mailbox(post.address), 1)
            network.muted = False
            post.put(post.mail())
            await post.texted_times(1)


async def test_a_mailbox_that_lets_nobody_in_is_tried_again_and_told_of(
    sqlite_post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "FIRST_RETRY", 0.01)
    post = sqlite_post
    watch = post.watch()
    watch._account = Watchable(reaching(post.server.port, post.user, password="wrong"))
    async with watching(post, watch) as task, asyncio.timeout(PATIENCE):
        await post.streaks.failed(mailbox(post.address), 3)
        assert not task.done()


async def test_a_token_that_the_server_takes_no_more_is_renewed_for_the_next_try(
    sqlite_post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider may withdraw an access token long before its end."""
    monkeypatch.setattr(door_module, "FIRST_RETRY", 0.01)
    post, provider = sqlite_post, sqlite_post.server.tokens
    settings = settings_for(tmp_path, provider)
    make_folder(settings.data_dir)
    kept.write(kept.place(settings.data_dir, "main", post.user), provider.consented(post.user))
    consent = Consents(settings).of("main", post.user)
    provider.users.pop(await consent.token())
    post.put(post.mail())
    watch = post.watch()
    watch._account = Watchable(reaching(post.server.port, post.user, auth=MailAuth.XOAUTH2, token=consent))
    async with watching(post, watch):
        await post.texted_times(1)


async def test_nothing_is_taken_while_the_disk_is_full(
    sqlite_post: Post, rounds: asyncio.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "STANDBY", 0.05)
    post = sqlite_post
    async with watching(post):
        await rounds.acquire()
        post.disk_full = True
        post.put(post.mail())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(post.bell.wait(), 0.5)
        post.disk_full = False
        await post.texted_times(1)


async def test_a_bridge_that_does_not_lead_stays_away(sqlite_post: Post) -> None:
    asked = asyncio.Event()

    async def leads() -> bool:
        asked.set()
        return False

    async with scripted_imap() as script:
        sqlite_post.port = script.port
        async with watching(sqlite_post, leads=leads):
            await asyncio.wait_for(asked.wait(), PATIENCE)
        assert script.heard == []
