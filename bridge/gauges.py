"""What holds at the moment somebody asks for metrics: the queue, mails, filings, webhooks and the disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily

from bridge import clock
from bridge.disk import Disk
from bridge.errors import StoreUnavailable
from bridge.store.backlog import Backlog, WaitsFor


async def gauges(backlog: Callable[[datetime], Awaitable[Backlog]], disk: Disk) -> list[GaugeMetricFamily]:
    """All of them. While the database cannot be read, those that it holds are left out, and `bridge_store_up` is 0."""
    now = clock.now()
    free = GaugeMetricFamily("bridge_disk_free_bytes", "Room on the disk of the store.", value=disk.free())
    try:
        waiting = await backlog(now)
    except StoreUnavailable:
        return [free, _up(False)]
    parts = (_messages, _mails, _filings, _webhooks)
    return [free, _up(True), *(each for part in parts for each in part(waiting, now))]


def _up(up: bool) -> GaugeMetricFamily:
    return GaugeMetricFamily("bridge_store_up", "Whether the database can be read.", value=int(up))


def _messages(backlog: Backlog, now: datetime) -> list[GaugeMetricFamily]:
    labels = ["gateway", "waits_for"]
    count = GaugeMetricFamily(
        "bridge_messages_waiting",
        "Messages that are not with a gateway yet, by what they wait for: their turn, their pace, a retry, the time "
        "their sender asked for, a paused mailbox, the gateway's answer.",
        labels=labels,
    )
    age = GaugeMetricFamily(
        "bridge_messages_waiting_oldest_seconds", "How long the oldest of them could have left.", labels=labels
    )
    for each in backlog.messages:
        count.add_metric([each.gateway, each.waits_for.value], each.count)
        if each.since is not None:
            age.add_metric([each.gateway, each.waits_for.value], _age(each.since, now))
    return [count, age]


def _mails(backlog: Backlog, now: datetime) -> list[GaugeMetricFamily]:
    count = GaugeMetricFamily(
        "bridge_mails_waiting", "Reports and replies that no mail server has taken yet.", value=backlog.mails
    )
    age = GaugeMetricFamily(
        "bridge_mails_waiting_oldest_seconds",
        "How long the oldest of them has waited.",
        value=_age(backlog.mails_since, now) if backlog.mails_since is not None else 0.0,
    )
    return [count, age]


def _filings(backlog: Backlog, now: datetime) -> list[GaugeMetricFamily]:
    """Mailboxes have no label: a metric holds no address. `bridge check` and the alerts name them."""
    count = GaugeMetricFamily(
        "bridge_filings_waiting",
        "Mails for IMAP folders that are not there yet, by what keeps their mailbox waiting: their turn, or a retry "
        "since its IMAP server refused the first of them.",
        labels=["waits_for"],
    )
    age = GaugeMetricFamily(
        "bridge_filings_waiting_oldest_seconds", "How long the oldest of them has waited.", labels=["waits_for"]
    )
    for waits_for in (WaitsFor.TURN, WaitsFor.RETRY):
        refused = waits_for is WaitsFor.RETRY
        those = [each for each in backlog.filings if bool(each.tries) is refused]
        count.add_metric([waits_for.value], sum(each.count for each in those))
        age.add_metric([waits_for.value], max((_age(each.since, now) for each in those), default=0.0))
    return [count, age]


def _webhooks(backlog: Backlog, now: datetime) -> list[GaugeMetricFamily]:
    count = GaugeMetricFamily(
        "bridge_webhooks_waiting",
        "SMS that the webhook of their keyword has not taken yet.",
        value=backlog.webhooks,
    )
    age = GaugeMetricFamily(
        "bridge_webhooks_waiting_oldest_seconds",
        "How long the oldest of them has waited.",
        value=_age(backlog.webhooks_since, now) if backlog.webhooks_since is not None else 0.0,
    )
    return [count, age]


def _age(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds())
