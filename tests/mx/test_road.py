"""The whole road of a clinic that writes from its provider: from there to the phone, and back into its mailbox.

A real Postfix stands for the provider. It looks for the bridge's domain and finds the MX door, delivers with STARTTLS,
and takes for the clinic's mailbox what the bridge sends back. What makes it the clinic's provider are the names that
the name server knows, and a signature by dkimpy.
"""

from __future__ import annotations

import smtplib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
import trustme

from bridge.app import Bridge
from bridge.demo_mailboxes import demo_mailbox
from bridge.settings import (
    MxSettings,
    OperatorSettings,
    RelaySettings,
    ReplySettings,
    SmtpSettings,
    TlsMode,
    demo_settings,
)
from bridge.simulator.server import Simulator
from bridge.store.store import Store
from tests.access.letters import signed
from tests.mx.conftest import ANNA, AWAY, HERE, letter
from tests.road.mail_server import OPERATOR, Clinic, Relay
from tests.servers.dns import Fault, NameServer
from tests.servers.ports import free_port
from tests.servers.postfix import PostfixServer
from tests.servers.web import NOBODY
from tests.store.conftest import DOMAIN

NUMBER = "+393331270001"
CLOSED = "gone@clinic.example"
EVE = "eve@other.example"
SIGNED = "from:to:subject:date:message-id"
_SECRET = "a secret of two"


@pytest.fixture(scope="module")
def provider() -> Iterator[Relay]:
    """A Postfix that finds the MX door for the bridge's domain; all mailboxes but one are with it."""
    door, mailboxes = free_port(), free_port()
    routes = f"{{{CLOSED} = error:5.1.1 no such mailbox}}, {{{DOMAIN} = smtp:[127.0.0.1]:{door}}}"
    settings = {
        "transport_maps": f"inline:{{ {routes}, {{* = smtp:[127.0.0.1]:{mailboxes}}} }}",
        "smtpd_reject_unlisted_recipient": "no",
        "smtp_tls_security_level": "may",
        "smtp_tls_loglevel": "1",
        "minimal_backoff_time": "1s",
    }
    postfix = PostfixServer.create(settings)
    yield Relay(postfix, door, mailboxes)
    postfix.remove()


@pytest.fixture
async def at(
    provider: Relay, names: NameServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Clinic]:
    """The bridge between the provider and the phones."""
    monkeypatch.setattr("bridge.access.dns.FAILURE", 0.0)  # as if the provider waited longer
    names.zone, names.faults, names.delay = dict(HERE), {}, 0.0
    async with bridge(provider, names, tmp_path) as running:
        yield running


@asynccontextmanager
async def bridge(provider: Relay, names: NameServer, folder: Path) -> AsyncIterator[Clinic]:
    certificate = folder / "mx.pem"
    trustme.CA().issue_cert("sms.clinic.example").private_key_and_cert_chain_pem.write_to_path(certificate)
    certificate.chmod(0o640)
    http_port = free_port()
    base = f"http://127.0.0.1:{http_port}"
    mx = MxSettings(host="127.0.0.1", port=provider.bridge_port, name_servers=(f"127.0.0.1:{names.port}",))
    settings = demo_settings(folder, free_port(), http_port, provider.mailbox_port, _SECRET).model_copy(
        update={
            "mx": mx,
            "smtp": SmtpSettings(port=free_port(), certificate=certificate, private_key=certificate),
            "relay": RelaySettings(host="127.0.0.1", port=provider.postfix.port, tls=TlsMode.NONE),
            "operator": OperatorSettings(address=OPERATOR),
            "replies": ReplySettings(fallback=ANNA),
        }
    )
    simulator = Simulator(folder, f"{base}/hooks/simulator", _SECRET, mail_port=provider.mailbox_port)
    await simulator.start()
    async with Store(settings) as store:
        for login in (ANNA, CLOSED):
            await store.mailboxes.add(replace(demo_mailbox(login), addresses=()))
    running = Bridge(settings, simulator.routes)
    await running.start()
    try:
        async with httpx.AsyncClient(base_url=base, verify=NOBODY) as http:
            yield Clinic(running, provider.postfix, http)
    finally:
        await simulator.hang_up()
        await running.stop()
        await simulator.stop()


def writes(at: Clinic, raw: bytes, *, sender: str = ANNA, to: str = f"{NUMBER}@{DOMAIN}") -> None:
    """Somebody hands a mail to the provider."""
    with smtplib.SMTP("127.0.0.1", at.postfix.port, timeout=30) as client:
        client.sendmail(sender, [to], raw)


