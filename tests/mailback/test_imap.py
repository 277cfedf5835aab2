"""Mails are filed in the folders of a real IMAP account: in order, marked and dated, under names that people chose."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.errors import MailRefused, SettingsError
from bridge.mailback.imap import Filed, Flag, Folders
from bridge.settings import TlsMode
from tests.mailback.conftest import issue
from tests.mailback.imap import FOLDER, filed, folders, reaching, scripted_imap
from tests.servers.dovecot import FULL, GUARDED, LAYOUTS, QUOTED, QUOTED_PASSWORD, DovecotServer

_NUMBERS = itertools.count(1)
ON_DISK = ".SMS.+393331234567"


async def refusal(account: Folders, mail: Filed) -> MailRefused:
    with pytest.raises(MailRefused) as caught:
        await account.file(mail)
    await account.close()
    assert "1234567" not in caught.value.detail + caught.value.sentence
    return caught.value


# ------------------------------------------------------------------------------------------------- a mail is filed


async def test_a_missing_folder_is_made_and_shown_with_all_above_it(dovecot: DovecotServer, account: str) -> None:
    into = folders(dovecot, account)
    await into.file(filed())
    await into.close()
    assert dovecot.mails(account, ON_DISK) == [filed().raw]
    assert dovecot.folders(account) == {".SMS", ON_DISK}
    assert dovecot.subscribed(account) == {"SMS", ON_DISK[1:]}


async def test_a_folder_that_its_owner_hid_stays_hidden(dovecot: DovecotServer, account: str) -> None:
    into = folders(dovecot, account)
    await into.file(filed(number=0))
    (dovecot.maildir(account) / "subscriptions").unlink()
    await into.file(filed(number=1))
    await into.close()
    assert dovecot.subscribed(account) == set()


async def test_a_folder_that_its_owner_deleted_is_made_anew(dovecot: DovecotServer, account: str) -> None:
    into = folders(dovecot, account)
    await into.file(filed(number=0))
    doveadm(dovecot, "mailbox", "delete", "-u", account, ON_DISK[1:])
    await into.file(filed(number=1))
    await into.close()
    assert dovecot.mails(account, ON_DISK) == [filed(number=1).raw]


async def test_marks_and_date_are_those_of_the_mail(dovecot: DovecotServer, account: str) -> None:
    into = folders(dovecot, account)
    mail = replace(filed(), flags=(Flag.SEEN, Flag.FLAGGED), date=datetime(2026, 3, 1, 8, 5, tzinfo=UTC))
    await into.file(mail)
    await into.close()
    shown = doveadm(dovecot, "fetch", "-u", account, "flags date.received.unixtime", "mailbox", ON_DISK[1:])
    assert "\\Seen" in shown
    assert "\\Flagged" in shown
    assert str(int(mail.date.timestamp())) in shown


async def test_mails_filed_at_once_share_one_connection_and_keep_their_order(
    dovecot: DovecotServer, account: str
) -> None:
    before = asyncio.all_tasks()
    into = folders(dovecot, account)
    mails = [filed(number=number) for number in range(20)]
    await asyncio.gather(*map(into.file, mails))
    await into.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert dovecot.mails(account, ON_DISK) == [mail.raw for mail in mails]
    assert dovecot.log().count(f"Login: user=<{account}>") == 1


async def test_a_mail_that_may_be_there_is_looked_for_first(dovecot: DovecotServer, account: str) -> None:
    into = folders(dovecot, account)
    again = filed(number=1, tried_before=True)
    for mail in (filed(number=0), again, again, again):
        await into.file(mail)
    await into.close()
    assert dovecot.mails(account, ON_DISK) == [filed(number=0).raw, again.raw]


async def test_a_mail_that_is_in_no_folder_yet_is_filed(dovecot: DovecotServer, account: str) -> None:
    into = folders(dovecot, account)
    await into.file(filed(tried_before=True))
    await into.close()
    assert dovecot.mails(account, ON_DISK) == [filed().raw]


@pytest.mark.parametrize(
    "listed",
    ["", '* LIST (\\HasChildren \\NonExistent) "/" "SMS/+393331234567"\r\n'],
    ids=["no such folder", "a level above others only"],
)
async def test_a_missing_folder_is_recognised_without_a_reason_given(listed: str) -> None:
    async with scripted_imap({"EXAMINE": "{tag} NO no", "LIST": listed + "{tag} OK done"}) as server:
        into = Folders(reaching(server.port))
        await into.file(filed(tried_before=True))
        await into.close()
    assert server.heard.count("APPEND") == 1


async def test_a_folder_left_unsubscribed_by_the_try_before_is_shown(dovecot: DovecotServer, account: str) -> None:
    doveadm(dovecot, "mailbox", "create", "-u", account, ON_DISK[1:])
    into = folders(dovecot, account)
    await into.file(filed(tried_before=True))
    await into.close()
    assert dovecot.subscribed(account) == {ON_DISK[1:]}


async def test_looking_changes_nothing_in_the_folder(dovecot: DovecotServer, account: str) -> None:
    """SELECT would take \\Recent from the owner's program, and CLOSE would expunge what they marked deleted."""
    into = folders(dovecot, account)
    await into.file(filed(number=0))
    doveadm(dovecot, "flags", "add", "-u", account, "\\Deleted", "mailbox", ON_DISK[1:])
    await into.file(filed(number=1, tried_before=True))
    await into.close()
    assert len(dovecot.mails(account, ON_DISK)) == 2


