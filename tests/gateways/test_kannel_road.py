"""The whole road over a real Kannel: a mail becomes an SMS, and what the phone answers comes back into its thread."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.operation.served import Served
from tests.road.demo_process import DOMAIN, LOGIN, SENDER, compose, eventually
from tests.servers.kannel import PASSWORD, USER, KannelServer, until
from tests.servers.ports import free_port

PHONE = "+393331234567"


@dataclass
class ServedByKannel(Served):
    """A bridge whose texts leave by a Kannel on `kannel_port`."""

    kannel_port: int = 0

    def _configuration(self) -> str:
        self.sections = f"""
[gateways.kannel]
kind = "kannel"
url = "http://127.0.0.1:{self.kannel_port}"
account = "{USER}"
secret = "{PASSWORD}"
[[routes]]
gateway = "kannel"
"""
        public_url = f'[http]\npublic_url = "http://127.0.0.1:{self.http_port}"\n'
        return super()._configuration().replace("[http]\n", public_url)

    def inbound(self) -> str:
        """The address that the bridge prints for Kannel's `post-url`, with what its page adds."""
        gateways = json.loads(self.command("gateways", "--json"))
        address = next(each["callbacks"]["inbound"] for each in gateways if each["name"] == "kannel")
        return f"{address}?id=%I&from=%p&to=%P&time=%T"


async def test_a_mail_leaves_by_kannel_and_the_answer_comes_back(tmp_path: Path) -> None:
    bridge = ServedByKannel(tmp_path, tmp_path / "data", kannel_port=free_port())
    async with AsyncExitStack() as running:
        running.callback(bridge.stop)
        bridge.start()
        kannel = await KannelServer.create(bridge.inbound(), bridge.kannel_port)
        running.push_async_callback(kannel.remove)
        mail = compose(LOGIN, [f"{PHONE}@{DOMAIN}"], "La aspettiamo domani alle 9.")
        with bridge.smtp() as client:
            client.send_message(mail)
        await until(lambda: bridge.states() == {PHONE: "delivered"}, kannel.log)
        assert [got.body.decode() for got in kannel.segments()] == ["La aspettiamo domani alle 9."]
        await kannel.write(PHONE, SENDER, "Sì, grazie: 5 €")
        reply = eventually(bridge.reply)
        assert reply["In-Reply-To"] == mail["Message-ID"]
        body = reply.get_body(("plain",))
        assert body is not None
        assert "Sì, grazie: 5 €" in body.get_content()
