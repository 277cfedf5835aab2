"""What became of a text, shown on its copy by keywords: on three real servers, and on one that keeps none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from bridge.errors import MailRefused
from bridge.mailback.imap import Flag, Folders, IntentKeyword, Keyword, Mark
from bridge.mailback.imap_answers import flags_of, permanent_flags
from tests.mailback.imap import FOLDER, filed, folders_of, reaching, scripted_imap
from tests.servers.courier import CourierServer
from tests.servers.faulty import faulty
from tests.servers.imap_account import Account

DELIVERED, FAILED, UNKNOWN = Keyword.DELIVERED, Keyword.FAILED, Keyword.UNKNOWN
SEEN, FLAGGED = "\\Seen", "\\Flagged"


def mark(keyword: Keyword | None, before: Keyword | None = None, number: int = 0) -> Mark:
    """A mark on the mail that `filed` makes."""
    mail = filed(number=number)
    return Mark(mail.message_id, mail.folder, keyword, before)


async def with_copies(box: Account, number: int = 1) -> Folders:
    """The account with mails in the folder, none unread."""
    into = folders_of(box)
    for n in range(number):
        await into.file(filed(number=n, flags=(Flag.SEEN,)))
    return into


# ------------------------------------------------------------------------------------------------ three real servers


@pytest.mark.parametrize(
    ("history", "shown"),
    [
        ([DELIVERED], {DELIVERED}),
        ([FAILED], {FAILED, FLAGGED}),
        ([UNKNOWN], {UNKNOWN, FLAGGED}),
        ([FAILED, DELIVERED], {DELIVERED}),
        ([UNKNOWN, FAILED], {FAILED, FLAGGED}),
        ([UNKNOWN, None], set()),
        ([UNKNOWN, None, DELIVERED], {DELIVERED}),
        ([FAILED, FAILED], {FAILED, FLAGGED}),
    ],
    ids=["delivered", "failed", "unknown", "late truth", "worse", "sent after all", "and delivered", "told twice"],
)
async def test_a_copy_shows_what_holds_now_and_nothing_else(
    box: Account, history: list[Keyword | None], shown: set[str]
) -> None:
    into = await with_copies(box)
    for before, keyword in zip([None, *history], history, strict=False):
        assert await into.mark(mark(keyword, before)) == ""
    await into.close()
    assert box.flags(*FOLDER) == [{SEEN} | shown]


async def test_only_the_copy_is_marked_and_what_its_owner_did_stays(box: Account) -> None:
    into = await with_copies(box, 3)
    await asyncio.to_thread(box.change, 1, "+FLAGS", "\\Deleted", *FOLDER)
    await asyncio.to_thread(box.change, 2, "+FLAGS", "\\Answered \\Flagged $Important", *FOLDER)
    assert await into.mark(mark(DELIVERED, number=1)) == ""
    await into.file(filed(number=3, flags=(Flag.SEEN,)))
    await into.close()
    kept = [{SEEN, "\\Deleted"}, {SEEN, "\\Answered", FLAGGED, "$Important", DELIVERED}, {SEEN}, {SEEN}]
    assert box.flags(*FOLDER) == kept, "what waits to be expunged waits on"


async def test_a_copy_that_is_not_there_is_passed_over(box: Account) -> None:
    into = await with_copies(box)
    assert await into.mark(mark(FAILED, number=7)) == "no such mail"
    assert await into.mark(Mark(filed().message_id, ("SMS", "elsewhere"), FAILED)) == "no such folder"
    assert await into.mark(mark(DELIVERED)) == ""
    await into.close()
    assert box.flags(*FOLDER) == [{SEEN, DELIVERED}]


async def test_a_connection_that_breaks_costs_a_mark_nothing(box: Account) -> None:
    await (await with_copies(box)).close()
    async with faulty(box.server.port) as proxy:
        through = folders_of(box, proxy.port)
        tries = 0
        for octets in (1, 60, 100, 140, 180, 220):
            proxy.cut_after = octets
            while True:
                tries += 1
                try:
                    assert await through.mark(mark(FAILED)) == ""
                except MailRefused:
                    continue
                break
        proxy.cut_after = None
        await through.close()
        assert proxy.connections > 3
    assert tries >= 6
    assert box.flags(*FOLDER) == [{SEEN, FAILED, FLAGGED}]


@pytest.mark.parametrize("keyword", list(IntentKeyword))
async def test_an_answer_is_filed_with_what_the_phone_wants(box: Account, keyword: IntentKeyword) -> None:
    into = folders_of(box)
    await into.file(filed(number=0, flags=(Flag.SEEN,), keyword=keyword))
    await into.file(filed(number=1, flags=(Flag.SEEN,), keyword=keyword))
    await into.file(filed(number=2, flags=(Flag.SEEN,)))
    await into.close()
    assert box.flags(*FOLDER) == [{SEEN, keyword}, {SEEN, keyword}, {SEEN}], "in a new folder too"


# ------------------------------------------------------------------------------------------- one that keeps no keywords


@pytest.fixture(scope="module")
def plain() -> Iterator[CourierServer]:
    """Courier as it can be set up: without keywords."""
    server = CourierServer.create(keywords=False)
    try:
        yield server
    finally:
        server.remove()


async def test_a_server_that_keeps_no_keywords_shows_the_flag_alone(plain: CourierServer, account: str) -> None:
    box = Account(plain, account)
    into = await with_copies(box)
    assert await into.mark(mark(FAILED)) == "the server keeps no keywords"
    assert await asyncio.to_thread(box.flags, *FOLDER) == [{SEEN, FLAGGED}]
    assert await into.mark(mark(DELIVERED, FAILED)) == "the server keeps no keywords"
    await into.close()
    assert box.flags(*FOLDER) == [{SEEN}]


async def test_an_answer_is_filed_without_the_keyword_that_a_server_does_not_keep(
    plain: CourierServer, account: str
) -> None:
    box = Account(plain, account)
    into = folders_of(box)
    await into.file(filed(number=0, flags=(Flag.SEEN,), keyword=IntentKeyword.CONFIRMS))
    await into.file(filed(number=1, flags=(Flag.SEEN,), keyword=IntentKeyword.CONFIRMS))
    await into.close()
    assert box.flags(*FOLDER) == [{SEEN}, {SEEN}]


@pytest.mark.parametrize(
    ("select", "flags"),
    [
        ("* OK [PERMANENTFLAGS (\\Seen \\*)]\r\n{tag} OK [READ-WRITE] done", b"(\\Seen $SMSMoves)"),
        ("* OK [PERMANENTFLAGS (\\Seen $smsmoves)]\r\n{tag} OK done", b"(\\Seen $SMSMoves)"),
        ("{tag} OK done", b"(\\Seen $SMSMoves)"),
        ("* OK [PERMANENTFLAGS (\\Seen $Junk)]\r\n{tag} OK done", b"(\\Seen)"),
        ("* OK [PERMANENTFLAGS ()]\r\n{tag} OK [READ-ONLY] done", b"(\\Seen)"),
        ("{tag} NO [NOPERM] insert you may, read you may not", b"(\\Seen)"),
        ("{tag} NO [TRYCREATE] none", b"(\\Seen)"),
    ],
    ids=["any", "this one", "not said", "others", "none", "no right to read", "no folder"],
)
async def test_the_folder_says_which_keywords_it_keeps(select: str, flags: bytes) -> None:
    async with scripted_imap({"SELECT": select}) as server:
        into = Folders(reaching(server.port))
        await into.file(filed(flags=(Flag.SEEN,), keyword=IntentKeyword.MOVES))
        await into.close()
    (appended,) = (line for line in server.lines if b"APPEND" in line)
    assert flags in appended


SELECTED = "* 1 EXISTS\r\n{permanent}{{tag}} OK [READ-WRITE] done"
FOUND = "* SEARCH 5\r\n{tag} OK done"


@pytest.mark.parametrize(
    ("answers", "passed_over", "stored"),
    [
        ({"STORE": "* 1 FETCH (UID 5 FLAGS (\\Seen $SMSUnknown))\r\n{tag} OK"}, "", 2),
        ({"STORE": "* 1 FETCH (UID 5 FLAGS (\\Seen))\r\n{tag} OK"}, "", 1),
        ({"STORE": "* 2 FETCH (UID 6 FLAGS (\\Seen))\r\n{tag} OK"}, "", 2),
        ({"STORE": "{tag} NO [NOPERM] no"}, "its flags are not changed: NO NOPERM", 1),
        ({"STORE": "{tag} BAD what?"}, "its flags are not changed: BAD", 1),
        ({"SEARCH": "{tag} NO [CANNOT] no"}, "the folder cannot be searched", 0),
        ({"SEARCH": "* SEARCH\r\n{tag} OK"}, "no such mail", 0),
        ({"SELECT": "{tag} NO [NONEXISTENT] no"}, "no such folder", 0),
        ({"SELECT": "{tag} NO [NOPERM] no", "LIST": '* LIST () "/" "x"\r\n{tag} OK'},
         "the folder cannot be opened: NO NOPERM", 0),
    ],
    ids=["other keyword", "no other", "of another mail", "no right", "not understood", "no search", "no mail",
         "no folder", "no right to read"],
)  # fmt: skip
async def test_what_cannot_be_marked_is_passed_over(
    answers: dict[str, str | None], passed_over: str, stored: int
) -> None:
    usual = {"SELECT": SELECTED.format(permanent=""), "SEARCH": FOUND}
    async with scripted_imap({**usual, **answers}) as server:
        into = Folders(reaching(server.port))
        assert await into.mark(mark(DELIVERED)) == passed_over
        await into.close()
    assert server.heard.count("STORE") == stored
    assert all(b"UID " not in line or b"UID STORE 5 " in line for line in server.lines if b"STORE" in line)


LATER = "{tag} NO [UNAVAILABLE] later"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("SELECT", LATER),
        ("SELECT", "{tag} NO [INUSE] later"),
        ("SELECT", "{tag} NO later"),
        ("SELECT", "{tag} BAD Request is throttled. Suggested Backoff Time: 299910 milliseconds"),
        ("SEARCH", LATER),
        ("STORE", LATER),
    ],
)
async def test_what_passes_is_waited_for(command: str, answer: str) -> None:
    usual = {"SELECT": SELECTED.format(permanent=""), "SEARCH": FOUND, "LIST": '* LIST () "/" "x"\r\n{tag} OK'}
    async with scripted_imap({**usual, command: answer}) as server:
        into = Folders(reaching(server.port))
        with pytest.raises(MailRefused) as refused:
            await into.mark(mark(FAILED))
        await into.close()
    assert refused.value.retryable


async def test_no_folder_is_taken_for_missing_where_nothing_is_answered() -> None:
    """Microsoft 365 throttles all commands alike: then LIST does not say either whether the folder is there."""
    throttled = "{tag} BAD Request is throttled. Suggested Backoff Time: 299910 milliseconds"
    answers: dict[str, str | None] = {
        "CAPABILITY": "* CAPABILITY IMAP4rev1 NAMESPACE\r\n{tag} OK done",
        "NAMESPACE": '* NAMESPACE (("" "/")) NIL NIL\r\n{tag} OK done',
        **dict.fromkeys(("SELECT", "EXAMINE", "LIST"), throttled),
    }
    async with scripted_imap(answers) as server:
        into = Folders(reaching(server.port))
        with pytest.raises(MailRefused) as unmarked:
            await into.mark(mark(FAILED))
        with pytest.raises(MailRefused) as unfiled:
            await into.file(filed(tried_before=True))
        await into.close()
    assert unmarked.value.retryable
    assert unfiled.value.retryable
    assert "LIST" in server.heard
    assert "APPEND" not in server.heard, "the mail may be there already"


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        (b"OK [PERMANENTFLAGS (\\Answered \\Seen \\*)] Limited", {"\\answered", "\\seen", "\\*"}),
        (b"OK [PERMANENTFLAGS (\\\\Draft \\Seen)] Limited", {"\\*", "\\draft", "\\seen"}),
        (b"OK [PERMANENTFLAGS ($SMSFailed \\\\Draft)] Limited", {"$smsfailed", "\\*", "\\draft"}),
        (b"OK [PERMANENTFLAGS (\\$MDNSent)] Limited", {"\\*", "$mdnsent"}),
        (b"OK [PERMANENTFLAGS ()] No permanent flags permitted", set()),
        (b"OK [UIDVALIDITY 3] Ok", None),
    ],
    ids=["usual", "as the library leaves Courier's", "with ours", "before a keyword", "none", "not said"],
)
def test_the_flags_that_stay_are_read(line: bytes, flags: set[str] | None) -> None:
    assert permanent_flags([b"1 EXISTS", line, b"OK done"]) == flags


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        (b"1 FETCH (UID 5 FLAGS (\\Seen $SMSFailed))", {"\\seen", "$smsfailed"}),
        (b"1 FETCH (FLAGS (\\Seen) UID 5)", {"\\seen"}),
        (b"1 FETCH (FLAGS () MODSEQ (7) UID 5)", set()),
        (b"1 FETCH (FLAGS (\\Seen) UID 55)", None),
        (b"1 FETCH (FLAGS (\\Seen))", None),
    ],
)
def test_the_flags_of_a_mail_are_read(line: bytes, flags: set[str] | None) -> None:
    assert flags_of([line, b"STORE completed"], "5") == flags
