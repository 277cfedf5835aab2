"""Filing a text in the sender's IMAP folders, through the whole bridge, in an account that has thousands of them.

A filing begins when the provider's answer has been written down (`message.tried` in the log) and ends when the IMAP
server has taken the mail and that is written down too (`mail.filed`). One message goes at a time, so nothing waits.
"""

from __future__ import annotations

import json
import shutil
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench import mails, peers
from bench.door import Numbers, hand_in
from bench.queue import KEPT
from tests.servers.dovecot import PASSWORD, DovecotServer

ACCOUNT = "many-folders"
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Filing:
    """Milliseconds that a filing took: median and 95th percentile."""

    folders: int
    """Of the account before the first filing."""
    there: tuple[float, float]
    """Into a folder that the account has."""
    new: tuple[float, float]
    """Into a folder that is made, and subscribed to, for it."""


def measure(folder: Path, pem: Path, folders: int, filings: int) -> Filing:
    """File `filings` texts for phones that have a folder, then as many for phones that have none."""
    folder.mkdir(mode=0o755)
    dovecot = DovecotServer.create()
    try:
        _fill(dovecot, folders)
        filing = f"""
[filing."{mails.LOGIN}"]
host = "127.0.0.1"
port = {dovecot.port}
tls = "none"
username = "{ACCOUNT}"
password = "{PASSWORD}"
"""
        numbers = Numbers()
        with (
            peers.slow_gateway(folder, 0.0) as url,
            peers.bridge(folder / "bridge", pem, url, settings=filing) as peer,
        ):
            log = folder / "bridge" / "log"
            _file(peer, log, numbers, 3)  # connects, and reads what the account has
            there = _file(peer, log, numbers, filings)
            numbers.take(folders)
            new = _file(peer, log, numbers, filings)
    finally:
        dovecot.remove()
    return Filing(folders, _summary(there), _summary(new))


def _fill(dovecot: DovecotServer, folders: int) -> None:
    """Give the account a folder for each of the first phones, as Maildir++ keeps them."""
    home = dovecot.maildir(ACCOUNT)
    names = ["SMS", *(f"SMS.{mails.number(index)}" for index in range(folders))]
    for name in names:
        for part in ("cur", "new", "tmp"):
            (home / f".{name}" / part).mkdir(parents=True)
        (home / f".{name}" / "maildirfolder").touch()
    (home / "subscriptions").write_text("V\t2\n\n" + "".join(name.replace(".", "\t") + "\n" for name in names))
    with suppress(PermissionError):  # only root's Dovecot reads mails as somebody else
        for path in (home.parent, *home.parent.rglob("*")):
            shutil.chown(path, "nobody", "nogroup")


def _file(peer: peers.Peer, log: Path, numbers: Numbers, count: int) -> list[float]:
    """Milliseconds from the provider's answer to the IMAP server's, for each of `count` texts."""
    times = []
    for _ in range(count):
        before = log.stat().st_size
        hand_in(peer, KEPT, numbers, 1, send_at="")
        sent, filed = _moments(log, before)
        times.append((filed - sent).total_seconds() * 1000)
    return times


def _moments(log: Path, start: int) -> tuple[datetime, datetime]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with log.open("rb") as lines:
            lines.seek(start)
            found = {event["event"]: event["time"] for event in map(json.loads, lines) if "event" in event}
        if "mail.filed" in found:
            return datetime.fromisoformat(found["message.tried"]), datetime.fromisoformat(found["mail.filed"])
        time.sleep(0.01)
    raise AssertionError(f"nothing was filed in {PATIENCE:g} s")


def _summary(times: Sequence[float]) -> tuple[float, float]:
    return statistics.median(times), sorted(times)[len(times) * 95 // 100]