@pytest.mark.timeout(300)
async def test_one_of_thousands_of_folders_takes_a_mail_in_under_fifty_milliseconds(
    dovecot: DovecotServer, account: str, long: bool
) -> None:
    """Making a folder is slower, since Dovecot writes its list of folders anew: that happens once a conversation."""
    into = folders(dovecot, account, timeout=200.0)
    await into.file(filed())
    numbers = [f"+39333{number:07d}" for number in range(5000 if long else 500)]
    for number in numbers:
        place = dovecot.maildir(account) / f".SMS.{number}"
        place.mkdir()
        place.chmod(0o777)
    # Dovecot takes note of folders that appeared behind its back when it is next asked for one.
    await into.file(filed(folder=("SMS", numbers[0])))
    seconds = []
    for number in numbers[1 :: len(numbers) // 100]:
        before = time.perf_counter()
        await into.file(filed(folder=("SMS", number)))
        seconds.append(time.perf_counter() - before)
    await into.close()
    print(f"median {statistics.median(seconds) * 1000:.1f} ms, slowest {max(seconds) * 1000:.1f} ms")
    assert statistics.median(seconds) < 0.05


# ---------------------------------------------------------------------------------------------------- every name


@pytest.mark.parametrize(
    ("layout", "on_disk"),
    [("courier", ".Praxis M&APw-ller"), ("slashes", ".INBOX.Praxis M&APw-ller"), ("prefixed", ".Praxis M&APw-ller")],
)
async def test_below_the_inbox_means_where_the_server_keeps_the_folders_of_the_account(
    dovecot: DovecotServer, layout: str, on_disk: str
) -> None:
    into = Folders(reaching(dovecot.port, layout))
    mail = filed(number=next(_NUMBERS), folder=("Inbox", "Praxis Müller"))
    await into.file(mail)
    await into.close()
    assert mail.raw in dovecot.mails(layout, on_disk)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("folder", "on_disk"),
    [
        (("SMS", "+393331234567"), ".SMS.+393331234567"),
        (("INBOX",), ""),
        (("SMS", "Dr. Rossi / 2. OG"), ".SMS.Dr_ Rossi _ 2_ OG"),
        (("SMS", "陳醫生 & 👩‍⚕️"), ".SMS.&lnORq3Uf- &- _&JpX+Dw-"),
        (("..", "~root", "*", "%"), ".__._root._._"),
        (("SMS", 'a" {3}\r\nX LOGOUT\0'), ".SMS.a_ _3___X LOGOUT_"),
        (("SMS", ""), ".SMS._"),
    ],
    ids=["number", "inbox", "levels", "any script", "wildcards", "command", "empty"],
)
async def test_a_folder_of_any_name_is_safe_on_servers_of_any_layout(
    dovecot: DovecotServer, layout: str, folder: tuple[str, ...], on_disk: str
) -> None:
    into = Folders(reaching(dovecot.port, layout))
    mail = filed(number=next(_NUMBERS), folder=folder)
    await into.file(mail)
    await into.close()
    assert [name for name in ("", *dovecot.folders(layout)) if mail.raw in existing(dovecot, layout, name)] == [on_disk]


async def test_the_delimiter_is_learned_from_a_server_without_namespaces() -> None:
    async with scripted_imap({"LIST": '* LIST (\\Noselect) "^" ""\r\n{tag} OK done'}) as server:
        into = Folders(reaching(server.port))
        await into.file(filed(folder=("SMS", "a^b", "c")))
        await into.close()
    (line,) = (line for line in server.lines if b" APPEND " in line)
    assert b' APPEND "SMS^a_b^c" ' in line


