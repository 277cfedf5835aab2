"""The tables between the bridge and gammu-smsd when something is in the way, or somebody else is at them too.

gammu-smsd does not run here: what it would write is written by hand, as its source does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import struct
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from bridge import clock
from bridge.errors import SettingsError, SettingsErrors
from bridge.gateways.base import Doubt, Gateway, Handed, PollRefused, Recalled
from bridge.gateways.configured import open_gateways
from bridge.gateways.gammu import database, inbox, sent
from bridge.gateways.registry import build
from bridge.settings import load
from bridge.types import InboundSms, MessageState, OutcomeKind
from tests.gateways.cases import NUMBER, SENDER, connection
from tests.gateways.gammu.conftest import Reader, opened, sms
from tests.servers.faulty import faulty
from tests.servers.gammu import GammuServer
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer


def write_inbox(tables: GammuServer, text: str, *, udh: str = "", number: str = NUMBER, **more: str) -> None:
    """A row as gammu-smsd writes it; `more` are other columns."""
    values = {
        "ReceivingDateTime": "2026-11-21 09:00:00",
        "Text": text.encode("utf-16-be", "surrogatepass").hex().upper(),
        "SenderNumber": number,
        "Coding": "Unicode_No_Compression",
        "UDH": udh,
        "Class": "-1",
        "TextDecoded": "",
        "RecipientID": "first",
        **more,
    }
    columns = ", ".join(f'"{name}"' for name in values)
    written = ", ".join(f"'{value}'" for value in values.values())
    tables.sql(f"INSERT INTO inbox ({columns}) VALUES ({written})")


def finish(tables: GammuServer, outbox_id: str, status: str = "DeliveryOK", code: int = -1) -> None:
    """Move a text of one segment from the outbox to sentitems, as gammu-smsd does when it is settled."""
    copied = '"ID", "CreatorID", "Text", "DestinationNumber", "Coding", "Class", "TextDecoded", "RelativeValidity"'
    tables.sql(
        f'INSERT INTO sentitems ({copied}, "UDH", "SenderID", "SequencePosition", "Status", "StatusCode") '
        f"SELECT {copied}, '', 'first', 1, '{status}', {code} FROM outbox WHERE \"ID\" = {outbox_id}"
    )
    tables.sql(f'DELETE FROM outbox WHERE "ID" = {outbox_id}')


async def accepted(gateway: Gateway, text: str = "Hello") -> tuple[str, str]:
    """Hand a new text over: our reference and its id in the outbox."""
    message = sms(text)
    outcome = await gateway.submit(message)
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert outcome.provider_id is not None
    return message.reference, outcome.provider_id


# ------------------------------------------------------------------------------------------------------ out


async def test_a_text_is_in_the_outbox_whole_or_not_at_all(tables: GammuServer, gateway: Gateway) -> None:
    tables.sql("ALTER TABLE outbox_multipart RENAME TO elsewhere")
    assert (await gateway.submit(sms("d" * 200))).kind is OutcomeKind.UNREACHABLE
    assert tables.sql("SELECT count(*) FROM outbox") == "0"
    tables.sql("ALTER TABLE elsewhere RENAME TO outbox_multipart")
    _, id_ = await accepted(gateway, "d" * 200)
    assert tables.sql(f'SELECT count(*) FROM outbox_multipart WHERE "ID" = {id_}') == "1"


async def test_each_gammu_of_several_is_given_its_own(tables: GammuServer) -> None:
    gateway = opened(tables.url, options={"phone": "second"})
    await accepted(gateway)
    assert tables.sql('SELECT "SenderID" FROM outbox') == "second"
    write_inbox(tables, "for the first", RecipientID="first")
    write_inbox(tables, "for the second", RecipientID="second")
    assert await Reader(gateway, "inbox").texts() == [(NUMBER, "for the second")]
    await gateway.close()


async def test_a_text_that_gammu_has_taken_up_is_not_taken_back(tables: GammuServer, gateway: Gateway) -> None:
    reference, id_ = await accepted(gateway, "e" * 200)
    taken = '"SendingTimeOut" = CURRENT_TIMESTAMP'
    tables.sql(f'UPDATE outbox SET {taken} WHERE "ID" = {id_}')
    assert (await gateway.cancel(Handed(reference, (id_,), NUMBER, SENDER))).kind is Recalled.REFUSED
    other, _ = await accepted(gateway, "f" * 200)
    assert (await gateway.cancel(Handed(other, (), NUMBER, SENDER))).kind is Recalled.CANCELLED
    assert tables.sql('SELECT "ID" FROM outbox') == tables.sql('SELECT "ID" FROM outbox_multipart') == id_


async def test_a_database_that_is_away(tmp_path: Path) -> None:
    for url in (f"postgresql://127.0.0.1:{free_port()}/smsd", f"sqlite:///{tmp_path}/smsd.db"):
        gateway = opened(url, secret="correct-horse")
        message = sms("Nobody there")
        assert (await gateway.submit(message)).kind is OutcomeKind.UNREACHABLE
        assert (await gateway.lookup(Doubt(message.reference, None, NUMBER))).kind is OutcomeKind.UNKNOWN
        assert (await gateway.cancel(Handed(message.reference, (), NUMBER, SENDER))).kind is Recalled.UNKNOWN
        assert (await gateway.probe()).startswith("The database of gammu-smsd cannot be used")
        for poll in gateway.polls():
            with pytest.raises(PollRefused):
                await poll.read("")
        await gateway.close()
    assert os.listdir(tmp_path) == [], "a file that is not there is not made"


async def test_a_login_that_postgresql_refuses(postgres: PostgresServer) -> None:
    gateway = opened(f"postgresql://127.0.0.1:{postgres.port}/smsd", account="nobody", secret="wrong-horse")
    assert (await gateway.submit(sms("No entry"))).kind is OutcomeKind.UNREACHABLE
    assert "Check url, account and secret" in await gateway.probe()
    assert gateway.secrets()[0] == "wrong-horse"
    await gateway.close()


@pytest.mark.parametrize("holds", ["BEGIN IMMEDIATE", "BEGIN"], ids=["a writer", "a reader"])
async def test_a_file_that_somebody_holds_takes_nothing_and_says_so(holds: str) -> None:
    tables = GammuServer.create(None)
    tables.sql("PRAGMA journal_mode = DELETE")  # where a reader holds up whoever writes
    gateway, message = opened(tables.url, timeout=0.2), sms("Wait")
    with closing(sqlite3.connect(tables.folder / "smsd.db", isolation_level=None)) as other:
        other.execute(holds)
        other.execute("SELECT * FROM outbox").fetchall()
        outcome = await gateway.submit(message)
        other.execute("ROLLBACK")
    assert outcome.kind is OutcomeKind.UNREACHABLE
    assert tables.sql("SELECT count(*) FROM outbox") == "0"
    assert (await gateway.submit(message)).kind is OutcomeKind.ACCEPTED
    await gateway.close()
    await tables.remove()


async def test_wherever_the_connection_breaks_the_outcome_is_true(postgres: PostgresServer) -> None:
    """Cut after so many octets, and close together around the commit: what was not committed is never accepted, and
    what was is never tried again."""
    tables = GammuServer.create(postgres)
    direct, kinds, far = opened(tables.url), set(), 1_000_000
    async with faulty(postgres.port) as proxy:

        async def cut_after(octets: int) -> int:
            """How many octets a text took until it was accepted or cut off."""
            gateway = opened(tables.url.replace(str(postgres.port), str(proxy.port)), timeout=5.0)
            proxy.cut_after, message = octets, sms("g" * 200)
            outcome = await gateway.submit(message)
            used = octets - (proxy.cut_after or 0)
            proxy.cut_after = None
            await gateway.close()
            found = await direct.lookup(Doubt(message.reference, None, NUMBER))
            is_there = tables.sql(f"""SELECT count(*) FROM outbox WHERE "CreatorID" = '{message.reference}'""") == "1"
            assert found.kind is (OutcomeKind.ACCEPTED if is_there else OutcomeKind.REJECTED)
            assert outcome.kind is not OutcomeKind.UNREACHABLE or not is_there
            assert outcome.kind is not OutcomeKind.ACCEPTED or is_there
            kinds.add(outcome.kind)
            return used

        whole = await cut_after(far)
        for octets in range(0, whole, 150):
            await cut_after(octets)
        # Later connections take some octets more: their statements have longer names.
        octets = whole - 60
        while await cut_after(octets) == octets:
            octets += 5
    await direct.close()
    await tables.remove()
    assert kinds == {OutcomeKind.UNREACHABLE, OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED}


async def test_a_commit_whose_answer_is_lost_is_found_again(postgres: PostgresServer) -> None:
    """The network falls silent while PostgreSQL commits: the look-up waits for the end of that, and then knows."""
    tables = GammuServer.create(postgres)
    tables.sql(
        "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NEW; END'"
    )
    tables.sql(
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION slowly()"
    )
    committing = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    async with faulty(postgres.port) as proxy:
        gateway = opened(tables.url.replace(str(postgres.port), str(proxy.port)), timeout=1.0)
        message = sms("Is it there?")
        handing_over = asyncio.create_task(gateway.submit(message))
        await tables.until(lambda: tables.sql(committing) == "1")
        proxy.muted = True
        assert (await handing_over).kind is OutcomeKind.UNKNOWN
        direct = opened(tables.url)
        found = await direct.lookup(Doubt(message.reference, None, NUMBER))
        assert found.kind is OutcomeKind.ACCEPTED
        assert found.provider_id == tables.sql('SELECT "ID" FROM outbox')
        await direct.close()
        proxy.muted = False
        await gateway.close()
    await tables.remove()


async def test_a_bridge_that_vanished_holds_up_nobody_for_long(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine lost power between two statements, and TCP will not notice for hours."""
    monkeypatch.setattr(database, "_SILENCE", "500ms")
    tables = GammuServer.create(postgres)
    vanished, gateway = database.Database(opened(tables.url).connection), opened(tables.url, timeout=10.0)
    with contextlib.suppress(*vanished.faults):
        async with vanished.writing():
            assert (await gateway.submit(sms("still here"))).kind is OutcomeKind.ACCEPTED
    await vanished.close()
    await gateway.close()
    await tables.remove()


