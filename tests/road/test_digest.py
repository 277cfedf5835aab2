"""The digest on its road: through a real mail server to people, and once, whatever happens to the bridge."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge import clock
from bridge.types import DigestPlan
from tests.road.demo_process import DOMAIN, LOGIN, SENDER, DemoProcess, eventually
from tests.road.mail_server import ALSO_CLOSED, Relay, clinic

BOSS, DESK = "boss@example.test", "desk@example.test"
CONFIRMS, SILENT, ABSENT = "+393331270001", "+393331270002", "+393331270903"


def table(mail: EmailMessage) -> list[list[str]]:
    """The lines of the attached table, without its titles."""
    (attached,) = mail.iter_attachments()
    payload = attached.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return list(csv.reader(io.StringIO(payload.decode("utf-8-sig"), newline="")))[1:]


def words(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


async def test_people_read_in_the_evening_what_became_of_the_days_texts(relay: Relay, tmp_path: Path) -> None:
    async with clinic(relay, tmp_path, fallback=ALSO_CLOSED) as running:
        for number in (CONFIRMS, SILENT):
            await running.asks(number, text="Your visit is tomorrow at 9. Can you come?")
        # The network has it and gives up later: no answer of the phone is to be expected.
        await running.sends(ABSENT, text="Your visit is tomorrow at 10.")
        await running.texts_back(CONFIRMS, "Sì, confermo. =1+1")
        await running.until(lambda: {kind for kind, _, _ in running.outgoing()} == {"reply", "report"})
        await running.quiet()

        store = running.bridge.store
        mailbox = store.directory.by_login(LOGIN)
        assert mailbox is not None
        hour = (clock.now() - timedelta(minutes=1)).astimezone(ZoneInfo(mailbox.timezone))
        plan = DigestPlan(to=(BOSS, DESK), at=hour.time().replace(second=0, microsecond=0))
        await store.mailboxes.save(replace(mailbox, digest=replace(plan, since=clock.now() - timedelta(days=2))))
        await running.until(lambda: sum(kind == "digest" for kind, _, _ in running.outgoing()) == 2)
        await running.quiet()
        (to_boss,), (to_desk,) = await running.mails(BOSS), await running.mails(DESK)
    assert {state for kind, _, state in running.outgoing() if kind == "digest"} == {"sent"}
    assert (to_boss["To"], to_desk["To"]) == (BOSS, DESK)
    assert to_boss["Auto-Submitted"] == "auto-generated"
    assert to_boss["From"] == f"SMS digest <postmaster@{DOMAIN}>"
    said = words(to_boss)
    for line in ("Text messages: 3", "Delivered: 2", "Not delivered: 1", "Answered: 1", "Not answered: 1"):
        assert f"\n{line}\n" in said
    assert "\nof these, confirmed: 1\n" in said
    silent = said.split("Phones that have not answered: 1\n")[1].split("\n\n")[0]
    assert silent.startswith("- +39 333 127 0002 · Appointment · ")
    assert table(to_boss) == table(to_desk)
    assert {(line[1], *line[3:]) for line in table(to_boss)} == {
        (f"'{CONFIRMS}", "Appointment", "", "Delivered", "1", "", "", "", ""),
        (f"'{SILENT}", "Appointment", "", "Delivered", "0", "", "", "", ""),
        (f"'{ABSENT}", "Appointment", "", "Not delivered", "", "", "", "", ""),
        (f"'{CONFIRMS}", "Appointment", "", "Answer", "", "Sì, confermo. =1+1", "confirmed", "", ""),
    }


def test_a_bridge_that_is_killed_at_the_hour_sends_it_once(own_demo: DemoProcess, phone: Callable[..., str]) -> None:
    demo, number = own_demo, phone()
    demo.send(number, "Can you come at nine?")
    eventually(lambda: demo.states().get(number) == "delivered")
    hour = (clock.now() - timedelta(minutes=1)).astimezone(ZoneInfo("Europe/Rome"))
    done = demo.command("mailbox", "set", LOGIN, "--digest-to", BOSS, "--digest-at", f"{hour:%H:%M}")
    assert (done.returncode, done.stderr) == (0, "")
    database = demo.data_dir / "bridge.db"

    def rows(query: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as read:
            return read.execute(query).fetchall()

    with closing(sqlite3.connect(database, timeout=30)) as write, write:  # as if it had been switched on before
        write.execute("UPDATE mailbox SET digest_since = '2020-01-01 00:00:00.000000'")
        write.execute("UPDATE revision SET value = value + 1")
    eventually(lambda: rows("SELECT day FROM digest"))
    demo.kill()
    demo.start()
    entry = eventually(lambda: demo.mails(BOSS))[0]
    (queued,) = rows("SELECT id FROM mail WHERE kind = 'digest'")
    assert entry["message_id"] == f"<{queued[0]}@{DOMAIN}>"
    assert "Text messages: 1\n" in words(demo.mail(entry["id"], BOSS))
    demo.send(phone(), "And you?")  # the next digest tells of it, not a second one today
    demo.texts_back(number, "Yes", to=SENDER)
    eventually(lambda: len(demo.mails()) == 1)
    demo.stop()
    demo.start()
    told = {mail["message_id"] for mail in demo.mails(BOSS)}  # the one that was under way at the kill may come twice
    assert told == {entry["message_id"]}
    assert len(rows("SELECT id FROM mail WHERE kind = 'digest'")) == 1