async def test_nothing_lists_all_folders_since_the_library_breaks_at_a_thousand() -> None:
    async with scripted_imap({"EXAMINE": "{tag} NO no"}) as server:
        into = Folders(reaching(server.port))
        await into.file(filed())
        await into.file(filed(tried_before=True))
        await into.close()
    listed = [line.split(b" ", 1)[1] for line in server.lines if b" LIST " in line]
    assert listed == [b'LIST "" ""\r\n', b'LIST "" "SMS/+393331234567"\r\n']
    assert not any(b"LSUB" in line or b"*" in line or b"%" in line for line in server.lines)


# -------------------------------------------------------------------------------------------------- who may log in


async def test_a_name_and_a_password_of_any_signs_are_understood(dovecot: DovecotServer) -> None:
    into = Folders(reaching(dovecot.port, QUOTED, password=QUOTED_PASSWORD))
    assert await into.probe() == ""
    await into.close()


async def test_a_wrong_password_is_said_at_once_and_may_be_set_right(dovecot: DovecotServer, account: str) -> None:
    wrong = folders(dovecot, account, password="a secret that is wrong")
    said = await wrong.probe()
    refused = await refusal(wrong, filed())
    assert said == refused.sentence
    assert "does not accept the login: check user name and password" in said
    assert "secret" not in said + refused.detail
    assert refused.retryable


async def test_over_tls_from_the_first_byte(dovecot: DovecotServer, account: str) -> None:
    into = folders(dovecot, account, dovecot.tls_port, tls=TlsMode.IMPLICIT, ca_file=dovecot.authority)
    await into.file(filed())
    await into.close()
    assert dovecot.mails(account, ON_DISK) == [filed().raw]


async def test_a_certificate_of_a_stranger_is_not_trusted(dovecot: DovecotServer, account: str, tmp_path: Path) -> None:
    stranger = issue(tmp_path, "127.0.0.1").authority
    into = folders(dovecot, account, dovecot.tls_port, tls=TlsMode.IMPLICIT, ca_file=stranger)
    refused = await refusal(into, filed())
    assert "has a certificate that is not trusted" in refused.sentence
    assert refused.retryable


async def test_a_password_is_never_sent_where_logins_need_tls() -> None:
    async with scripted_imap({"CAPABILITY": "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n{tag} OK done"}) as server:
        refused = await refusal(Folders(reaching(server.port)), filed())
    assert "takes logins over TLS only: set its TLS mode to implicit" in refused.sentence
    assert "LOGIN" not in server.heard


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"tls": TlsMode.STARTTLS}, "imap.tls = starttls: STARTTLS is not spoken here"),
        ({"username": "anna\r\nX LOGOUT"}, "must be one line each"),
        ({"password": "a\0b"}, "must be one line each"),
        ({"tls": TlsMode.IMPLICIT, "ca_file": Path("missing.pem")}, "name a readable file of certificates"),
    ],
    ids=["STARTTLS", "name of two lines", "password with NUL", "no authorities"],
)
def test_settings_that_cannot_work_are_refused_at_once(changes: dict[str, object], remedy: str) -> None:
    with pytest.raises(SettingsError, match=remedy) as refused:
        Folders(replace(reaching(143), **changes))  # type: ignore[arg-type]
    assert "a\0b" not in str(refused.value)


# ------------------------------------------------------------------------------------------------ the server says no


@pytest.mark.parametrize("tried_before", [False, True])
async def test_a_full_mailbox_keeps_the_mail_waiting(dovecot: DovecotServer, tried_before: bool) -> None:
    refused = await refusal(folders(dovecot, FULL), filed(size=5000, folder=("INBOX",), tried_before=tried_before))
    assert refused.retryable
    assert "the mailbox is full: its owner must delete mails" in refused.sentence
    assert refused.detail.endswith("NO OVERQUOTA")


async def test_a_folder_without_the_right_to_write_keeps_the_mail_waiting(dovecot: DovecotServer) -> None:
    into = folders(dovecot, GUARDED)
    await into.file(filed(number=0))
    await into.close()
    rights = dovecot.maildir(GUARDED) / ON_DISK / "dovecot-acl"
    rights.write_text("owner lr\n")
    refused = await refusal(into, filed(number=1))
    assert refused.retryable
    assert "give it the rights to create and insert" in refused.sentence
    rights.unlink()
    await into.file(filed(number=1))
    await into.close()
    assert dovecot.mails(GUARDED, ON_DISK) == [filed(number=0).raw, filed(number=1).raw]


