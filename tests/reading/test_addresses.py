"""What the address of a recipient means: numbers in every spelling, names, fixed addresses, options."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import RecipientRefusal
from bridge.reading.addresses import foreign_domain, read_local_part, split_address
from bridge.types import Addressee, Dialled, InTheMail, Named, Priority, Trial, Wishes

FLASH = Wishes(flash=True)


def read(address: str) -> Addressee:
    return read_local_part(split_address(address)[0])


@pytest.mark.parametrize(
    ("local", "meant"),
    [
        pytest.param("+393331234567", Dialled("+393331234567"), id="international"),
        pytest.param("00393331234567", Dialled("00393331234567"), id="with two zeros"),
        pytest.param("393331234567", Dialled("393331234567"), id="without plus"),
        pytest.param("333.123.4567", Dialled("333.123.4567"), id="national, dots"),
        pytest.param("333-123_4567", Dialled("333-123_4567"), id="hyphen and underscore"),
        pytest.param('"+39 333 123 4567"', Dialled("+39 333 123 4567"), id="blanks in quotes"),
        pytest.param('"+39 \\(333\\) 1234567"', Dialled("+39 (333) 1234567"), id="brackets in quotes"),
        pytest.param("12", Dialled("12"), id="too short is for the next step to say"),
        pytest.param("p393331234567", Dialled("+393331234567"), id="p for a plus that cannot be typed"),
        pytest.param("P393331234567", Dialled("+393331234567"), id="capital P"),
        pytest.param('"sms:+393331234567"', Dialled("+393331234567"), id="RFC 5724"),
        pytest.param('"tel:+39-333-1234567"', Dialled("+39-333-1234567"), id="RFC 3966"),
        pytest.param("SMS=+393331234567", Dialled("+393331234567"), id="RFC 3191"),
        pytest.param("sms=+39-333-1234567", Dialled("+39-333-1234567"), id="RFC 3191, separators"),
        pytest.param("SMS=+393331234567/TYPE=PLMN", Dialled("+393331234567"), id="both"),
        pytest.param("+393331234567/TYPE=PLMN", Dialled("+393331234567"), id="RFC 4356"),
        pytest.param("sms+393331234567", Dialled("+393331234567"), id="behind the fixed address"),
        pytest.param("sms++393331234567", Dialled("+393331234567"), id="behind the fixed address, with its plus"),
        pytest.param("sms+00393331234567", Dialled("00393331234567"), id="behind the fixed address, zeros"),
        pytest.param("sms", InTheMail(), id="fixed"),
        pytest.param("SMS+flash", InTheMail(FLASH), id="fixed, with an option"),
        pytest.param("preview", Trial(), id="preview"),
        pytest.param("preview+393331234567", Trial(Dialled("+393331234567")), id="preview for a number"),
        pytest.param("mario.rossi", Named("mario.rossi"), id="name"),
        pytest.param('"Mario Rossi"', Named("Mario Rossi"), id="name in quotes"),
        pytest.param("paediatrics", Named("paediatrics"), id="name with p"),
        pytest.param("3b-team", Named("3b-team"), id="name with a digit"),
        pytest.param("team+flash", Named("team", FLASH), id="name, with an option"),
    ],
)
def test_what_an_address_means(local: str, meant: Addressee) -> None:
    assert read(f"{local}@sms.example.test") == meant


@pytest.mark.parametrize(
    ("options", "wishes"),
    [
        ("flash", FLASH),
        ("FLASH", FLASH),
        ("from=ACME", Wishes(sender="ACME")),
        ("from=390200000001", Wishes(sender="390200000001")),
        ("p=high", Wishes(priority=Priority.HIGH)),
        ("p=normal", Wishes(priority=Priority.NORMAL)),
        ("ref=AB12", Wishes(reference="AB12")),
        ("v=3600", Wishes(validity=3600)),
        ("ref=AB12+flash+v=60", Wishes(flash=True, reference="AB12", validity=60)),
    ],
)
@pytest.mark.parametrize("number", ["+393331234567", "393331234567", "0039333-1234567", "p393331234567"])
def test_options_stand_behind_a_second_plus(number: str, options: str, wishes: Wishes) -> None:
    meant = read(f"{number}+{options}@sms.example.test")
    assert isinstance(meant, Dialled)
    assert meant.wishes == wishes


@pytest.mark.parametrize(
    ("address", "reply", "says"),
    [
        pytest.param("+39333", "553 5.1.3", "no @ and domain", id="no domain"),
        pytest.param("+39333@", "553 5.1.3", "not a mail address", id="empty domain"),
        pytest.param("@relay.test:+39333@sms.example.test", "553 5.1.3", "not a mail address", id="source route"),
        pytest.param("+39333(Mario)@sms.example.test", "553 5.1.3", "not a mail address", id="comment"),
        pytest.param("+39 333@sms.example.test", "553 5.1.3", "not a mail address", id="space without quotes"),
        pytest.param("39..333@sms.example.test", "553 5.1.3", "has a dot", id="two dots"),
        pytest.param("+mario@sms.example.test", "553 5.1.3", "is not a telephone number", id="plus and letters"),
        pytest.param("1" * 400 + "@sms.example.test", "553 5.1.3", "longer than a mail address", id="too long"),
        pytest.param('"a\r\nRCPT TO:<x>"@sms.example.test', "553 5.1.3", "not a mail address", id="line break"),
        pytest.param("+39333+blink@sms.example.test", "553 5.1.3", '"blink", which is not understood', id="option"),
        pytest.param("+39333+@sms.example.test", "553 5.1.3", "write one of +flash", id="empty option"),
        pytest.param("+39333+flash=1@sms.example.test", "553 5.1.3", "a value that cannot be used", id="flash=1"),
        pytest.param("+39333+p=urgent@sms.example.test", "553 5.1.3", "a value that cannot be used", id="priority"),
        pytest.param("+39333+v=0@sms.example.test", "553 5.1.3", "a value that cannot be used", id="validity"),
        pytest.param("+39333+v=99999999@sms.example.test", "553 5.1.3", "a value that cannot be used", id="3 years"),
        pytest.param("+39333+ref=a+ref=b@sms.example.test", "553 5.1.3", '"ref" twice', id="twice"),
        pytest.param("SMS=mario@sms.example.test", "553 5.1.3", "no number after SMS=", id="SMS= without number"),
        pytest.param("+39333/T33S=1@sms.example.test", "553 5.1.3", 'qualifier "T33S=1"', id="qualifier"),
        pytest.param('""@sms.example.test', "550 5.1.1", "is not a telephone number", id="nothing in quotes"),
        pytest.param('"a\u0007b"@sms.example.test', "550 5.1.1", "is not a telephone number", id="control character"),
    ],
)
def test_what_is_refused(address: str, reply: str, says: str) -> None:
    with pytest.raises(RecipientRefusal) as caught:
        read(address)
    assert caught.value.reply.startswith(reply + " ")
    assert says in caught.value.sentence
    assert caught.value.reply.isprintable()


def test_the_domain_is_read_without_case() -> None:
    assert split_address("+39333@SMS.Example.Test") == ("+39333", "sms.example.test")


def test_a_foreign_domain_is_told_which_are_served() -> None:
    refusal = foreign_domain("other.test", ["b.test", "a.test"])
    assert refusal.reply == '550 5.1.1 "other.test" is not a domain of this bridge: it serves a.test, b.test.'


@given(st.text(max_size=80) | st.from_regex(r"(\+|00|p|SMS=|sms\+)?[0-9]{0,9}[+/=a-z0-9]{0,20}", fullmatch=True))
def test_any_address_means_something_or_is_refused(local: str) -> None:
    try:
        meant = read(f"{local}@sms.example.test")
    except RecipientRefusal as refusal:
        reply, digits = refusal.reply, ""
    else:
        reply, digits = "", meant.digits if isinstance(meant, Dialled) else ""
    assert reply.isprintable()
    assert set(digits) <= set("+0123456789 ._()/-")
