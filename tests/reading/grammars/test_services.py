"""Mails in the forms of other services; the cases stand in a table for each service, beside this file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import MailRefusal, Reason, RecipientRefusal
from bridge.reading.grammars import GRAMMARS, LegacyMail, Order, read_order
from bridge.types import NO_WISHES, Addressee, Dialled, GrammarName, InTheMail, Named, Options

TABLES = {name: tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text("utf-8")) for name in GrammarName}
SECRETS = ("s3cret", "e3f3a759", "My-Key_1", "0ther")


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(name, case, id=f"{name}: {case['it']}") for name, table in TABLES.items() for case in table[kind]
    ]


@pytest.mark.parametrize("name", GrammarName)
def test_every_service_has_a_table(name: GrammarName) -> None:
    table = TABLES[name]
    assert name in GRAMMARS
    assert len(table["address"]) + len(table["mail"]) >= 12
    assert any("refused" in case for case in [*table["address"], *table["mail"]])


@pytest.mark.parametrize("name", GrammarName)
def test_the_page_tells_of_every_service_how_sure_it_is(name: GrammarName) -> None:
    page = (Path(__file__).parents[3] / "docs" / "moving-here.md").read_text("utf-8")
    section = next(each for each in page.split("\n## ") if each.startswith(GRAMMARS[name].service))
    assert section.split("\n")[2] == f"`--grammar {name}` · {GRAMMARS[name].evidence}"


@pytest.mark.parametrize(("name", "case"), cases("address"))
def test_an_address(name: GrammarName, case: dict[str, Any]) -> None:
    grammar, place = GRAMMARS[name], (case["local"], case.get("subdomain", ""))
    assert place[1] in grammar.subdomains | {""}
    if "refused" in case:
        with pytest.raises(RecipientRefusal) as caught:
            grammar.address(*place)
        assert caught.value.reply.startswith(case["refused"])
        assert not any(secret in caught.value.reply for secret in SECRETS)
    else:
        assert grammar.address(*place) == meant(case)
        assert grammar.mode(*place) == case.get("mode", place[1])


def meant(case: dict[str, Any]) -> Addressee | None:
    if "dialled" in case:
        return Dialled(case["dialled"], password=case.get("password"))
    if "named" in case:
        return Named(case["named"])
    return InTheMail() if case.get("in_the_mail") else None


@pytest.mark.parametrize(("name", "case"), cases("mail"))
def test_a_mail(name: GrammarName, case: dict[str, Any]) -> None:
    mail = LegacyMail(case.get("subject", ""), case.get("text", ""), case.get("mode", ""))
    if "refused" in case:
        with pytest.raises(MailRefusal) as caught:
            GRAMMARS[name].mail(mail)
        assert caught.value.reason is Reason.BAD_ORDER
        assert caught.value.reply.startswith("550 5.6.0 ")
        assert case["refused"] in caught.value.sentence
        assert not any(secret in caught.value.sentence for secret in SECRETS)
    else:
        assert asked(GRAMMARS[name].mail(mail)) == case["gives"]
        assert asked(GRAMMARS[name].mail(windows(mail))) == case["gives"]


def windows(mail: LegacyMail) -> LegacyMail:
    """The same mail with the line ends of the wire."""
    return LegacyMail(mail.subject, mail.text.replace("\n", "\r\n"), mail.mode)


def asked(order: Order) -> dict[str, Any]:
    """What an order asks for, without what it leaves open."""
    values: dict[str, Any] = {}
    for holder, empty in ((order.wishes, NO_WISHES), (order.options, Options()), (order, Order())):
        for name in type(holder).__dataclass_fields__:
            value = getattr(holder, name)
            if value != getattr(empty, name) and name not in {"wishes", "options"}:
                values[name] = list(value) if isinstance(value, tuple) else value
    if order.send is not None:
        values["send"] = str(order.send).replace(" ", "T")
    return values


def test_the_recipients_of_one_mail_ask_for_one_text() -> None:
    grammar = GRAMMARS[GrammarName.TEXTANYWHERE]
    assert read_order(grammar, "Clinic", "Hello$$", {"smsid"}).wishes.sender == "Clinic"
    assert read_order(grammar, "Clinic", "Hello$$").text == "Clinic\nHello"
    with pytest.raises(MailRefusal) as caught:
        read_order(grammar, "Clinic", "Hello$$", {"smsid", ""})
    assert "write one mail for each kind of address" in caught.value.sentence