# ------------------------------------------------------------------------------------------------- receipts


async def test_a_receipt_that_was_not_kept_is_told_again_as_the_same(tables: GammuServer, gateway: Gateway) -> None:
    reader = Reader(gateway, "sentitems")
    reference, id_ = await accepted(gateway)
    finish(tables, id_)
    first, second = (await reader.look()).events, (await reader.look()).events
    assert [event.event_id for event in first] == [event.event_id for event in second]
    assert list(await reader.receipts()) == [reference]
    restarted = opened(tables.url)
    again = Reader(restarted, "sentitems")
    again.cursor = reader.cursor
    assert await again.news() == [], "it lies behind the cursor"
    await restarted.close()


async def test_a_text_that_takes_long_is_not_passed_over(tables: GammuServer, gateway: Gateway) -> None:
    """The first waits in the outbox, the second for its report, while later ones are settled, over a restart too."""
    reader = Reader(gateway, "sentitems")
    (first, first_id), (second, second_id) = await accepted(gateway), await accepted(gateway)
    finish(tables, second_id, "SendingOK")
    settled = [await accepted(gateway) for _ in range(3)]
    for reference, id_ in settled:
        finish(tables, id_)
        assert list(await reader.receipts()) == [reference]
    assert await reader.news() == []
    restarted = opened(tables.url)
    reader.read = next(poll.read for poll in restarted.polls() if poll.name == "sentitems")
    assert set(await reader.receipts()) == {reference for reference, _ in settled}, "said again, and known by its id"
    finish(tables, first_id, "SendingError", 38)
    tables.sql(f"""UPDATE sentitems SET "Status" = 'DeliveryFailed', "StatusError" = 64 WHERE "ID" = {second_id}""")
    told = await reader.receipts()
    assert {reference: each.state for reference, each in told.items()} == {
        first: MessageState.FAILED,
        second: MessageState.UNDELIVERED,
    }
    assert await reader.news() == []
    assert reader.cursor.split()[0] == settled[-1][1]
    await restarted.close()


