"""An SMSC that others wrote: the npm package `smpp`, run by Node.js with the script beside its list of packages.

https://github.com/farhadi/node-smpp. `make test` installs it; it decodes what we send with its own tables.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

PASSWORD = "s3cret-pw"
PATIENCE = 60.0

FOLDER = Path(__file__).parent / "npm"
MODULES = Path(__file__).parents[2] / ".tools" / "npm" / "node_modules"


@dataclass
class NpmSmsc:
    """One SMSC, and what it told: by the name of the event, in order."""

    process: Process
    port: int = 0
    told: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def hears(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until it has told of so many events of a name, and give them all."""
        async with asyncio.timeout(PATIENCE):
            while len(self.told[event]) < count:
                assert self.process.returncode is None, "the SMSC ended"
                self._news.clear()
                await self._news.wait()
        return self.told[event]

    def answers(self, *how: int | Literal["drop"]) -> None:
        """What the next submits are answered with: a status, or the end of their connection."""
        self._order("answer", how=how)

    async def deliver(self, text: str, source: str, destination: str, header: str = "", **more: Any) -> int:
        """Let a phone write; the status it is answered with. `header` is its user data header in hexadecimal."""
        numbers = {"source_addr_ton": 1, "source_addr": source, "dest_addr_ton": 1, "destination_addr": destination}
        return await self._ask("delivered", "deliver", pdu={**numbers, **more, "short_message": text}, header=header)

    async def enquire(self) -> int:
        """Ask whether we are there; the status that it is answered with."""
        return await self._ask("alive", "enquire")

    async def unbind(self) -> int:
        """Tell us to leave; the status that it is answered with."""
        return await self._ask("let go", "unbind")

    async def _ask(self, event: str, order: str, **more: Any) -> int:
        before = len(self.told[event])
        self._order(order, **more)
        status: int = (await self.hears(event, before + 1))[before]["status"]
        return status

    def _order(self, order: str, **more: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": order, **more}).encode() + b"\n")

    async def listen(self) -> None:
        """Take in what it tells, until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            news = json.loads(line)
            self.told[news.pop("event")].append(news)
            self._news.set()
        self._news.set()


@asynccontextmanager
async def npm_smsc(
    *,
    ids: Literal["hex", "decimal"] = "decimal",
    receipts: Literal["words", "tlv", ""] = "words",
    throttle_every: int = 0,
    drop_every: int = 0,
    tls: Mapping[str, str] | None = None,
) -> AsyncIterator[NpmSmsc]:
    """One on a free port of loopback; `tls` has `key` and `cert` in PEM.

    `ids` are written so in its answers; where those are hexadecimal, receipts in words have decimals with zeros before
    them. Every so many submits it throttles one, or drops the connection without an answer.
    """
    assert (MODULES / "smpp").is_dir(), "the npm package smpp is missing: run `make test`, or `make npm`"
    settings = {
        "password": PASSWORD,
        "ids": ids,
        "receipts": receipts,
        "throttleEvery": throttle_every,
        "dropEvery": drop_every,
        **(tls or {}),
    }
    node = shutil.which("node")
    assert node is not None, "Node.js is missing: run `make test`, or apt-get install nodejs"
    process = await asyncio.create_subprocess_exec(
        node,
        FOLDER / "smsc.js",
        json.dumps(settings),
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, "NODE_PATH": str(MODULES)},
    )
    smsc = NpmSmsc(process)
    listening = asyncio.create_task(smsc.listen())
    try:
        smsc.port = (await smsc.hears("ready"))[0]["port"]
        yield smsc
    finally:
        assert process.stdin is not None
        process.stdin.close()  # it ends when nobody gives it orders any more
        await process.wait()
        await listening
