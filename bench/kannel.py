"""Kannel beside the bridge: how fast its own way goes, from HTTP `sendsms` to the bridge's SMSC of `bench.smsc`.

The clients are a process of their own (`python -m bench.kannel --port PORT --messages 4000`): as many connections as
those that hand mails to the bridge, each with one request at a time. What Kannel has taken it keeps in a spool of
files, without waiting for the disk (`store-type`); the bridge's 250 waits for it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bench import mails, peers
from bench.load import CLIENTS
from bench.peers import SMPP_PASSWORD, SMPP_USER, is_open, processor_time, running
from bench.queue import wait
from tests.servers.ports import free_port

SECONDS = 120.0
"""The longest that one run may take."""

TEXT = "Buongiorno, le ricordiamo la visita di domani alle 10:30 presso lo studio. Se non puo' venire ci avvisi."


@dataclass(frozen=True, slots=True)
class Passed:
    """What Kannel handed over."""

    rate: float
    """Messages a second between the first request and the last message at the SMSC."""
    cost: float
    """Microseconds of processor time, of bearerbox and smsbox together, for a message."""
    clients_busy: float
    """How busy the clients' own processor was: near 1 they were the limit."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the clients did."""

    began: float
    """Seconds of the machine's own clock."""
    busy: float


def measure(folder: Path, messages: int) -> Passed:
    """Let Kannel hand `messages` over while they are brought to it."""
    folder.mkdir()
    with peers.smsc(folder) as (url, count_url), _kannel(folder, urlsplit(url).port or 0) as (port, pids):
        command = [sys.executable, "-m", "bench.kannel", "--port", str(port), "--messages", str(messages)]
        used = sum(map(processor_time, pids))
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=SECONDS, check=True)
        count, sent = wait(count_url, messages), Sent(**json.loads(done.stdout))
        cost = (sum(map(processor_time, pids)) - used) / messages * 1e6
        return Passed(messages / (count.last - sent.began), cost, sent.busy)


@contextmanager
def _kannel(folder: Path, smsc_port: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """A Kannel bound to the SMSC: the port of `sendsms`, and its two processes."""
    port, boxes = free_port(), free_port()
    (folder / "spool").mkdir()
    settings = folder / "kannel.conf"
    settings.write_text(f"""
group = core
admin-port = {free_port()}
admin-interface = 127.0.0.1
admin-password = {SMPP_PASSWORD}
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
store-type = spool
store-location = {folder}/spool

group = smsc
smsc = smpp
host = 127.0.0.1
port = {smsc_port}
transceiver-mode = true
smsc-username = {SMPP_USER}
smsc-password = {SMPP_PASSWORD}
system-type = ""
max-pending-submits = 200

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {port}
sendsms-interface = 127.0.0.1

group = sendsms-user
username = {SMPP_USER}
password = {SMPP_PASSWORD}
""")
    with (folder / "kannel.log").open("ab") as log:
        bearerbox = running(["bearerbox", "-v", "4", str(settings)], log, lambda: is_open(boxes))
        with bearerbox as first, running(["smsbox", "-v", "4", str(settings)], log, lambda: is_open(port)) as second:
            yield port, (first.pid, second.pid)


async def send(port: int, messages: int) -> Sent:
    """Bring messages to `sendsms`, each after the answer to the one before on its connection."""
    numbers = iter(range(messages))
    used, began = time.process_time(), time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for index in numbers:
            asked = {"username": SMPP_USER, "password": SMPP_PASSWORD, "from": "+390200000001"}
            query = urlencode({**asked, "to": mails.number(index), "text": TEXT})
            writer.write(f"GET /cgi-bin/sendsms?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 202"), head
            (length,) = (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
        writer.close()

    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(client())
    return Sent(began, (time.process_time() - used) / (time.perf_counter() - began))


def main(arguments: Sequence[str]) -> None:
    """Read the command line, send, and print what was done."""
    parser = argparse.ArgumentParser(prog="python -m bench.kannel", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--messages", type=int, default=4000)
    chosen = parser.parse_args(arguments)
    print(json.dumps(asdict(asyncio.run(send(chosen.port, chosen.messages)))))


if __name__ == "__main__":
    main(sys.argv[1:])