async def test_another_bridge_that_looked_meanwhile_takes_nothing_away(tables: GammuServer, gateway: Gateway) -> None:
    reader = Reader(gateway, "sentitems")
    (first, first_id), (second, second_id) = await accepted(gateway), await accepted(gateway)
    finish(tables, second_id)
    assert [event.reference for event in (await reader.look()).events if hasattr(event, "reference")] == [second]
    other = opened(tables.url)
    elsewhere = Reader(other, "sentitems")
    assert list(await elsewhere.receipts()) == [second]
    reader.cursor = elsewhere.cursor
    finish(tables, first_id)
    assert first in await reader.receipts()
    await other.close()


async def test_more_than_one_look_can_tell(
    tables: GammuServer, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent, "AT_ONCE", 2)
    reader = Reader(gateway, "sentitems")
    references = []
    for _ in range(5):
        reference, id_ = await accepted(gateway)
        finish(tables, id_)
        references.append(reference)
    looks = []
    while (polled := await reader.look()).events:
        looks.append(([getattr(event, "reference", None) for event in polled.events], polled.more))
        reader.cursor = polled.cursor
    assert looks == [(references[:2], True), (references[2:4], True), (references[4:], False)]


async def test_rows_of_other_programs_are_none_of_ours(tables: GammuServer, gateway: Gateway) -> None:
    _, id_ = await accepted(gateway)
    tables.sql("""UPDATE outbox SET "CreatorID" = 'Gammu 1.42.0'""")
    finish(tables, id_)
    reader = Reader(gateway, "sentitems")
    assert (await reader.news(), reader.cursor) == ([], "")