@pytest.mark.parametrize(
    ("answers", "retryable", "says"),
    [
        ({"APPEND": "{tag} NO [OVERQUOTA] +39 333 1234567"}, True, "the mailbox is full"),
        ({"APPEND": "{tag} NO [NOPERM] no"}, True, "give it the rights"),
        ({"APPEND": "{tag} NO [UNAVAILABLE] later"}, True, "does not take the mail for now"),
        ({"APPEND": "{tag} NO later"}, True, "does not take the mail for now"),
        ({"APPEND": "{tag} NO [TOOBIG] no"}, False, "never take a mail of this size"),
        ({"APPEND": "{tag} BAD what?"}, False, "did not understand"),
        ({"APPEND": "{tag} NO [TRYCREATE] no", "CREATE": "{tag} NO [CANNOT] no"}, False, "a plainer folder template"),
        ({"APPEND": "{tag} NO [TRYCREATE] no", "CREATE": "{tag} NO [NOPERM] no"}, True, "give it the rights"),
        ({"LOGIN": "{tag} NO [UNAVAILABLE] later"}, True, "lets nobody in for now"),
        ({"LOGIN": "{tag} NO [AUTHENTICATIONFAILED] no"}, True, "check user name and password"),
        ({"NOOP": "", "CAPABILITY": "* CAPABILITY IMAP2\r\n{tag} OK"}, True, "does not answer"),
    ],
    ids=[
        "full", "no right to insert", "busy", "no reason", "too big", "not understood", "name", "no right to create",
        "login later", "login never", "another IMAP",
    ],
)  # fmt: skip
async def test_each_refusal_is_a_sentence_and_final_only_when_waiting_is_no_use(
    answers: dict[str, str | None], retryable: bool, says: str
) -> None:
    async with scripted_imap(answers) as server:
        refused = await refusal(Folders(reaching(server.port)), filed())
    assert refused.retryable is retryable
    assert says in refused.sentence


@pytest.mark.parametrize(
    "answers",
    [
        {"SEARCH": "{tag} NO [CANNOT] no"},
        {"EXAMINE": "{tag} NO [NOPERM] no", "LIST": '* LIST () "/" "SMS/+393331234567"\r\n{tag} OK done'},
    ],
    ids=["no search", "no right to read"],
)
async def test_in_doubt_and_unable_to_look_nothing_is_filed(answers: dict[str, str | None]) -> None:
    async with scripted_imap(answers) as server:
        refused = await refusal(Folders(reaching(server.port)), filed(tried_before=True))
    assert refused.retryable
    assert "APPEND" not in server.heard


@pytest.mark.parametrize(
    "greeting",
    ["* BYE too many connections", "220 mail.example.test ESMTP", "HTTP/1.1 400 Bad Request"],
    ids=["turned away", "a mail server", "a web server"],
)
async def test_a_server_that_does_not_let_us_in_is_left_at_once(greeting: str) -> None:
    async with scripted_imap(greeting=greeting) as server:
        before = time.monotonic()
        assert "does not answer: check its host, port" in await Folders(reaching(server.port)).probe()
        assert time.monotonic() - before < 5.0


async def test_a_host_that_is_no_name_is_said_to_be_wrong() -> None:
    said = await Folders(replace(reaching(143), host="imap..example.test")).probe()
    assert "imap..example.test:143 does not answer: check its host" in said


async def test_a_server_that_says_more_than_the_library_can_take_is_left_at_once() -> None:
    async with scripted_imap(
        {"CREATE": "* OK still here\r\n" * 3000 + "{tag} OK", "APPEND": "{tag} NO [TRYCREATE]"}
    ) as server:
        before = time.monotonic()
        refused = await refusal(Folders(reaching(server.port)), filed())
        assert time.monotonic() - before < 5.0
    assert refused.retryable


async def test_an_unused_connection_is_given_back() -> None:
    async with scripted_imap() as server:
        into = Folders(reaching(server.port, idle=0.01))
        await into.file(filed())
        async with asyncio.timeout(30):
            await server.gone.wait()
    assert server.heard[-1] == "LOGOUT"


def test_a_mail_that_could_not_be_found_again_is_not_filed() -> None:
    for message_id in ("", "no brackets", "<two lines\r\n>", "<ü@example.test>", "<a> OR <b>"):
        with pytest.raises(ValueError, match="needs a Message-ID"):
            replace(filed(), message_id=message_id)
    with pytest.raises(ValueError, match="and a folder"):
        replace(filed(), folder=())
    assert filed().folder == FOLDER


def existing(dovecot: DovecotServer, account: str, folder: str) -> list[bytes]:
    place = dovecot.maildir(account) / folder
    return dovecot.mails(account, folder) if (place / "dovecot-uidlist").exists() else []


def doveadm(dovecot: DovecotServer, *arguments: str) -> str:
    done = subprocess.run(
        ["doveadm", "-c", str(dovecot.folder / "dovecot.conf"), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout
