"""Which recipients are telephone numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import RecipientRefusal
from bridge.reading.addresses import read_address

DOMAINS = ("sms.example.test", "text.example.test")


@pytest.mark.parametrize(
    ("address", "token"),
    [
        ("+393331234567@sms.example.test", "+393331234567"),
        ("393331234567@SMS.Example.Test", "393331234567"),
        ("00393331234567@text.example.test", "00393331234567"),
        ("333.123.4567@sms.example.test", "333.123.4567"),
        ("333-123_4567@sms.example.test", "333-123_4567"),
        ('"+39 333 123 4567"@sms.example.test', "+39 333 123 4567"),
        ('"+39 \\(333\\) 1234567"@sms.example.test', "+39 (333) 1234567"),
        ("12@sms.example.test", "12"),
    ],
)
def test_numbers(address: str, token: str) -> None:
    assert read_address(address, DOMAINS) == token


@pytest.mark.parametrize(
    ("address", "reply", "says"),
    [
        pytest.param("mario@sms.example.test", "550 5.1.1", '"mario" is not a telephone number', id="a name"),
        pytest.param("3b-team@sms.example.test", "550 5.1.1", "is not a telephone number", id="a name with a digit"),
        pytest.param("+39333@other.test", "550 5.1.1", "serves sms.example.test, text.example.test", id="foreign"),
        pytest.param("+39333@[127.0.0.1]", "550 5.1.1", "not a domain of this bridge", id="address literal"),
        pytest.param("+39333", "553 5.1.3", "no @ and domain", id="no domain"),
        pytest.param("+39333@", "553 5.1.3", "not a mail address", id="empty domain"),
        pytest.param("@relay.test:+39333@sms.example.test", "553 5.1.3", "not a mail address", id="source route"),
        pytest.param("+39333(Mario)@sms.example.test", "553 5.1.3", "not a mail address", id="comment"),
        pytest.param("+39 333@sms.example.test", "553 5.1.3", "not a mail address", id="space without quotes"),
        pytest.param("39..333@sms.example.test", "553 5.1.3", "has a dot", id="two dots"),
        pytest.param("+39333123+flash@sms.example.test", "553 5.1.3", 'after a second "+"', id="options"),
        pytest.param("39333123+flash@sms.example.test", "553 5.1.3", 'after a second "+"', id="options, no plus"),
        pytest.param("+mario@sms.example.test", "553 5.1.3", "is not a telephone number", id="plus and letters"),
        pytest.param("1" * 400 + "@sms.example.test", "553 5.1.3", "longer than a mail address", id="too long"),
        pytest.param('"a\r\nRCPT TO:<x>"@sms.example.test', "553 5.1.3", "not a mail address", id="line break"),
    ],
)
def test_what_is_not(address: str, reply: str, says: str) -> None:
    with pytest.raises(RecipientRefusal) as caught:
        read_address(address, DOMAINS)
    assert caught.value.reply.startswith(reply + " ")
    assert says in caught.value.sentence
    assert caught.value.reply.isprintable()


@given(st.text(max_size=80), st.sampled_from(["", "@sms.example.test", "@other.test"]))
def test_any_address_is_a_token_or_a_refusal(local: str, domain: str) -> None:
    try:
        token = read_address(local + domain, DOMAINS)
    except RecipientRefusal as refusal:
        reply = refusal.reply
    else:
        reply = ""
        assert set(token) <= set("+0123456789 ._()-")
    assert reply.isprintable()
