"""Telephone numbers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Reason, RecipientRefusal, Refusal
from bridge.policy.destinations import check_destination
from bridge.sms.numbers import NumberKind, international, read_number
from tests.clinic import CLINIC

MOBILE = "+393331234567"


@pytest.mark.parametrize(
    ("written", "region", "e164"),
    [
        pytest.param("+393331234567", "IT", MOBILE, id="international"),
        pytest.param("00393331234567", "IT", MOBILE, id="double zero"),
        pytest.param("393331234567", "IT", MOBILE, id="country code without plus"),
        pytest.param("393331234567", "US", MOBILE, id="country code without plus, abroad"),
        pytest.param("3331234567", "IT", MOBILE, id="national"),
        pytest.param("+39 (333) 123-45.67", "IT", MOBILE, id="separators"),
        pytest.param("333_123_4567", "IT", MOBILE, id="underscores"),
        pytest.param("+44 (0)7911 123456", "IT", "+447911123456", id="British zero in brackets"),
        pytest.param("+390200000001", "IT", "+390200000001", id="Italian zero stays"),
        pytest.param("+393470009999", "IT", "+393470009999", id="simulated phone"),
    ],
)
def test_accepted(written: str, region: str, e164: str) -> None:
    assert read_number(written, region).e164 == e164


@pytest.mark.parametrize(
    ("written", "says"),
    [
        pytest.param("12", "too short", id="too short"),
        pytest.param("+3933312345678901", "more than the 15 digits", id="too long"),
        pytest.param("+120255501234", "not a telephone number that exists", id="a digit too many"),
        pytest.param("+9991234567", "not a telephone number that exists", id="no such country"),
        pytest.param("+", "something other than digits", id="plus alone"),
        pytest.param("", "something other than digits", id="nothing"),
        pytest.param("333CALLNOW", "something other than digits", id="letters"),
        pytest.param("٣٣٣١٢٣٤٥٦٧", "something other than digits", id="other digits"),
        pytest.param("+39+3331234567", "something other than digits", id="two plusses"),
        pytest.param("3" * 5000, "more than the 15 digits", id="five thousand digits"),
    ],
)
def test_refused_with_the_token_and_what_a_right_one_looks_like(written: str, says: str) -> None:
    with pytest.raises(RecipientRefusal) as caught:
        read_number(written, "IT")
    assert caught.value.reply.startswith("553 5.1.3 ")
    assert says in caught.value.sentence
    assert written[:40] in caught.value.sentence
    assert "+393331234567" in caught.value.sentence
    assert caught.value.detail == "malformed_number"
    assert len(caught.value.sentence) < 200


@given(st.text(st.sampled_from("+0123456789 .-_()x"), max_size=30), st.sampled_from(["IT", "US", "ZZ", ""]))
def test_any_token_is_a_number_in_e164_or_a_refusal(token: str, region: str) -> None:
    try:
        number = read_number(token, region)
    except Refusal:
        return
    assert read_number(number.e164, "IT") == number


@pytest.mark.parametrize(
    ("e164", "kind", "region"),
    [
        ("+393331234567", NumberKind.MOBILE, "IT"),
        ("+12025550123", NumberKind.MOBILE, "US"),
        ("+390200000001", NumberKind.LANDLINE, "IT"),
        ("+34803123456", NumberKind.PREMIUM, "ES"),
        ("+881612345678", NumberKind.PREMIUM, "001"),
        ("+882161234567", NumberKind.PREMIUM, "001"),
        ("+979123456789", NumberKind.PREMIUM, "001"),
        ("+39800123456", NumberKind.OTHER, "IT"),
    ],
)
def test_kinds(e164: str, kind: NumberKind, region: str) -> None:
    number = read_number(e164, "IT")
    assert (number.kind, number.region) == (kind, region)


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+393331234567", "+39 333 123 4567"), ("48222", "48222"), ("CLINIC", "CLINIC"), ("", "")],
)
def test_people_read_spaces(number: str, shown: str) -> None:
    assert international(number) == shown


@pytest.mark.parametrize(
    ("e164", "reason", "says"),
    [
        pytest.param("+393331234567", None, "", id="mobile at home"),
        pytest.param("+447400123456", Reason.COUNTRY_NOT_ALLOWED, "is a number in GB", id="abroad"),
        pytest.param("+390200000001", Reason.LANDLINE, "+39 02 0000 0001 is a landline", id="landline"),
        pytest.param("+39800123456", Reason.LANDLINE, "not a mobile number", id="toll free"),
        pytest.param("+39899123456", Reason.PREMIUM_NUMBER, "premium-rate", id="premium"),
        pytest.param("+881612345678", Reason.PREMIUM_NUMBER, "satellite", id="satellite"),
    ],
)
def test_where_a_mailbox_may_text(e164: str, reason: Reason | None, says: str) -> None:
    number = read_number(e164, "IT")
    if reason is None:
        check_destination(number, CLINIC)
        return
    with pytest.raises(RecipientRefusal) as caught:
        check_destination(number, CLINIC)
    assert caught.value.reason is reason
    assert caught.value.reply.startswith("550 5.7.1 ")
    assert says in caught.value.sentence
