"""Real mail programs at every listener of the front door, by every kind of login that they share."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

import pytest

from bridge.types import Door, Notify, Ret
from tests.smtp.conftest import LOGIN, OpenHouse
from tests.smtp.programs import DOORS, MAIL, ORDER, OTHER, PLUS, PROGRAMS, TO, Order, Way

LOGINS = ["PLAIN", "LOGIN"]
WAYS = [
    pytest.param(door, login, id=f"{door}-{login or 'trusted'}")
    for door, login in [*((door, login) for door in DOORS for login in LOGINS), ("network", "")]
]


@pytest.mark.parametrize(("door", "login"), WAYS)
@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_mail_comes_in_as_it_is(
    open_house: OpenHouse, authority_file: Path, tmp_path: Path, name: str, door: str, login: str
) -> None:
    """With its dots, its octets beyond ASCII, both its phones and what it asks for reports; once."""
    house = await open_house(plaintext_login=door == "loopback")
    if door == "network":
        house.directory.networks["127.0.0.1"] = LOGIN
    program = PROGRAMS[name]
    await program.send(Way.into(house, authority_file, door, login), ORDER, tmp_path)
    (mail,) = house.admission.admitted
    assert (mail.mailbox.login, mail.envelope.mail_from) == (LOGIN, PLUS)
    assert mail.envelope.door is (Door.SUBMISSION if login else Door.NETWORK)
    assert mail.numbers == ("+393331234567", "+393477654321")
    if program.keeps:
        assert mail.raw == MAIL
    assert _words(mail.raw) == _words(MAIL)
    asked = frozenset({Notify.FAILURE, Notify.DELAY}) if program.asks_for_reports else None
    assert [recipient.notify for recipient in mail.recipients] == [asked, asked]
    assert mail.envelope.ret is (Ret.HDRS if program.asks_for_reports else None)


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_person_reads_why_a_mail_is_not_taken(
    open_house: OpenHouse, authority_file: Path, tmp_path: Path, name: str
) -> None:
    """The only recipient is no phone: the program fails, and shows the sentence of the server; curl the code alone."""
    house = await open_house()
    to = "reception@sms.example.test"
    mail = MAIL.replace(f"{TO}, {OTHER}".encode(), to.encode())
    way = Way.into(house, authority_file, "starttls", "PLAIN")
    with pytest.raises(Exception, match=r"This is not a phone number|RCPT failed: 553"):
        await PROGRAMS[name].send(way, Order(PLUS, (to,), mail), tmp_path)
    assert house.admission.admitted == []


def _words(raw: bytes) -> str:
    return str(message_from_bytes(raw, policy=policy.default).get_content())
