"""Four mailboxes whose IMAP account takes nothing, each for a reason of its own: the operator is told what waits for
what, texts go on, and then everything is filed, in order and once."""

from __future__ import annotations

import asyncio
import imaplib
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.filing.conftest import subfolder, words
from tests.operation.served import Served
from tests.road.demo_process import eventually
from tests.servers.dovecot import FULL, GUARDED, PASSWORD, DovecotServer
from tests.servers.faulty import Faulty, faulty

PHONE = "+393581000000"
FIRST, SECOND, THIRD = (letter * 600 for letter in "abc")
"""Texts of which the account with next to no room has room for one."""


class Trouble:
    """An account of its own behind a network of its own, and what goes wrong with it."""

    account = "ward"
    says = ""
    """What the operator reads as the server's last answer."""
    shows = False
    """It shows when somebody logs in; other trouble is seen only when a mail is filed."""
    kept: tuple[str, ...] = (FIRST, SECOND, THIRD)
    """What is in the folder in the end."""

    def __init__(self, dovecot: DovecotServer, proxy: Faulty) -> None:
        self.dovecot = dovecot
        self.proxy = proxy

    @property
    def login(self) -> str:
        """The mailbox that is filed for."""
        return f"{type(self).__name__.lower()}@example.test"

    @property
    def section(self) -> str:
        """Its part of the configuration."""
        return f"""
[filing."{self.login}"]
host = "127.0.0.1"
port = {self.proxy.port}
tls = "none"
username = "{self.account}"
password = "{PASSWORD}"
what = ["sent"]
"""

    def filed(self) -> tuple[str, ...]:
        """The texts in the phone's folder."""
        try:
            return tuple(words(mail) for mail in subfolder(self.dovecot, self.account, PHONE))
        except (KeyError, FileNotFoundError):  # Dovecot is writing its list
            return ()

    def begin(self) -> None:
        """From now on nothing can be filed."""

    def end(self) -> None:
        """It can again."""


class Down(Trouble):
    """The server does not run."""

    says, shows = "hung up", True

    def begin(self) -> None:
        self.dovecot.stop()
        self.proxy.cut_after = 1  # a session that is open would still be served for a moment

    def end(self) -> None:
        self.dovecot.start()


class Breaks(Trouble):
    """Every connection breaks in the middle of a mail."""

    says = "hung up"

    def begin(self) -> None:
        self.proxy.cut_every_mail_after = 100

    def end(self) -> None:
        self.proxy.cut_every_mail_after = None


class Full(Trouble):
    """The account is over its quota (RFC 9208)."""

    account, says, kept = FULL, "NO OVERQUOTA", (SECOND,)

    def end(self) -> None:
        """The owner deletes what there is; that makes room for one more."""
        with imaplib.IMAP4("127.0.0.1", self.dovecot.port) as client:
            client.login(FULL, PASSWORD)
            client.select(f'"SMS.{PHONE}"')
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()


class ReadOnly(Trouble):
    """The folder may only be read (RFC 4314)."""

    account, says = GUARDED, "NO NOPERM"

    @property
    def rights(self) -> Path:
        """The folder's list of who may do what."""
        return self.dovecot.maildir(GUARDED) / f".SMS.{PHONE}" / "dovecot-acl"

    def begin(self) -> None:
        self.rights.write_text("owner lr\n")
        self.proxy.cut_after = 1  # Dovecot reads rights anew when somebody logs in

    def end(self) -> None:
        self.rights.unlink()


@pytest.fixture
def dovecots() -> Iterator[tuple[DovecotServer, DovecotServer]]:
    """Two servers, of which the test stops the first."""
    servers = DovecotServer.create(), DovecotServer.create()
    try:
        yield servers
    finally:
        for server in servers:
            server.remove()


@pytest.mark.timeout(300)
async def test_the_operator_is_told_what_waits_for_what(
    dovecots: tuple[DovecotServer, DovecotServer], tmp_path: Path
) -> None:
    first, second = dovecots
    async with AsyncExitStack() as stack:
        troubles = [
            kind(server, await stack.enter_async_context(faulty(server.port)))
            for kind, server in ((Down, first), (Breaks, second), (Full, second), (ReadOnly, second))
        ]
        await asyncio.to_thread(story, troubles, tmp_path)


def story(troubles: Sequence[Trouble], folder: Path) -> None:
    """What happens, while the network runs beside it."""
    sections = "".join(trouble.section for trouble in troubles)
    served = Served(folder, folder / "data", sections, [trouble.login for trouble in troubles])
    try:
        served.start()
        send(served, troubles, FIRST)
        eventually(lambda: all(trouble.filed() == (FIRST,) for trouble in troubles))
        for trouble in troubles:
            trouble.begin()
        send(served, troubles, SECOND)
        eventually(lambda: len({line["filing"] for line in served.logged("filing.refused")}) == len(troubles))
        send(served, troubles, THIRD)
        eventually(lambda: served.texts()[PHONE] == 3 * len(troubles))
        told(served, troubles)
        for trouble in troubles:
            trouble.end()
        served.later()
        eventually(lambda: all(trouble.filed() == trouble.kept for trouble in troubles), patience=60)
        # The full account has room for one only: it alone still waits, and nobody waits for it.
        eventually(lambda: 'bridge_filings_waiting{waits_for="retry"} 1.0' in served.metrics())
        complaints = [line for line in served.check()[1].splitlines() if line.startswith("wrong ")]
        assert len(complaints) == 1
        assert complaints[0].startswith(
            "wrong  filing full@example.test: 1 mails wait for its IMAP server; last answer"
        )
        parts = served.ready()[1]["parts"]
        assert {name for name in parts if name.startswith("filing ")} <= {"filing full@example.test"}
    finally:
        served.stop()


def send(served: Served, troubles: Sequence[Trouble], text: str) -> None:
    """Each mailbox texts the phone."""
    for trouble in troubles:
        served.send(PHONE, text, trouble.login)


def told(served: Served, troubles: Sequence[Trouble]) -> None:
    """Metrics, `bridge check`, the log and `/readyz` say it, and name the mailboxes."""
    eventually(lambda: f'bridge_filings_waiting{{waits_for="retry"}} {2.0 * len(troubles)}' in served.metrics())
    code, said = served.check()
    assert code == 1
    for trouble in troubles:
        answer = f"127.0.0.1:{trouble.proxy.port}: {trouble.says}"
        waits = f"wrong  filing {trouble.login}: 2 mails wait for its IMAP server; last answer: {answer}; the oldest"
        assert waits in said, said
        probed = (
            f"wrong  filing {trouble.login}: The IMAP server" if trouble.shows else f"ok     filing {trouble.login}"
        )
        assert probed in said, said
    for trouble in troubles:
        alert = {"kind": "filing", "part": trouble.login, "level": "error"}
        eventually(partial(served.logged, "alert.begins", **alert), patience=60)
    status, body = served.ready()
    assert (status, body["status"]) == (200, "degraded"), "mail is taken, and texts go on"
    for trouble in troubles:
        assert body["parts"][f"filing {trouble.login}"].startswith(f"Mails to be filed for {trouble.login}: 2. ")
