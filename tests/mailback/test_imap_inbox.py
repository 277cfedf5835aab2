"""A folder that is watched: what comes in is seen, fetched and moved away, on one real server after another."""

from __future__ import annotations

import asyncio
import imaplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.mailback import imap_inbox
from bridge.mailback.imap_inbox import Account as Watched
from bridge.mailback.imap_inbox import Inbox
from bridge.mailback.imap_session import Broken
from tests.mailback.imap import reaching, scripted_imap
from tests.servers.imap_account import PASSWORD, Account

PATIENCE = 20.0
TAKEN = ("SMS", "Taken")


def mail(number: int, size: int = 10) -> bytes:
    text = "".join(f"* {line} (a\\{{3}}\r\n" for line in range(size))
    return f"From: x@example.test\r\nSubject: {number}\r\n\r\n{text}".encode()


def put(box: Account, *mails: bytes) -> None:
    """Mails come into the inbox."""
    client = imaplib.IMAP4("127.0.0.1", box.server.port)
    client.login(box.user, PASSWORD)
    for each in mails:
        assert client.append("INBOX", "", "", each)[0] == "OK"
    client.shutdown()


@asynccontextmanager
async def opened(box: Account) -> AsyncIterator[Inbox]:
    inbox = await Watched(reaching(box.server.port, box.user)).open()
    try:
        yield inbox
    finally:
        inbox.drop()


