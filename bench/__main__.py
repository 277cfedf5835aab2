"""`make bench`: measures the bridge beside its peers in one run and prints the figures and their ratios.

`python -m bench [--quick] [--only SECTION…]`. It needs root, as Postfix does, and about a quarter of an hour;
`--quick` tries everything with a tenth of the mails, too few for figures. `docs/performance.md` keeps those of one run.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import attachment, claiming, filing, kannel, nodes, parsing, peers, queue, steady
from bench.door import Figure, Numbers, Way, measure

TARGETS = {"a connection for each mail": 2.0, "kept connections": 3.5, "TLS and login for each mail": 0.8}
"""How many times as fast as Postfix the bridge is to be."""

REFERENCE = "Postfix"
LONG_QUEUE = 100_000
QUEUE_MEGABYTES = 250
SECTIONS = ("doors", "attachments", "parsing", "queue", "smpp", "steady", "claiming", "nodes", "filing")
ATTACHMENT_MS = 5.0
"""Milliseconds of processor time for each megabyte of a mail with a large attachment."""
LINEAR = 0.9
"""How near to so many times one node several are to be."""
HTTP_RATE, SMPP_RATE = 500, 1_500
"""Messages a second out of a full queue with default settings."""
MANY = 200
"""As many in flight as a generous SMSC's window allows."""
STEADY_MS, STEADY_SECONDS = 50.0, 30
"""Median from a mail's 250 to its submit_sm; how long mails come at a steady rate."""
CLAIMED = 1_000_000
CLAIMING_GROWS = 20.0
"""MB of memory that claiming a long queue may take more at its end than after its first tenth."""
FOLDERS = 5_000
FILING_MS = 50.0


