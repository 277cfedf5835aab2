"""What a large attachment costs a server: processor time for each megabyte of a mail, beside its peers in one run.

The mails come over kept connections, a few at a time; the time is that of the server's processes alone.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence

from bench.door import Numbers, Way, hand_in
from bench.peers import Peer, processor_time

OCTETS = 10_000_000
"""Of a mail. Postfix takes 10,240,000 by default."""
CLIENTS = 2


def measure(peers: Sequence[Peer], numbers: Numbers, mails: int, turns: int, *, tls: bool) -> dict[str, float]:
    """Milliseconds of processor time for each megabyte, by the peer's name: the median of the turns."""
    able = [peer for peer in peers if not tls or peer.tls_port is not None]
    options = ("--kept", "--octets", str(OCTETS), "--clients", str(CLIENTS), *(("--tls", "--login") if tls else ()))
    way = Way("attachments", options, tls=tls, share=1.0)
    costs: dict[str, list[float]] = {peer.name: [] for peer in able}
    for turn, peer in itertools.product(range(turns + 1), able):
        used = processor_time(peer.pid)
        load = hand_in(peer, way, numbers, mails)
        if turn:  # the first one warms up
            costs[peer.name].append((processor_time(peer.pid) - used) / load.mails / OCTETS * 1e9)
    return {name: statistics.median(cost) for name, cost in costs.items()}