async def test_what_comes_in_is_seen_fetched_and_moved_away(box: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Courier knows no MOVE and says UIDPLUS, so that COPY and EXPUNGE stand in for it."""
    monkeypatch.setattr(imap_inbox, "PIECE", 1000)
    async with opened(box) as inbox:
        before = await inbox.enter("INBOX")
        assert before.answer.ok
        put(box, mail(1), mail(2, 400), mail(3))
        async with asyncio.timeout(PATIENCE):
            while len(await inbox.uids(before.next_uid)) < 3:
                await inbox.wait(0.2, asyncio.Event())
        first, second, third = uids = await inbox.uids(before.next_uid)
        assert first == before.next_uid
        listed = await inbox.listed(uids)
        assert [each.uid for each in listed] == uids
        assert [each.size for each in listed] == [len(mail(1)), len(mail(2, 400)), len(mail(3))]
        assert all(each.arrived is not None for each in listed)
        assert await inbox.header(first, 10_000) == b"From: x@example.test\r\nSubject: 1\r\n\r\n"
        assert await inbox.header(first, 20) == b"From: x@example.test"
        assert await inbox.mail(second, len(mail(2, 400))) == mail(2, 400)
        assert await inbox.mail(first, len(mail(1))) == mail(1)
        assert await inbox.put_away(first, TAKEN, "$SMSTaken", before.permanent) in {"moved", "copied"}
        assert await inbox.uids(before.next_uid) == [second, third]
        assert await inbox.uids(third + 1) == []
        assert await inbox.mail(first, 100) is None
        assert await inbox.listed([first, third]) == [listed[2]]
    assert box.mails(*TAKEN) == [mail(1)]
    assert box.mails("INBOX") == [mail(2, 400), mail(3)]
    assert box.flags("INBOX") == [set(), set()], "nothing that was fetched counts as read"
    assert box.subscribed() >= {box.name(*TAKEN)}


async def test_the_server_says_by_itself_that_a_mail_has_come(box: Account) -> None:
    async with opened(box) as inbox:
        before = await inbox.enter("INBOX")
        assert inbox.idles
        assert await inbox.uids(before.next_uid) == []
        waiting = asyncio.create_task(inbox.wait(PATIENCE, asyncio.Event()))
        put(box, mail(1))
        # Servers look only now and then for mails that another connection brings.
        await asyncio.wait_for(waiting, PATIENCE * 3)
        assert await inbox.uids(before.next_uid) == [before.next_uid]


async def test_whoever_waits_can_be_woken(box: Account) -> None:
    async with opened(box) as inbox:
        await inbox.enter("INBOX")
        await inbox.uids(1)
        woken = asyncio.Event()
        woken.set()
        await asyncio.wait_for(inbox.wait(600, woken), PATIENCE)
        assert (await inbox.enter("INBOX")).answer.ok, "the connection is whole"


@pytest.mark.parametrize(
    ("capabilities", "permanent", "how"),
    [
        pytest.param("UIDPLUS", None, "copied", id="no MOVE"),
        pytest.param("", frozenset({"\\*"}), "marked", id="neither MOVE nor UIDPLUS"),
        pytest.param("", frozenset({"\\seen"}), "left", id="nor keywords"),
    ],
)
async def test_a_server_that_cannot_move_mails(capabilities: str, permanent: frozenset[str] | None, how: str) -> None:
    answers = {"CAPABILITY": f"* CAPABILITY IMAP4rev1 {capabilities}\r\n{{tag}} OK done"}
    async with scripted_imap(answers) as script:
        inbox = await Watched(reaching(script.port)).open()
        await inbox.enter("INBOX")
        assert await inbox.put_away(7, TAKEN, "$SMSTaken", permanent) == how
        inbox.drop()
    said = b"".join(script.lines)
    assert b"MOVE" not in said
    assert b" EXPUNGE\r\n" not in said, "which would take what others have marked as deleted"
    assert (b"UID EXPUNGE 7" in said) == (how == "copied")
    assert (b"$SMSTaken" in said) == (how == "marked")


async def test_a_move_that_is_refused_leaves_a_mark() -> None:
    answers = {"CAPABILITY": "* CAPABILITY IMAP4rev1 MOVE\r\n{tag} OK done", "MOVE": "{tag} NO [NOPERM] not here"}
    answers["LIST"] = '* LIST (\\HasNoChildren) "/" "SMS/Taken"\r\n{tag} OK done'
    async with scripted_imap(answers) as script:
        inbox = await Watched(reaching(script.port)).open()
        await inbox.enter("INBOX")
        assert await inbox.put_away(7, TAKEN, "$SMSTaken", None) == "marked"
        inbox.drop()


async def test_a_server_that_offers_idle_and_refuses_it_is_polled() -> None:
    answers = {"CAPABILITY": "* CAPABILITY IMAP4rev1 IDLE\r\n{tag} OK done", "IDLE": "{tag} NO not now"}
    async with scripted_imap(answers) as script:
        inbox = await Watched(reaching(script.port)).open()
        await inbox.enter("INBOX")
        await inbox.wait(PATIENCE, asyncio.Event())
        assert not inbox.idles
        await inbox.wait(0.01, asyncio.Event())
        inbox.drop()
    assert script.heard[-1] == "NOOP"


async def test_a_server_that_hangs_up_while_it_is_waited_for() -> None:
    answers = {"CAPABILITY": "* CAPABILITY IMAP4rev1 IDLE\r\n{tag} OK done", "IDLE": "+ idling", "DONE": None}
    async with scripted_imap(answers, after={"IDLE": None}) as script:
        inbox = await Watched(reaching(script.port, timeout=0.2)).open()
        await inbox.enter("INBOX")
        with pytest.raises(Broken):
            await inbox.wait(0.05, asyncio.Event())
        inbox.drop()


async def test_a_server_that_does_not_answer_idle_is_noticed_at_once() -> None:
    answers = {"CAPABILITY": "* CAPABILITY IMAP4rev1 IDLE\r\n{tag} OK done", "IDLE": None}
    async with scripted_imap(answers) as script:
        inbox = await Watched(reaching(script.port, timeout=0.2)).open()
        await inbox.enter("INBOX")
        with pytest.raises(Broken, match="silent"):
            await asyncio.wait_for(inbox.wait(600, asyncio.Event()), PATIENCE)
        inbox.drop()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([b"1 FETCH (UID 7 BODY[] {3}", bytearray(b"abc"), b")"], b"abc", id="a literal"),
        pytest.param([b"1 FETCH (BODY[]<0> {3}", bytearray(b"abc"), b" UID 7)"], b"abc", id="the UID behind it"),
        pytest.param([b'1 FETCH (UID 7 BODY[]<0> "a\\"b")'], b'a"b', id="a quoted string"),
        pytest.param([b'1 FETCH (UID 7 BODY[]<9> "")'], b"", id="nothing more"),
        pytest.param([b"1 FETCH (UID 7 BODY[]<9> NIL)"], b"", id="NIL"),
        pytest.param([b"2 FETCH (UID 8 BODY[] {1}", bytearray(b"x"), b")"], None, id="another mail"),
        pytest.param(
            [b"2 FETCH (FLAGS (\\Seen) UID 8)", b"1 FETCH (UID 7 BODY[] {1}", bytearray(b"x"), b")"],
            b"x",
            id="news of another one before",
        ),
        pytest.param([], None, id="gone"),
    ],
)
def test_what_fetch_brings(lines: list[bytes | bytearray], expected: bytes | None) -> None:
    assert imap_inbox._octets(lines, 7) == expected


async def test_the_account_can_be_tried(box: Account) -> None:
    watched = Watched(reaching(box.server.port, box.user))
    assert await watched.probe(("INBOX",)) == ""
    assert "does not open the folder" in await watched.probe(("Nowhere",))
    wrong = Watched(reaching(box.server.port, box.user, password="wrong"))
    assert "does not accept the login" in await wrong.probe(("INBOX",))