def main(arguments: Sequence[str]) -> None:
    """Measure everything, and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--mails", type=int, default=4000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="sections to measure")
    chosen = parser.parse_args(arguments)
    count, turns, long_queue = chosen.mails, chosen.turns, LONG_QUEUE
    if chosen.quick:
        count, turns, long_queue = count // 10, 1, long_queue // 10
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        print(_machine(), flush=True)
        folders, filings = (FOLDERS // 10, 10) if chosen.quick else (FOLDERS, 50)
        sections: Mapping[str, Callable[[], None]] = {
            "doors": lambda: _doors(folder, count, turns),
            "attachments": lambda: _attachments(folder, max(2, count // 200), turns),
            "parsing": _parsing,
            "queue": lambda: _queue(folder, long_queue, count),
            "smpp": lambda: _smpp(folder, count * 2),
            "steady": lambda: _steady(folder, steady.RATE * (STEADY_SECONDS // 10 if chosen.quick else STEADY_SECONDS)),
            "claiming": lambda: _claiming(folder, CLAIMED // 20 if chosen.quick else CLAIMED),
            "nodes": lambda: _nodes(folder, count),
            "filing": lambda: _filing(folder, folders, filings),
        }
        for section in SECTIONS:
            if section in chosen.only:
                sections[section]()
    print(f"\nLoad of the machine at the end: {_load()}")


def _doors(folder: Path, count: int, turns: int) -> None:
    pem = peers.certificate(folder)
    with ExitStack() as stack:
        running = [
            stack.enter_context(peer)
            for peer in (
                peers.bridge(folder / "bridge", pem, "http://127.0.0.1:9"),
                peers.postfix(REFERENCE, folder / "postfix", pem, peers.QUEUES),
                peers.postfix("Postfix, on hold", folder / "postfix-hold", pem, peers.HOLDS),
                peers.smtp_sink(folder),
                peers.aiosmtpd_sink(folder, pem),
            )
        ]
        for way, figures in measure(running, Numbers(), count, turns):
            _table(way, figures)


def _attachments(folder: Path, count: int, turns: int) -> None:
    pem = peers.certificate(folder)
    print(f"\nProcessor time of the server for a mail of {attachment.OCTETS // 1_000_000} MB, most of it an attachment")
    with ExitStack() as stack:
        running = [
            stack.enter_context(peer)
            for peer in (
                peers.bridge(folder / "attachments", pem, "http://127.0.0.1:9"),
                peers.postfix(REFERENCE, folder / "attachments-postfix", pem, peers.QUEUES),
                peers.aiosmtpd_sink(folder, pem),
            )
        ]
        plain: dict[str, float] = {}
        numbers = Numbers()
        for tls in (False, True):
            for name, cost in attachment.measure(running, numbers, count, turns, tls=tls).items():
                plain.setdefault(name, cost)
                print(f"  {name:17} {'TLS and login' if tls else 'in the clear':13} {cost:6.1f} ms a MB   {_load()}")
    _verdict(plain["bridge"] < ATTACHMENT_MS, f"{plain['bridge']:.1f} ms", f"under {ATTACHMENT_MS:.0f} ms")


def _table(way: Way, figures: Mapping[str, Figure]) -> None:
    reference, target = figures[REFERENCE].rate, TARGETS[way.name]
    print(f"\nAccepting mail, {way.name}")
    print("                    mails/s        x Postfix   median   99 %  server/mail  clients busy")
    for name, figure in figures.items():
        print(
            f"  {name:17} {figure.rate:7.0f} ±{figure.spread:4.0%} {figure.rate / reference:9.2f}"
            f" {figure.median:8.1f} {figure.p99:6.1f} ms {figure.server_cpu:6.0f} µs {figure.client_share:10.0%}"
        )
    ratio = figures["bridge"].rate / reference
    print(f"  {'reached' if ratio >= target else 'MISSED'}: {ratio:.2f} x Postfix, the target is {target}", flush=True)


def _parsing() -> None:
    print("\nReading one mail, without I/O")
    for cost in parsing.costs():
        size = f"{cost.octets} octets" if cost.octets else ""
        print(f"  {cost.step:50} {size:>13} {cost.median:8.0f} µs", flush=True)


def _queue(folder: Path, long_queue: int, count: int) -> None:
    pem = peers.certificate(folder)
    memory = queue.memory(folder / "memory", pem, long_queue)
    verdict = "reached" if max(memory.filling, memory.restarted) < QUEUE_MEGABYTES else "MISSED"
    print(f"\nResident memory of the serving process with {memory.messages} messages queued")
    print(f"  while they came {memory.filling:.0f} MB, after a restart {memory.restarted:.0f} MB")
    print(f"  {verdict}: the target is under {QUEUE_MEGABYTES} MB", flush=True)
    dispatch = queue.dispatch(folder / "dispatch", pem, count)
    possible = queue.IN_FLIGHT / queue.PAUSE
    print(f"\nHanding over to a provider that takes {queue.PAUSE * 1000:.0f} ms ({possible:.0f} a second are possible)")
    print(
        f"  out of a full queue     {dispatch.queued.rate:6.0f}/s, {dispatch.queued.most_at_once} at once at the most"
    )
    print(f"  while mails come in     {dispatch.passing.rate:6.0f}/s, beside {dispatch.mails:.0f} mails/s taken")
    _verdict(dispatch.queued.rate >= HTTP_RATE, f"{dispatch.queued.rate:.0f}/s", f"{HTTP_RATE}/s")


def _smpp(folder: Path, messages: int) -> None:
    pem = peers.certificate(folder)
    print("\nHanding over by SMPP to an SMSC that answers at once")
    plain = queue.by_smpp(folder / "smpp", pem, messages)
    _rate("bridge, out of a full queue", plain.rate)
    _verdict(plain.rate >= SMPP_RATE, f"{plain.rate:.0f}/s", f"{SMPP_RATE}/s")
    many = queue.by_smpp(folder / f"smpp-{MANY}", pem, messages, in_flight=MANY)
    _rate(f"bridge, the same with {MANY} in flight and a window of {MANY}", many.rate)
    told = queue.by_smpp(folder / "smpp-receipts", pem, messages, receipts=True)
    _rate("bridge, out of a full queue, until the last receipt is kept", told.rate_with_receipts)
    passing = queue.through_smpp(folder / "smpp-passing", pem, messages)
    _rate("bridge, while mails come in", passing.rate)
    peer = kannel.measure(folder / "kannel", messages)
    _rate("Kannel, while requests come in by HTTP", peer.rate)
    print(f"  Kannel takes {peer.cost:.0f} µs a message; its clients were busy {peer.clients_busy:.0%}", flush=True)


def _rate(what: str, rate: float) -> None:
    print(f"  {what:60} {rate:8.0f}/s   load {_load()}", flush=True)


def _steady(folder: Path, count: int) -> None:
    waits = steady.measure(folder / "steady", peers.certificate(folder), count)
    print(f"\nFrom a mail's 250 to its message at the SMSC, {waits.rate:.0f} mails a second")
    print(
        f"  median {waits.median:.1f} ms, 99 % under {waits.p99:.1f} ms, longest {waits.longest:.1f} ms; load {_load()}"
    )
    print(f"  no mail began more than {waits.late:.1f} ms late")
    _verdict(waits.median < STEADY_MS, f"{waits.median:.1f} ms", f"under {STEADY_MS:.0f} ms")


def _claiming(folder: Path, count: int) -> None:
    pem = peers.certificate(folder)
    print(f"\nClaiming {count} messages that are due, {claiming.AT_ONCE} at once")
    _claims("SQLite", claiming.measure(folder / "claiming", pem, count))
    with nodes.server() as postgres:
        postgres.sql("CREATE DATABASE claiming")
        place = folder / "claiming-postgres"
        _claims("PostgreSQL", claiming.measure(place, pem, count, postgres.url("claiming")))


def _claims(database: str, claims: claiming.Claims) -> None:
    memory = " ".join(f"{value:.0f}" for value in claims.megabytes)
    print(f"  {database}: {claims.messages} in {claims.seconds:.0f} s, {claims.messages / claims.seconds:.0f}/s")
    print(f"  resident MB after each tenth: {memory}")
    _verdict(claims.growth < CLAIMING_GROWS, f"{claims.growth:.1f} MB more", f"under {CLAIMING_GROWS:.0f} MB")
    _verdict(not claims.out_of_order, f"{claims.out_of_order} out of the order in which they were due", "none")


def _verdict(reached: bool, measured: str, target: str) -> None:
    print(f"  {'reached' if reached else 'MISSED'}: {measured}, the target is {target}", flush=True)


def _nodes(folder: Path, count: int) -> None:
    pem = peers.certificate(folder)
    print(f"\nNodes on one PostgreSQL, handing over to a provider that takes {queue.PAUSE * 1000:.0f} ms")
    print("                                       messages/s  of linear  bridge/message  processors busy   load")
    with nodes.server() as postgres:
        for in_flight, messages, numbers in ((nodes.FEW, count // 20, (1, 2, 3)), (nodes.MANY, count // 4, (1, 3))):
            found = []
            for number in numbers:
                place = folder / f"nodes-{number}-{in_flight}"
                found.append(nodes.measure(place, pem, postgres, number, in_flight, messages * number))
                _node(found[-1], found[-1].rate / found[0].rate / number)
            if in_flight == nodes.FEW:
                worst = min(some.rate / found[0].rate / some.nodes for some in found)
                verdict = "reached" if worst >= LINEAR else "MISSED"
                print(f"  {verdict}: {worst:.2f} of linear, the target is {LINEAR}", flush=True)


def _node(some: nodes.Nodes, linear: float) -> None:
    cores = len(os.sched_getaffinity(0))
    print(
        f"  {some.nodes} with {some.in_flight:2} in flight (at best {some.nodes * some.in_flight / queue.PAUSE:4.0f}/s)"
        f" {some.rate:10.0f} {linear:10.2f} {some.processor:12.0f} µs {some.busy:10.1f} of {cores}   {_load()}",
        flush=True,
    )


def _filing(folder: Path, folders: int, filings: int) -> None:
    took = filing.measure(folder / "filing", peers.certificate(folder), folders, filings)
    print(f"\nFiling a text in an IMAP account of {took.folders} folders (Dovecot), from the provider's answer on")
    for name, (median, p95) in (("a folder that is there", took.there), ("a new folder", took.new)):
        print(f"  into {name:25} median {median:6.1f} ms, 95 % under {p95:6.1f} ms   load {_load()}")
    verdict = "reached" if took.there[0] <= FILING_MS else "MISSED"
    print(f"  {verdict}: {took.there[0]:.1f} ms, the target is {FILING_MS:.0f} ms", flush=True)


def _machine() -> str:
    cores = len(os.sched_getaffinity(0))
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return f"{cores} cores ({model}), Linux {platform.release()}, Python {platform.python_version()}, load {_load()}"


def _load() -> str:
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


if __name__ == "__main__":
    main(sys.argv[1:])