async def test_a_report_that_never_comes_keeps_nothing_waiting(tables: GammuServer, gateway: Gateway) -> None:
    reader = Reader(gateway, "sentitems")
    (_, old), (reference, id_) = await accepted(gateway), await accepted(gateway)
    finish(tables, old, "SendingOK")
    tables.sql(f"""UPDATE sentitems SET "SendingDateTime" = '2026-01-01 00:00:00' WHERE "ID" = {old}""")
    finish(tables, id_)
    assert list(await reader.receipts()) == [reference]
    assert reader.cursor.split()[0] == id_


async def test_tables_that_are_made_anew_count_from_one_again(tables: GammuServer, gateway: Gateway) -> None:
    reader = Reader(gateway, "sentitems")
    for _ in range(3):
        _, id_ = await accepted(gateway)
        finish(tables, id_)
    assert len(await reader.news()) == 3
    tables.sql("DELETE FROM sentitems")
    if tables.postgres:
        tables.sql('ALTER SEQUENCE "outbox_ID_seq" RESTART')
    else:
        tables.sql("DELETE FROM sqlite_sequence")
    reference, id_ = await accepted(gateway)
    finish(tables, id_)
    assert id_ == "1"
    assert list(await reader.receipts()) == [reference]


# -------------------------------------------------------------------------------------------------- answers


