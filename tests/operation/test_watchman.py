"""A bridge whose gateway is down: the operator hears of it once, and once more when it is over."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
import structlog
from aiosmtpd.smtp import SMTP
from pydantic import SecretStr

from bridge import stations, treasurer, watchman
from bridge.access.credentials import hash_password
from bridge.app import Bridge
from bridge.consent import kept
from bridge.demo_mailboxes import demo_mailbox
from bridge.mailbox_door import door as mailbox_door
from bridge.settings import (
    GatewaySettings,
    MailAuth,
    OAuthProvider,
    OAuthSettings,
    OperatorSettings,
    Settings,
    TlsMode,
    WatchSettings,
    demo_settings,
)
from bridge.simulator.server import Simulator
from bridge.store.store import Store
from bridge.web.app import build_web
from bridge.web.server import WebServer
from tests.gateways.provider import Play, run_provider
from tests.mailback.imap import scripted_imap
from tests.road.demo_process import LOGIN, PASSWORD, eventually
from tests.servers.mail_server import MailServer, silent
from tests.servers.ports import free_port
from tests.servers.tokens import TokenServer
from tests.servers.web import NOBODY
from tests.web.parts import all_is_well

OPERATOR = "it@clinic.example"
SECRET = "a-shared-secret-of-two"
PHONE = "+393478000000"
HUGE = 1_000_000_000_000_000
"""Bytes that no disk has."""
TEXT = "Your visit is tomorrow at 10:30."


@pytest.fixture
async def mail_server() -> AsyncIterator[tuple[MailServer, int]]:
    handler = MailServer()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(handler, hostname="localhost"), "127.0.0.1", 0)
    yield handler, server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes are hundredths of a second."""
    monkeypatch.setattr(watchman.Watchman, "pause", 0.05)
    monkeypatch.setattr(watchman, "AWAY", watchman.AWAY / 200)
    monkeypatch.setattr(watchman, "AGAIN", watchman.AGAIN / 200)
    monkeypatch.setattr(treasurer.Treasurer, "pause", 0.05)
    monkeypatch.setattr(treasurer, "EVERY", timedelta(0))


@pytest.fixture
def settings(tmp_path: Path, mail_server: tuple[MailServer, int]) -> Settings:
    """A bridge whose gateway is a port on which nothing listens yet."""
    made = demo_settings(tmp_path, free_port(), free_port(), mail_server[1], SECRET)
    gateway = made.gateways["simulator"]
    url = f"http://127.0.0.1:{free_port()}/simulator/provider"
    return made.model_copy(
        update={
            "gateways": {"simulator": gateway.model_copy(update={"url": url})},
            "sending": made.sending.model_copy(update={"first_retry": 0.05, "max_retry": 0.2}),
            "operator": OperatorSettings(address=OPERATOR, refusing_for=0.5),
        }
    )


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Bridge]:
    async with Store(settings) as store:
        if store.directory.by_login(LOGIN) is None:
            await store.mailboxes.add(demo_mailbox(LOGIN, hash_password(PASSWORD)))
    bridge = Bridge(settings)
    await bridge.start()
    try:
        yield bridge
    finally:
        await bridge.stop()


@asynccontextmanager
async def phone_network(settings: Settings) -> AsyncIterator[None]:
    """The provider comes back, on the port that the gateway has tried all the time."""
    port = httpx.URL(settings.gateways["simulator"].url).port
    assert port is not None
    simulator = Simulator(settings.data_dir, f"{settings.http.public_url}/hooks/simulator", SECRET)

    async def drop(events: object) -> None:
        return None

    web = WebServer(build_web({}, drop, all_is_well, simulator.routes), "127.0.0.1", port)
    await simulator.start()
    await web.start()
    try:
        yield
    finally:
        await simulator.hang_up()
        await web.stop()
        await simulator.stop()


def text(settings: Settings) -> None:
    with smtplib.SMTP("127.0.0.1", settings.smtp.port, timeout=20) as client:
        client.login(LOGIN, PASSWORD)
        client.sendmail(LOGIN, f"{PHONE}@{settings.domain}", f"Subject: Hello\r\n\r\n{TEXT}\r\n")


async def until(look: Callable[[], object]) -> None:
    """Returns when `look` finds something, which happens in another task or thread."""
    await asyncio.to_thread(eventually, look)


async def ready(settings: Settings) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, verify=NOBODY) as http:
        return await http.get(f"http://127.0.0.1:{settings.http.port}/readyz")


async def test_one_mail_when_an_account_runs_dry_and_one_when_it_was_topped_up(
    settings: Settings, mail_server: tuple[MailServer, int]
) -> None:
    server = mail_server[0]
    async with run_provider() as provider:
        second = GatewaySettings(
            kind="vonage", url=provider.url, account="key", secret=SecretStr("secret"), balance_below=Decimal(50)
        )
        gateways = {**settings.gateways, "second": second}
        provider.script.extend([Play(200, '{"value": 9.5}')])
        async with running(settings.model_copy(update={"gateways": gateways})):
            await until(lambda: len(server.subjects(OPERATOR)) == 1)
            parts = (await ready(settings)).json()["parts"]
            assert parts["balance second"].startswith("Left on the account of gateway second: 9.5 EUR.")
            provider.script.extend([Play(200, '{"value": 80}')])
            await until(lambda: len(server.subjects(OPERATOR)) == 2)
    assert server.subjects(OPERATOR) == [
        "SMS bridge: the account of gateway second runs dry",
        "SMS bridge: over: the account of gateway second runs dry",
    ]


