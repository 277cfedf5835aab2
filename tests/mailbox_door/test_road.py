"""The whole road of a clinic that can change neither mail server nor DNS: from its mailbox to the phone and back."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from pydantic import SecretStr

from bridge.settings import TlsMode, WatchSettings
from tests.filing.conftest import LOGIN, Office, eventually, office
from tests.mailbox_door.conftest import PHONE, PROVIDER
from tests.servers.dovecot import PASSWORD, DovecotServer
from tests.servers.imap_account import Account


def deliver(dovecot: DovecotServer, account: str, mail: EmailMessage) -> None:
    """A mail comes in, as the provider files it."""
    raw = mail.as_bytes(policy=policy.SMTP)
    results = f"Authentication-Results: {PROVIDER}; dmarc=pass header.from=example.test\r\n"
    place = dovecot.maildir(account) / "new" / str(len(raw))
    place.write_bytes(results.encode() + raw)
    place.chmod(0o666)


def written(to: str, text: str, answered: EmailMessage | None = None) -> EmailMessage:
    """What the clinic writes, perhaps in answer to a mail."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = LOGIN, to, "Your visit"
    mail["Message-ID"] = f"<{len(text)}@clinic.example>"
    if answered is not None:
        mail["In-Reply-To"] = mail["References"] = answered["Message-ID"]
    mail.set_content(text)
    return mail


async def mailed(at: Office, count: int) -> list[EmailMessage]:
    """The mails that the bridge has sent to the clinic, when there are so many."""
    listed = f"/simulator/api/mail/{LOGIN}"

    async def enough() -> bool:
        return len((await at.http.get(listed)).json()) >= count

    await eventually(enough)
    found = (await at.http.get(listed)).json()
    raw = [(await at.http.get(f"{listed}/{each['id']}")).content for each in found]
    return [message_from_bytes(each, policy=policy.default) for each in raw]


async def test_a_text_its_answer_and_the_answer_to_that(dovecot: DovecotServer, account: str, tmp_path: Path) -> None:
    address = f"{account}@clinic.example"
    assert Account(dovecot, account).mails("INBOX") == []
    watch = WatchSettings(
        host="127.0.0.1",
        port=dovecot.port,
        tls=TlsMode.NONE,
        username=account,
        password=SecretStr(PASSWORD),
        authserv_ids=(PROVIDER,),
    )
    async with office(tmp_path, {}, watch={address: watch}) as at:
        await eventually(lambda: _begun(at))
        deliver(dovecot, account, written(f"{account}+{PHONE[1:]}@clinic.example", "Tomorrow at nine?"))
        await at.arrives(PHONE)
        await at.texts_back(PHONE, "Could it be ten?")
        (answer,) = await mailed(at, 1)
        assert answer["In-Reply-To"] == "<17@clinic.example>"
        (way_back,) = answer["Reply-To"].addresses
        assert way_back.addr_spec == f"{account}+{PHONE[1:]}@clinic.example"
        deliver(dovecot, account, written(str(way_back), "Ten is fine, see you then.", answer))
        await at.arrives(PHONE, 2)
        health = await at.bridge.health()
        assert all(not said for part, said in health.parts.items() if part.startswith("mailbox"))
    assert Account(dovecot, account).mails("INBOX") == []
    assert len(Account(dovecot, account).mails("SMS", "Taken")) == 2


async def _begun(at: Office) -> bool:
    """Whether the bridge has looked into the mailbox once, so that what comes now counts."""
    async with at.bridge.store.engine.connect() as connection:
        found: int = (await connection.exec_driver_sql("SELECT count(*) FROM watch")).scalar_one()
        return found == 1
