"""Mails of legacy systems as they travel, from their octets to the words that are texted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.parser import parse
from bridge.reading.grammars import GRAMMARS
from bridge.reading.words import Form
from bridge.types import GrammarName, Submission

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def read(name: GrammarName, mail: str, *addresses: tuple[str, str], within: bool = True) -> Submission:
    modes = frozenset(GRAMMARS[name].mode(*address) for address in addresses)
    form = Form(name, modes, "Europe/Rome", NOW)
    return parse(mail.replace("\n", "\r\n").encode(), form=form, numbers_within=within)


MAILS = {
    GrammarName.CLICKATELL: "Subject: Alarm\n\nuser:clinic\npassword:s3cret\nto:393331234567\ntext:Fire\n",
    GrammarName.OVH: "Subject: sms-xx11111-1:user:s3cret:Clinic:+393331234567\n\nFire\n\nTermine 2.0\n",
    GrammarName.ASPSMS: "Subject: U=AB12345678,P=s3cret,R=00393331234567\n\nFire\n\n-- \nTermine 2.0\n",
    GrammarName.TEXTLOCAL: "Subject: sender=Clinic\n\nFire##\n393331234567\n",
    GrammarName.SEVEN: 'Subject: key=s3cret to=393331234567 from="Clinic"\n\nTermine 2.0\n\n##Fire##\n\nMario\n',
    GrammarName.SMS_PARTNER: (
        "Subject: =?utf-8?Q?apiKey=3Ds3cret&phoneNumbers=3D+393331234567?=\nContent-Type: text/html; charset=utf-8\n\n"
        "<html><body><p>Fire<br>----</p><p>Mario Rossi</p></body></html>\n"
    ),
}


@pytest.mark.parametrize(("name", "mail"), MAILS.items(), ids=MAILS.keys())
def test_a_mail_to_a_fixed_address(name: GrammarName, mail: str) -> None:
    submission = read(name, mail)
    assert submission.text == "Fire"
    assert [number.lstrip("+0") for number in submission.numbers] == ["393331234567"]
    assert submission.passwords == (() if name is GrammarName.TEXTLOCAL else ("s3cret",))


NUMBER, KEY = "393331234567", "1234567.e3f3a759b6677959.393331234567"


@pytest.mark.parametrize(
    ("name", "address", "text"),
    [
        pytest.param(GrammarName.TEXTANYWHERE, (f"{NUMBER}.1234", ""), "Alarm\nFire", id="textanywhere"),
        pytest.param(GrammarName.TEXTANYWHERE, (NUMBER, "smsid"), "Fire", id="textanywhere, the subject is the sender"),
        pytest.param(GrammarName.LOX24, (KEY, ""), "Alarm\nFire", id="lox24"),
        pytest.param(GrammarName.LOX24, (f"{KEY}.direct.1.1", ""), "Alarm", id="lox24, the subject"),
        pytest.param(GrammarName.LOX24, (f"{KEY}.direct.1.2", ""), "Fire", id="lox24, the body"),
        pytest.param(GrammarName.CLICKATELL, (NUMBER, ""), "Fire", id="a mail like every other"),
    ],
)
@pytest.mark.parametrize("footer", ["", "\n-- \nTermine 2.0\n"], ids=["", "with a signature"])
def test_a_mail_to_a_number(name: GrammarName, address: tuple[str, str], text: str, footer: str) -> None:
    assert read(name, f"Subject: Alarm\n\nFire\n{footer}", address, within=False).text == text


def test_a_text_is_sent_at_the_hour_of_the_mailbox() -> None:
    subject = "sms-xx11111-1:user:s3cret:Clinic:+393331234567:183019072026"
    submission = read(GrammarName.OVH, f"Subject: {subject}\n\nFire\n")
    assert submission.options.send_at == datetime(2026, 7, 19, 16, 30, tzinfo=UTC)
