"""`bridge cancel` of a text that a provider has: only the provider's own word takes it back, and late truth wins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.settings import load
from bridge.store.inbox import Inbox
from bridge.store.mails import Mails
from bridge.store.reports import Reports
from bridge.store.store import Store
from bridge.types import MessageState, Notify
from tests.cli.commands import Done, run
from tests.clinic import CLINIC
from tests.gateways.provider import Fault, Play, Provider, run_provider
from tests.store.conftest import StoreRoom, later, new_mail, open_outbox
from tests.store.steps import claim, finish, receipt, start, state

TAKEN_BACK = Play(200, '{"sid": "SM1", "status": "canceled"}')
TOO_LATE = Play(400, '{"code": 30409}')
SENT, CANCELLED, DELIVERED = MessageState.SENT, MessageState.CANCELLED, MessageState.DELIVERED


def configuration(folder: Path, url: str, kind: str = "twilio", name: str = "simulator") -> Path:
    """A bridge whose texts leave by this gateway; it is named as the store's tests name theirs."""
    file = folder / "bridge.toml"
    file.write_text(
        f"""
data_dir = "data"
[gateways.{name}]
kind = "{kind}"
url = "{url}"
account = "AC1"
secret = "token"
timeout = 1.0
[sending]
gateway = "{name}"
"""
    )
    return file


@asynccontextmanager
async def opened(config: Path) -> AsyncIterator[StoreRoom]:
    async with Store(load(config, {})) as store:
        await store.mailboxes.add(CLINIC)
        await store.directory.refresh()
        yield StoreRoom(
            store=store,
            outbox=open_outbox(store),
            inbox=Inbox(store.committer, store.key, report_wait=60),
            reports=Reports(store.engine, store.committer, report_wait=60, give_up_after=86_400),
            mails=Mails(store.engine, store.committer),
            mailbox=store.directory.all()[0],
        )


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with run_provider() as running:
        yield running


async def handed_over(room: StoreRoom, became: MessageState = SENT, provider_id: str | None = "SM1") -> str:
    await room.outbox.take(new_mail(room.mailbox, report_on=[Notify.FAILURE]))
    (claimed,) = await claim(room)
    assert await start(room, claimed.sms.reference) == 1
    assert await finish(room, claimed.sms.reference, became, provider_id=provider_id) is became
    return claimed.sms.reference


async def cancel(config: Path, message_id: str) -> Done:
    """The command, as a process beside the bridge would run it."""
    return await asyncio.to_thread(run, "cancel", message_id, "--config", config)


@pytest.mark.parametrize("became", [SENT, MessageState.UNKNOWN])
async def test_a_text_that_the_provider_takes_back_is_cancelled(
    became: MessageState, provider: Provider, tmp_path: Path
) -> None:
    config = configuration(tmp_path, provider.url)
    async with opened(config) as room:
        message_id = await handed_over(room, became)
        provider.script.append(TAKEN_BACK)
        done = await cancel(config, message_id)
        assert (done.code, done.err) == (0, "")
        assert done.out == f"{message_id} is cancelled: gateway simulator took it back before it left.\n"
        assert await state(room, message_id) is CANCELLED
        assert [due.submission_id for due in await room.reports.due(later(1e6), 10)], "its sender is told"
    assert provider.seen[0].target == "/2010-04-01/Accounts/AC1/Messages/SM1.json"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(TOO_LATE, "has it and does not take it back (HTTP 400 30409)", id="too late"),
        pytest.param(Play(503), "has it and did not say whether it takes it back (HTTP 503)", id="broken"),
        pytest.param(
            Fault.SILENCE, "has it and did not say whether it takes it back (ReadTimeout)", id="it does not answer"
        ),
    ],
)
async def test_else_it_stays_what_it_is_and_may_arrive(
    answer: Play | Fault, why: str, provider: Provider, tmp_path: Path
) -> None:
    config = configuration(tmp_path, provider.url)
    async with opened(config) as room:
        message_id = await handed_over(room)
        provider.script.append(answer)
        done = await cancel(config, message_id)
        assert done.code == 1
        assert done.sentence == (
            f"{message_id} is not cancelled: gateway simulator {why}. It may arrive. See `bridge trace {message_id}`."
        )
        assert await state(room, message_id) is SENT


