"""What is counted while mails and texts pass: Prometheus counters that every station adds to, read at `GET /metrics`.

Labels are closed sets (a reason, a state, an outcome) or names that the operator chose (a gateway); never a number, an
address or a text. What waits is not counted here: it is read from the database when somebody asks.

Several workers on one machine add to the same counters: with the variable `PROMETHEUS_MULTIPROC_DIR` the client
library keeps them in files of that folder, and whichever worker is asked gives the sum.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from bridge import __version__

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder that workers on one machine count in; read by the client library when it is imported."""

disable_created_metrics()  # type: ignore[no-untyped-call]

_REGISTRY = CollectorRegistry()
_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600)


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(f"bridge_{name}", meaning, labels, registry=_REGISTRY)


MAILS_TAKEN = _counter("mails_taken", "Mails answered 250, by the door they came through.", "door")
MAILS_REFUSED = _counter("mails_refused", "Mails refused as a whole, by reason.", "reason")
LOGINS = _counter("logins", "Logins at the front door, by mechanism and outcome.", "mechanism", "outcome")
RECIPIENTS_REFUSED = _counter("recipients_refused", "Recipients refused, at RCPT or later, by reason.", "reason")
TRIES = _counter("gateway_tries", "Tries to hand a message to a gateway, by outcome.", "gateway", "outcome")
RECEIPTS = _counter("receipts", "Delivery receipts heard, repeated ones included.", "gateway", "state")
INBOUND = _counter("inbound", "Texts from phones, by how it was decided whose they are.", "gateway", "match")
AUTOMATIC = _counter(
    "automatic_texts", "Texts that the bridge sent by itself, or withheld, by what they answer.", "kind", "outcome"
)
MAIL_TRIES = _counter("mail_tries", "Tries to hand our own mails to the mail server, by outcome.", "outcome")
WEBHOOK_TRIES = _counter("webhook_tries", "Tries to post an SMS to a webhook, by outcome.", "outcome")
PAUSED = Gauge(
    "bridge_gateway_paused",
    "1 while a gateway that did not answer is left alone.",
    ("gateway",),
    registry=_REGISTRY,
    multiprocess_mode="livemax",
)
BALANCE = Gauge(
    "bridge_gateway_balance",
    "What is left on the account of a gateway, as its provider last said; asked every 15 minutes by one node.",
    ("gateway", "unit"),
    registry=_REGISTRY,
    multiprocess_mode="livemostrecent",
)
MAIL_TO_SUBMIT = Histogram(
    "bridge_mail_to_submit_seconds",
    "From the moment a message was due (a mail without a later time: when it was taken) to its first handover.",
    ("gateway",),
    registry=_REGISTRY,
    buckets=_SECONDS,
)
SUBMIT = Histogram(
    "bridge_submit_seconds",
    "How long a gateway took to answer one try.",
    ("gateway",),
    registry=_REGISTRY,
    buckets=_SECONDS,
)


class _Now(Collector):
    def __init__(self, gauges: Iterable[GaugeMetricFamily]) -> None:
        self._gauges = tuple(gauges)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What holds at the moment of the question."""
        return self._gauges


def build_info() -> GaugeMetricFamily:
    """The version that runs, as a gauge that is always 1."""
    gauge = GaugeMetricFamily("bridge_build_info", "The version that runs.", labels=["version"])
    gauge.add_metric([__version__], 1)
    return gauge


def exposition(gauges: Iterable[GaugeMetricFamily]) -> bytes:
    """Everything that was counted, and `gauges`, in the text format of Prometheus."""
    counted = _REGISTRY
    if os.environ.get(SHARED):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    asked = CollectorRegistry()
    asked.register(_Now((*gauges, build_info())))
    return generate_latest(counted) + generate_latest(asked)