async def test_one_mail_when_somebody_must_consent_and_one_when_somebody_has(
    settings: Settings, mail_server: tuple[MailServer, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watched mailbox of which the provider takes the consent no more; a new one counts at the next look."""
    monkeypatch.setattr(mailbox_door, "MAX_RETRY", 0.05)
    server, account, name = mail_server[0], "sms@clinic.example", "main"
    provider = TokenServer()
    application = OAuthSettings(
        provider=OAuthProvider.OTHER,
        client_id="bridge",
        token_url=f"{provider.base}/token",
        device_url=f"{provider.base}/device",
        scopes=("imap",),
    )
    greeting = {
        "CAPABILITY": "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n{tag} OK done",
        "SELECT": "* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT 1]\r\n{tag} OK done",
    }
    async with scripted_imap(greeting) as imap:
        watch = WatchSettings(
            host="127.0.0.1",
            port=imap.port,
            tls=TlsMode.NONE,
            auth=MailAuth.XOAUTH2,
            username=account,
            oauth=name,
            authserv_ids=("mx.google.com",),
        )
        changes = {"oauth": {name: application}, "watch": {account: watch}}
        file = kept.place(settings.data_dir, name, account)
        kept.write(file, "one that is over")
        async with running(settings.model_copy(update=changes)):
            await until(lambda: len(server.subjects(OPERATOR)) == 1)
            parts = (await ready(settings)).json()["parts"]
            assert "(invalid_grant AADSTS700082); run `bridge mailbox connect" in parts[f"consent {account}"]
            kept.write(file, provider.consented(account))
            await until(lambda: len(server.subjects(OPERATOR)) >= 2)
    provider.close()
    title = f"{account} waits for consent"
    assert [each for each in server.subjects(OPERATOR) if title in each] == [
        f"SMS bridge: {title}",
        f"SMS bridge: over: {title}",
    ]


async def test_one_mail_when_the_gateway_refuses_and_one_when_it_takes_again(
    settings: Settings, mail_server: tuple[MailServer, int]
) -> None:
    server = mail_server[0]
    async with running(settings):
        await asyncio.to_thread(text, settings)
        await until(lambda: len(server.subjects(OPERATOR)) == 1)
        answer = await ready(settings)
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded"), "mail is still taken"
        assert answer.json()["parts"]["gateway simulator"].startswith("Every try to hand a message to gateway")
        async with phone_network(settings):
            await until(lambda: len(server.subjects(OPERATOR)) == 2)
            assert (await ready(settings)).json()["status"] == "ok"
    assert server.subjects(OPERATOR) == [
        "SMS bridge: gateway simulator takes nothing",
        "SMS bridge: over: gateway simulator takes nothing",
    ]
    begins, over = (mail for mail in server.mails if mail["To"] == OPERATOR)
    assert over["In-Reply-To"] == begins["Message-ID"]
    assert "messages for phones 1," in begins.get_content()
    assert PHONE[-6:] not in begins.as_string()


async def test_a_restart_does_not_say_it_again(settings: Settings, mail_server: tuple[MailServer, int]) -> None:
    server = mail_server[0]
    async with running(settings):
        await asyncio.to_thread(text, settings)
        await until(lambda: len(server.subjects(OPERATOR)) == 1)
    async with running(settings), phone_network(settings):
        await until(lambda: len(server.subjects(OPERATOR)) == 2)
    assert server.subjects(OPERATOR)[1].startswith("SMS bridge: over: ")


async def test_while_the_mail_server_refuses_the_log_says_it_and_the_mail_follows(
    settings: Settings, mail_server: tuple[MailServer, int]
) -> None:
    server = mail_server[0]
    server.refuses = True
    with structlog.testing.capture_logs() as lines:
        async with running(settings):
            await asyncio.to_thread(text, settings)
            await until(lambda: any(line["event"] == "alert.not_mailed" for line in lines))
            assert server.subjects(OPERATOR) == []
            server.refuses = False
            await until(lambda: len(server.subjects(OPERATOR)) == 1)
    begins = next(line for line in lines if line["event"] == "alert.begins")
    assert (begins["log_level"], begins["kind"], begins["part"]) == ("error", "gateway", "simulator")


async def test_a_silent_mail_server_keeps_nobody_from_looking(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stations, "ALERT_TIMEOUT", 0.2)
    port = free_port()
    operator = settings.operator.model_copy(update={"disk_free_below": HUGE})
    relay = settings.relay.model_copy(update={"port": port})
    with structlog.testing.capture_logs() as lines, silent(port):

        def events(name: str) -> list[str]:
            return sorted(line["kind"] for line in lines if line["event"] == name)

        async with running(settings.model_copy(update={"operator": operator, "relay": relay})):
            await asyncio.to_thread(text, settings)
            await until(lambda: events("alert.not_mailed")[:2] == ["disk", "disk"])
            await until(lambda: set(events("alert.begins")) == {"disk", "gateway"})
            await until(lambda: "gateway" in events("alert.not_mailed"))


async def test_a_full_disk_is_told_and_mail_is_answered_later(
    settings: Settings, mail_server: tuple[MailServer, int]
) -> None:
    full = settings.model_copy(
        update={
            "smtp": settings.smtp.model_copy(update={"disk_reserve": HUGE}),
            "operator": settings.operator.model_copy(update={"disk_free_below": HUGE}),
        }
    )
    async with running(full):
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            await asyncio.to_thread(text, full)
        await until(lambda: mail_server[0].subjects(OPERATOR) == ["SMS bridge: the disk is nearly full"])
        answer = await ready(full)
        assert answer.status_code == 503, "another node may have room"
        assert "disk" in {name for name, said in answer.json()["parts"].items() if said != "ok"}
    assert refused.value.smtp_code == 452
    assert isinstance(refused.value.smtp_error, bytes)
    assert refused.value.smtp_error.startswith(b"4.3.1 ")