async def test_a_provider_that_only_tries_says_so_later(provider: Provider, tmp_path: Path) -> None:
    """SMSGate asks its phone; what comes of it is told by a receipt."""
    config = configuration(tmp_path, provider.url, "smsgate")
    config.write_text(
        config.read_text().replace(
            'secret = "token"', 'secret = "token"\nwebhook_secret = "key"\noptions = { number = "+390200000001" }'
        )
    )
    async with opened(config) as room:
        message_id = await handed_over(room)
        provider.script.append(Play(200, f'{{"id": "{message_id}", "state": "Cancelling"}}'))
        done = await cancel(config, message_id)
        assert "gateway simulator was asked, and has not said yet whether it can (SMSGate Cancelling)" in done.sentence
        assert await state(room, message_id) is SENT
        await room.inbox.receipt(receipt(message_id, CANCELLED, "1"), later(9))
        assert await state(room, message_id) is CANCELLED


@pytest.mark.parametrize(
    ("kind", "provider_id"),
    [
        pytest.param("twilio", None, id="nobody knows its id"),
        pytest.param("vonage", "0A0", id="the provider takes nothing back"),
    ],
)
async def test_who_cannot_be_asked_is_not_asked(
    kind: str, provider_id: str | None, provider: Provider, tmp_path: Path
) -> None:
    config = configuration(tmp_path, provider.url, kind)
    async with opened(config) as room:
        message_id = await handed_over(room, MessageState.UNKNOWN, provider_id)
        done = await cancel(config, message_id)
        assert "does not take it back" in done.sentence
        assert await state(room, message_id) is MessageState.UNKNOWN
    assert provider.seen == []


async def test_a_gateway_that_is_not_set_up_any_more(provider: Provider, tmp_path: Path) -> None:
    async with opened(configuration(tmp_path, provider.url)) as room:
        message_id = await handed_over(room)
        done = await cancel(configuration(tmp_path, provider.url, name="other"), message_id)
        assert done.sentence == (
            f"{message_id} is not cancelled and may arrive: gateway simulator has it, and there is no "
            f"[gateways.simulator] any more. Write the section again, then cancel it again."
        )


async def test_a_text_that_is_just_being_handed_over(provider: Provider, tmp_path: Path) -> None:
    config = configuration(tmp_path, provider.url)
    async with opened(config) as room:
        await room.outbox.take(new_mail(room.mailbox))
        (claimed,) = await claim(room)
        message_id = claimed.sms.reference
        await start(room, message_id)
        done = await cancel(config, message_id)
        assert done.sentence == f"{message_id} is being handed to gateway simulator. Try again in a moment."


@pytest.mark.parametrize(
    ("told", "code"),
    [
        pytest.param(DELIVERED, 1, id="it has arrived after all"),
        pytest.param(CANCELLED, 0, id="the receipt says the same"),
    ],
)
async def test_a_receipt_that_is_faster_than_the_answer(told: MessageState, code: int, tmp_path: Path) -> None:
    """The provider calls before it answers."""
    hear: Callable[[], Awaitable[object]]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await hear()
        body = TAKEN_BACK.body.encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        config = configuration(tmp_path, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with opened(config) as room:
            message_id = await handed_over(room)

            async def hear() -> object:
                return await room.inbox.receipt(receipt(message_id, told, "1"), later(3))

            done = await cancel(config, message_id)
            assert done.code == code
            if code:
                assert done.sentence == (
                    f"Gateway simulator says that it took {message_id} back, and yet it is delivered. "
                    f"See `bridge trace {message_id}`."
                )
            assert await state(room, message_id) is told
