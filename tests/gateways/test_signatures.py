"""Signatures of callbacks beyond the tables: the makers' own examples, every method, and what no client can send."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from bridge.errors import SettingsError
from bridge.gateways.base import Gateway, HookRefused
from bridge.gateways.registry import build
from bridge.types import GatewayEvent, HttpRequest
from tests.gateways.cases import NOW, all_kinds, connection

# ------------------------------------------------------------------------------------------------ Vonage

WRITTEN = {"messageId": "0B1", "msisdn": "393331234567", "to": "390200000001", "text": "Sì"}
METHODS = ("md5hash", "md5", "sha1", "sha256", "sha512")


def vonage(method: str, secret: str = "signature secret", now: datetime = NOW) -> Gateway:
    settings = connection(account="key", secret="secret", webhook_secret=secret, options={"signature": method})
    return build("vonage", replace(settings, now=lambda: now))


def hear(gateway: Gateway, hook: str, fields: Mapping[str, str]) -> list[GatewayEvent]:
    read = next(one.read for one in gateway.hooks() if one.name == hook)
    return list(read(HttpRequest({}, body=urlencode(fields).encode())))


def vonage_signature(method: str, fields: Mapping[str, str]) -> str:
    line = "".join(f"&{key}={fields[key]}" for key in sorted(fields)).encode()
    if method == "md5hash":
        return hashlib.md5(line + b"signature secret").hexdigest()
    return hmac.new(b"signature secret", line, method).hexdigest().upper()


@pytest.mark.parametrize("method", METHODS)
def test_vonage_signs_as_the_account_is_set(method: str) -> None:
    fields = {**WRITTEN, "timestamp": str(int(NOW.timestamp()))}
    signed = {**fields, "sig": vonage_signature(method, fields)}
    assert len(hear(vonage(method), "inbound", signed)) == 1
    for other in set(METHODS) - {method}:
        with pytest.raises(HookRefused) as caught:
            hear(vonage(other), "inbound", signed)
        assert caught.value.status == 403


@pytest.mark.parametrize(
    ("signature", "status"),
    [
        pytest.param("6af838ef94998832dbfc29020b564830", 400, id="proved, although it says nothing"),
        pytest.param("6af838ef94998832dbfc29020b564831", 403, id="not proved"),
    ],
)
def test_vonage_proves_the_example_of_its_own_libraries(signature: str, status: int) -> None:
    """The example of github.com/Vonage/vonage-python-sdk, test_signature."""
    gateway = vonage("md5hash", "secret", datetime.fromtimestamp(1461605396, UTC))
    with pytest.raises(HookRefused) as caught:
        hear(gateway, "inbound", {"a": "1", "b": "2", "timestamp": "1461605396", "sig": signature})
    assert caught.value.status == status


@pytest.mark.parametrize("kind", ["vonage", "messagebird"])
def test_where_nothing_is_signed_the_address_alone_is_believed(kind: str) -> None:
    gateway = build(kind, connection(account="key", secret="secret"))
    fields = {"messageId": "1", "id": "1", "status": "delivered"}
    assert len(hear(gateway, "receipts", fields)) == 1
    assert all(hook.token for hook in gateway.hooks())


# -------------------------------------------------------------------------------------------- MessageBird

HEAD = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
WITH_QUERY = (
    "eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiJjOTQ2YWY3Ny1lMTgyLTRlYWEtYjJm"
    "Zi0xYTU0NWI1ZTk5MWEiLCJ1cmxfaGFzaCI6IjQxZjA1ZjBkZGQwYTIyYWIyMDlhYzQ2ZjQ3YzQ1NzJkOWNlZmEyNTdlZDc0YjI0MDA0YmFlNzUz"
    "ZWNlNmMyNjAifQ.huo2ou6JDoDc7sV25d75UMWeYhBeavQlLsqIibSZuac"
)
WITH_BODY = (
    "eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiI5M2U1NTAwNi1hMGU4LTQ1MjYtYTE5"
    "MC1mYTVmZjAwZWExMTYiLCJ1cmxfaGFzaCI6IjQxZjA1ZjBkZGQwYTIyYWIyMDlhYzQ2ZjQ3YzQ1NzJkOWNlZmEyNTdlZDc0YjI0MDA0YmFlNzUz"
    "ZWNlNmMyNjAiLCJwYXlsb2FkX2hhc2giOiJkZmZkNjAyMWJiMmJkNWIwYWY2NzYyOTA4MDllYzNhNTMxOTFkZDgxYzdmNzBhNGIyODY4OGEzNjIx"
    "ODI5ODZmIn0._H--TOuYFLpeEH39-rg5E3IHVkjHozBcaKVWPRC5m9I"
)
AN_HOUR_LATER = (
    "eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ4MjgwMCwiZXhwIjoxNjI1NDgyODYwLCJqdGkiOiJmOWY4YzM4Mi0yNDQ5LTQzMTEtYjcy"
    "Yi0xZGY3MTY4NzkzMWUiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzlj"
    "Nzc4M2U5ZDcifQ.ZELgDFNGhjZH9CffQKcq3sytBe2I0KciLxpBhcfstHQ"
)


@pytest.mark.parametrize(
    ("token", "target", "body", "status"),
    [
        pytest.param(WITH_QUERY, "/path?bar=1&foo=2", b"", 400, id="a query: proved, although it says nothing"),
        pytest.param(
            WITH_BODY, "/path?bar=1&foo=2", b"Hello, World!", 400, id="a body: proved, although it says nothing"
        ),
        pytest.param(WITH_BODY, "/path?bar=1&foo=2", b"Hello, World?", 403, id="another body"),
        pytest.param(WITH_BODY, "/path?bar=1&foo=2", b"", 403, id="no body"),
        pytest.param(WITH_QUERY, "/path?bar=1&foo=2", b"Hello, World!", 403, id="a body where none was signed"),
        pytest.param(WITH_QUERY, "/path?foo=2&bar=1", b"", 403, id="the query in another order"),
        pytest.param(AN_HOUR_LATER, "/", b"", 403, id="not yet signed"),
    ],
)
def test_messagebird_proves_the_examples_of_its_own_libraries(
    token: str, target: str, body: bytes, status: int
) -> None:
    """From webhook_signature_test_data.json of github.com/messagebird/python-rest-api."""
    key = "36efdd1aace2e26cd490f0d951138253bef2f7c6d34d18981da781555cc4cebb"
    then = datetime(2021, 7, 5, 10, tzinfo=UTC)
    settings = replace(connection(secret="key", webhook_secret=key), now=lambda: then, public_url="https://example.com")
    receipts = build("messagebird", settings).hooks()[0]
    headers = {"messagebird-signature-jwt": f"{HEAD}.{token}"}
    with pytest.raises(HookRefused) as caught:
        receipts.read(HttpRequest({}, headers, body, target))
    assert caught.value.status == status


# ------------------------------------------------------------------------------------------------ Telnyx


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("", id="missing"),
        pytest.param("not a key", id="no base64"),
        pytest.param("é" * 44, id="no ASCII"),
        pytest.param(base64.b64encode(b"x" * 31).decode(), id="too short"),
    ],
)
def test_a_bad_public_key_is_refused_at_the_start(key: str) -> None:
    with pytest.raises(SettingsError, match=r"options\.public_key"):
        build("telnyx", connection(secret="KEY1", options={"public_key": key}))


# ---------------------------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("kind", ["vonage", "messagebird", "plivo", "telnyx"])
def test_headers_that_are_not_ascii_are_refused_like_any_forgery(kind: str) -> None:
    """No HTTP client of ours sends them; RFC 9110 section 5.5 lets others."""
    gateway = build(kind, replace(all_kinds()[kind].connection, url="https://provider.example.test"))
    names = ("messagebird-signature-jwt", "x-plivo-signature-v2", "x-plivo-signature-v2-nonce", "telnyx-timestamp")
    headers: dict[str, Any] = dict.fromkeys((*names, "telnyx-signature-ed25519"), "é.ÿ.½")
    for hook in gateway.hooks():
        with pytest.raises(HookRefused) as caught:
            hook.read(HttpRequest({"sig": "é"}, headers, b"{}", "/?sig=%C3%A9"))
        assert caught.value.status == 403
