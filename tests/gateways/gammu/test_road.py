"""The whole road over a real gammu-smsd: a mail goes on the air, what the phone answers comes back into its thread."""

from __future__ import annotations

from pathlib import Path

from bridge import clock
from tests.operation.served import Served
from tests.road.demo_process import DOMAIN, LOGIN, SENDER, compose
from tests.servers.gammu import ZONE, GammuServer

PHONE = "+393331234567"
TEXT = "La aspettiamo domani alle 9: 50 €"


def settings(database: str) -> str:
    return f"""
[gateways.modem]
kind = "gammu"
url = "{database}"
[gateways.modem.options]
number = "{SENDER}"
timezone = "{ZONE}"
[[routes]]
gateway = "modem"
"""


async def test_a_mail_leaves_by_a_modem_and_the_answer_comes_back(tmp_path: Path) -> None:
    smsd = GammuServer.create(None)
    bridge = Served(tmp_path, tmp_path / "data", settings(smsd.url))
    try:
        bridge.start()
        await smsd.start()
        mail = compose(LOGIN, [f"{PHONE}@{DOMAIN}"], TEXT)
        with bridge.smtp() as client:
            client.send_message(mail)
        await smsd.until(lambda: len(smsd.modem.sent) == 1)
        (sent,) = smsd.modem.sent
        assert (sent.number, sent.text) == (PHONE, TEXT)
        await smsd.until(lambda: smsd.sql("SELECT count(*) FROM sentitems") == "1")
        smsd.modem.reports(sent)
        await smsd.until(lambda: bridge.states() == {PHONE: "delivered"})
        smsd.modem.hears(PHONE, "Sì, grazie", at=clock.now())
        await smsd.until(lambda: bridge.reply() is not None)
        reply = bridge.reply()
        assert reply is not None
        assert reply["In-Reply-To"] == mail["Message-ID"]
        body = reply.get_body(("plain",))
        assert body is not None
        assert "Sì, grazie" in body.get_content()
    finally:
        bridge.stop()
        await smsd.remove()