async def test_an_answer_that_is_committed_late_is_not_passed_over(postgres: PostgresServer) -> None:
    """Two gammu-smsd at once: the lower id becomes visible after the higher one was read."""
    tables = GammuServer.create(postgres)
    gateway = opened(tables.url)
    reader = Reader(gateway, "inbox")
    slow = await asyncpg.connect(tables.url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(
        'INSERT INTO inbox ("Text", "SenderNumber", "UDH", "RecipientID", "TextDecoded") '
        f"VALUES ('', '{NUMBER}', '', 'first', 'late')"
    )
    write_inbox(tables, "early")
    assert await reader.texts() == [(NUMBER, "early")]
    await transaction.commit()
    await slow.close()
    assert await reader.texts() == [(NUMBER, "late")]
    assert await reader.texts() == []
    await gateway.close()
    await tables.remove()


async def test_an_answer_that_was_not_kept_is_read_again_as_the_same(tables: GammuServer, gateway: Gateway) -> None:
    reader = Reader(gateway, "inbox")
    write_inbox(tables, "SI")
    write_inbox(tables, "SI")
    first, second = (await reader.look()).events, (await reader.look()).events
    assert [event.event_id for event in first] == [event.event_id for event in second]
    assert len({event.event_id for event in first}) == 2, "a second SI is another SMS"
    assert len(await reader.texts()) == 2
    unread = "SELECT count(*) FROM inbox WHERE \"Processed\" = 'false'"
    assert tables.sql(unread) == "2", "marked only when it is known that they were kept"
    assert await reader.texts() == []
    assert (tables.sql(unread), reader.cursor) == ("0", "")


async def test_what_was_kept_of_tables_that_are_gone_marks_nothing_in_new_ones(
    tables: GammuServer, gateway: Gateway
) -> None:
    reader = Reader(gateway, "inbox")
    write_inbox(tables, "before")
    assert len(await reader.texts()) == 1
    tables.sql("DELETE FROM inbox")
    tables.sql('ALTER SEQUENCE "inbox_ID_seq" RESTART' if tables.postgres else "DELETE FROM sqlite_sequence")
    write_inbox(tables, "after")
    assert await reader.texts() == [(NUMBER, "after")]


async def test_segments_wait_for_each_other_and_not_for_ever(tables: GammuServer) -> None:
    now = clock.now()
    gateway = opened(tables.url)
    box = inbox.Inbox("main", gateway._database, number=SENDER, phone="", zone=None)
    pair = "👍".encode("utf-16-be").decode("utf-16-be", "surrogatepass").encode("utf-16-be", "surrogatepass")
    halves = [struct.unpack(">H", pair[at : at + 2])[0] for at in (0, 2)]
    write_inbox(tables, f"a{chr(halves[0])}", udh="050003070301")
    write_inbox(tables, "another phone", udh="050003070301", number="+393339999999")
    write_inbox(tables, "c", udh="050003070303")
    assert (await box.read("", now)).events == []
    write_inbox(tables, f"{chr(halves[1])}b", udh="050003070302")
    polled = await box.read("", now + timedelta(minutes=59))
    assert [event.text for event in polled.events if isinstance(event, InboundSms)] == ["a👍bc"]
    polled = await box.read(polled.cursor, now + timedelta(minutes=61))
    assert [event.text for event in polled.events if isinstance(event, InboundSms)] == ["another phone[…][…]"]
    assert (await box.read(polled.cursor, now + timedelta(minutes=62))).events == []
    await gateway.close()


@pytest.mark.parametrize(
    ("row", "number", "text"),
    [
        pytest.param({"Text": "", "TextDecoded": "only decoded"}, NUMBER, "only decoded", id="by a hand"),
        pytest.param({"Text": "no hex", "TextDecoded": "decoded"}, NUMBER, "decoded", id="not hexadecimal"),
        pytest.param({"Text": "00", "TextDecoded": "odd"}, NUMBER, "odd", id="half a character"),
        pytest.param({"Text": ""}, NUMBER, "", id="empty"),
        pytest.param({"Text": "D83D0041"}, NUMBER, "\ufffdA", id="half a pair"),
        pytest.param({"Text": "00000041"}, NUMBER, "\ufffdA", id="NUL"),
        pytest.param({"Text": "C3AC", "Coding": "8bit"}, NUMBER, "ì", id="8 bits of UTF-8"),
        pytest.param({"Text": "EC00", "Coding": "8bit"}, NUMBER, "ì\ufffd", id="8 bits of anything"),
        pytest.param({"UDH": "zz"}, NUMBER, "hi", id="header not hexadecimal"),
        pytest.param({"UDH": "050003070905"}, NUMBER, "hi", id="ordinal within its total waits"),
        pytest.param({"UDH": "050003070209"}, NUMBER, "hi", id="ordinal beyond its total"),
        pytest.param({"UDH": "050003070000"}, NUMBER, "hi", id="of nothing"),
        pytest.param({"UDH": "060504158A0000"}, NUMBER, "hi", id="to a port"),
        pytest.param({"SenderNumber": ""}, "anonymous", "hi", id="nobody"),
        pytest.param({"SenderNumber": "Uff\x07icio"}, "anonymous", "hi", id="a name that rings"),
        pytest.param({"ReceivingDateTime": "2099-01-01 00:00:00"}, NUMBER, "hi", id="from the future"),
    ],
)
async def test_no_row_is_lost_whatever_it_holds(
    row: dict[str, str], number: str, text: str, tables: GammuServer, gateway: Gateway
) -> None:
    write_inbox(tables, "hi", **row)
    reader = Reader(gateway, "inbox")
    if row.get("UDH") == "050003070905":
        assert await reader.texts() == []
        return
    (event,) = (await reader.look()).events
    assert isinstance(event, InboundSms)
    assert (event.number, event.text) == (number, text)
    assert event.received_at <= clock.now()
    assert await reader.texts() == [(number, text)]
    assert await reader.texts() == []


async def test_what_a_network_answers_to_its_operator_is_left_alone(tables: GammuServer, gateway: Gateway) -> None:
    write_inbox(tables, "Credit: 5", Class="127")
    assert await Reader(gateway, "inbox").texts() == []
    assert tables.sql("SELECT count(*) FROM inbox WHERE \"Processed\" = 'false'") == "1"


async def test_a_full_inbox_is_read_bit_by_bit(
    tables: GammuServer, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LOOKED_AT", 3)
    reader = Reader(gateway, "inbox")
    texts = [str(number) for number in range(7)]
    for text in texts:
        write_inbox(tables, text)
    looks = []
    while (polled := await reader.look()).more or polled.events:
        looks.append([event.text for event in polled.events if isinstance(event, InboundSms)])
        reader.cursor = polled.cursor
    assert looks == [texts[:3], [], texts[3:6], [], texts[6:]]


async def test_segments_that_wait_make_nobody_look_again_at_once(
    tables: GammuServer, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LOOKED_AT", 2)
    write_inbox(tables, "a", udh="050003070301")
    write_inbox(tables, "b", udh="050003070302")
    polled = await Reader(gateway, "inbox").look()
    assert (polled.events, polled.more) == ([], False)


async def test_a_row_that_is_no_utf8_keeps_no_other_from_being_read() -> None:
    """Half a surrogate pair, which any phone may send: gammu-smsd writes it into SQLite as three octets."""
    tables = GammuServer.create(None)
    gateway = opened(tables.url)
    reader = Reader(gateway, "inbox")
    write_inbox(tables, "\udc4d")
    tables.sql("UPDATE inbox SET TextDecoded = CAST(X'EDB18D' AS TEXT)")
    write_inbox(tables, "and then")
    assert await reader.texts() == [(NUMBER, "\ufffd"), (NUMBER, "and then")]
    assert await reader.texts() == []
    await gateway.close()
    await tables.remove()


# ------------------------------------------------------------------------------------------------- settings


async def test_the_check_says_what_is_wrong_with_gammu(tables: GammuServer, gateway: Gateway) -> None:
    assert await gateway.probe() == "No gammu-smsd has its phone in the database. Start it, and check its PhoneID."
    columns = '"ID", "IMEI", "IMSI", "Client", "Send", "UpdatedInDB"'
    tables.sql(f"INSERT INTO phones ({columns}) VALUES ('first', '1', '', '', 'yes', '2026-01-01 00:00:00')")
    assert (await gateway.probe()).startswith("gammu-smsd has not been seen for 15 minutes.")
    tables.sql("""UPDATE phones SET "Send" = 'no'""")  # its trigger writes the time
    assert (await gateway.probe()).startswith("This gammu-smsd sends nothing.")
    tables.sql("""UPDATE phones SET "Send" = 'yes'""")
    assert await gateway.probe() == ""
    elsewhere = opened(tables.url, options={"phone": "second"})
    assert (await elsewhere.probe()).startswith("No gammu-smsd has its phone")
    await elsewhere.close()
    tables.sql('UPDATE gammu SET "Version" = 14')
    assert (await gateway.probe()).startswith("The tables of gammu-smsd have version 14.")


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        pytest.param("", {}, "gateways.main.url = (not set)", id="no url"),
        pytest.param("mysql://localhost/smsd", {}, "does not speak MySQL", id="MySQL"),
        pytest.param("oracle://localhost/smsd", {}, 'write "postgresql://HOST/DATABASE"', id="Oracle"),
        pytest.param("smsd.db", {}, 'write "postgresql://HOST/DATABASE"', id="a file's name"),
        pytest.param("sqlite:///smsd.db", {}, "sqlite:////PATH/TO/smsd.db", id="a relative path"),
        pytest.param("sqlite://", {}, "sqlite:////PATH/TO/smsd.db", id="no path"),
        pytest.param("postgresql://localhost", {}, 'write "postgresql://HOST/DATABASE"', id="no database"),
        pytest.param("postgresql://db.example.org/smsd", {}, "?ssl=verify-full", id="readable"),
        pytest.param("postgresql:///smsd?host=db.example.org", {}, "?ssl=verify-full", id="readable, named behind"),
        pytest.param("postgresql://localhost/smsd?host=10.0.0.5:5432", {}, "?ssl=verify-full", id="readable, two"),
        pytest.param("postgresql://localhost/smsd?sslmode=require", {}, "for sslmode write ssl", id="as libpq has it"),
        pytest.param("postgresql://localhost:54x/smsd", {}, 'write "postgresql://HOST/DATABASE"', id="no port"),
        pytest.param("postgresql://localhost:99999/smsd", {}, 'write "postgresql://HOST/DATABASE"', id="beyond ports"),
        pytest.param("postgresql://me:hunter2@localhost/smsd", {}, "write the password into secret", id="a password"),
        pytest.param("sqlite:////var/smsd.db", {"number": "333 1234567"}, "with plus and country code", id="number"),
        pytest.param("sqlite:////var/smsd.db", {"timezone": "Rome"}, "write an IANA name", id="zone"),
    ],
)
def test_every_setting_that_cannot_be_meant_gets_its_sentence(url: str, options: dict[str, str], said: str) -> None:
    with pytest.raises((SettingsError, SettingsErrors)) as caught:
        opened(url, options=options)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


async def test_the_configuration_may_hold_its_address(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text(f"""
[sending]
gateway = "main"
[gateways.main]
kind = "gammu"
url = "sqlite:///{tmp_path}/smsd.db"
options = {{ number = "{SENDER}" }}
""")
    (gateway,) = open_gateways(load(config, {})).values()
    assert gateway.traits.own_segments
    await gateway.close()


def test_the_number_of_the_card_must_be_said() -> None:
    with pytest.raises(SettingsErrors, match=r"options\.number"):
        build("gammu", connection())