async def texts(at: Clinic) -> list[str]:
    """What the phone has got."""
    found = (await at.http.get(f"/simulator/api/phones/{NUMBER}")).json()["messages"]
    return [each["text"] for each in found]


async def test_a_text_its_report_its_answer_and_the_answer_to_that(at: Clinic) -> None:
    asking = letter(ANNA, "X-SMS-Confirm: all", to=f"{NUMBER}@{DOMAIN}", text="Tomorrow at nine?")
    writes(at, signed(asking, names=SIGNED))
    await at.until(lambda: _has(at, ["Tomorrow at nine?"]))
    assert "250 2.0.0 Taken as " in at.postfix.log()
    assert "TLS connection established to 127.0.0.1" in at.postfix.log()
    await at.texts_back(NUMBER, "Could it be ten?")
    await at.until(lambda: _kinds(at, 2))
    report, answer = sorted(await at.mails(ANNA), key=lambda mail: mail.get_content_type(), reverse=True)
    assert (report.get_content_type(), answer.get_content_type()) == ("multipart/report", "multipart/alternative")
    assert report["In-Reply-To"] == answer["In-Reply-To"] == "<1@clinic.example>"
    assert "dsn;250" not in report.as_string()
    (way_back,) = answer["Reply-To"].addresses
    assert way_back.domain == DOMAIN
    writes(at, _answer(answer, "Ten is fine, see you then."), to=way_back.addr_spec)
    await at.until(lambda: _has(at, ["Tomorrow at nine?", "Ten is fine, see you then."]))


async def test_a_forged_mail_goes_back_to_who_sent_it(at: Clinic) -> None:
    writes(at, letter(ANNA, to=f"{NUMBER}@{DOMAIN}", message_id="<forged@x>"), sender=EVE)
    await at.until(lambda: at.mails(EVE))
    (bounce,) = await at.mails(EVE)
    assert bounce.get_content_type() == "multipart/report"
    assert "550 5.7.26 Neither SPF nor DKIM passed for clinic.example" in " ".join(bounce.as_string().split())
    assert await at.phones() == []


async def test_while_dns_is_down_the_provider_waits(at: Clinic, names: NameServer) -> None:
    names.zone |= AWAY
    names.faults = {"s1._domainkey.clinic.example": Fault.SERVFAIL}
    writes(at, signed(letter(ANNA, to=f"{NUMBER}@{DOMAIN}", message_id="<down@x>"), names=SIGNED))
    await at.until(at.postfix.queue)
    await at.until(lambda: "451 4.4.3 The sender cannot be verified now" in at.postfix.log())
    assert await at.phones() == []
    names.faults = {}
    at.postfix.flush()
    await at.until(lambda: _has(at, ["Your visit is on Monday at 10."]))
    await at.until(lambda: not at.postfix.queue())


async def test_an_answer_that_does_not_arrive_comes_back_by_the_same_door(at: Clinic) -> None:
    """Whoever makes the bounce needs no permission: it comes to an address that only the bridge can have made."""
    writes(at, letter(CLOSED, to=f"{NUMBER}@{DOMAIN}", message_id="<lost@x>"), sender=CLOSED)
    await at.until(lambda: _has(at, ["Your visit is on Monday at 10."]))
    await at.texts_back(NUMBER, "I am ill.")
    await at.until(lambda: "250 2.0.0 Bounce taken." in at.postfix.log())
    await at.until(lambda: at.mails(ANNA))
    await at.quiet()
    assert ("reply", CLOSED, "bounced") in at.outgoing()
    (told,) = await at.mails(OPERATOR)
    body = told.get_body(("plain",))
    assert body is not None
    assert "does not know this address (5.1.1)" in " ".join(str(body.get_content()).split())


def _answer(mail: EmailMessage, text: str) -> bytes:
    """What Anna answers, as her provider sends it."""
    raw = letter(
        ANNA,
        f"In-Reply-To: {mail['Message-ID']}",
        to=str(mail["Reply-To"].addresses[0].addr_spec),
        text=text,
        message_id="<2@clinic.example>",
    )
    assert message_from_bytes(raw, policy=policy.default)["From"] == ANNA
    return signed(raw, names=SIGNED)


async def _has(at: Clinic, wanted: list[str]) -> bool:
    return await texts(at) == wanted


async def _kinds(at: Clinic, count: int) -> bool:
    return len(await at.mails(ANNA)) == count
