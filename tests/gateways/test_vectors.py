"""Signatures as their makers computed them: Sinch, GatewayAPI and AWS each publish an example with its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge.gateways.aws import Aws
from bridge.gateways.base import Gateway, HookRefused
from bridge.gateways.registry import build
from bridge.gateways.sigv4 import Key
from bridge.types import HttpRequest
from tests.gateways.cases import NOW, UNICODE, connection
from tests.gateways.kinds.sinch import written
from tests.gateways.provider import Play, run_provider

# ------------------------------------------------------------------------------------------------ callbacks


def sinch(webhook_secret: str, now: datetime = NOW) -> Gateway:
    settings = connection(account="plan", secret="api-token", webhook_secret=webhook_secret)
    return build("sinch", replace(settings, now=lambda: now))


def answer_to(gateway: Gateway, headers: Mapping[str, str], body: bytes) -> int:
    """The status of our answer to a callback at the address for texts from phones."""
    hook = next(one for one in gateway.hooks() if one.name == "inbound")
    try:
        hook.read(HttpRequest({}, headers, body))
    except HookRefused as refused:
        return refused.status
    return 200


# From the tests of Sinch's libraries (sinch-sdk-java, sinch-sdk-dotnet).
SINCH_BODY = (
    b'{"app_id":"","accepted_time":"2021-10-18T17:49:13.813615Z","project_id":"e2df3a34-a71b-4448-9db5-a8d2baad28e4",'
    b'"contact_create_notification":{"contact":{"id":"01FJA8B466Y0R2GNXD78MD9SM1","channel_identities":[{"channel":'
    b'"SMS","identity":"48123456789","app_id":""}],"display_name":"New Test Contact","email":"new.contact@email.com",'
    b'"external_id":"","metadata":"","language":"EN_US"}},"message_metadata":""}'
)
SINCH_HEADERS = {
    "x-sinch-webhook-signature": "6bpJoRmFoXVjfJIVglMoJzYXxnoxRujzR4k2GOXewOE=",
    "x-sinch-webhook-signature-nonce": "01FJA8B4A7BM43YGWSG9GBV067",
    "x-sinch-webhook-signature-timestamp": "1634579353",
}


@pytest.mark.parametrize(
    ("secret", "later", "status"),
    [
        pytest.param("foo_secret1234", 300, 400, id="proved, although it is no text"),
        pytest.param("foo_secret1234", 301, 403, id="too old"),
        pytest.param("foo_secret1235", 0, 403, id="not proved"),
    ],
)
def test_the_example_of_sinch(secret: str, later: int, status: int) -> None:
    now = datetime.fromtimestamp(1634579353 + later, UTC)
    assert answer_to(sinch(secret, now), SINCH_HEADERS, SINCH_BODY) == status


def test_sinch_without_a_secret_is_believed_for_its_address_alone() -> None:
    assert answer_to(sinch(""), {}, written("Sì").body) == 200


# From GatewayAPI's pages on webhooks, with what the token says as the body.
GATEWAYAPI_TOKEN = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpZCI6MjM4MTcwMywibXNpc2RuIjo0NTQyNjA5MDQ1LCJ0aW1lIjoxNTIyNzY0MDYyLCJz"
    "dGF0dXMiOiJERUxJVkVSRUQiLCJlcnJvciI6bnVsbCwiY29kZSI6bnVsbCwidXNlcnJlZiI6bnVsbCwiY2FsbGJhY2tfdXJsIjoiaHR0cDovL2Ji"
    "YWY3MTQyLm5ncm9rLmlvIiwiYXBpIjo0fQ.KdfDH65bnQtgxEkFnpAQodOciAJedZFB13r9wEo8t3Y"
)
GATEWAYAPI_BODY = (
    b'{"id":2381703,"msisdn":4542609045,"time":1522764062,"status":"DELIVERED","error":null,"code":null,'
    b'"userref":null,"callback_url":"http://bbaf7142.ngrok.io","api":4}'
)


@pytest.mark.parametrize(
    ("secret", "body", "status"),
    [
        pytest.param("secret", GATEWAYAPI_BODY, 400, id="proved, although it is no text"),
        pytest.param("secreT", GATEWAYAPI_BODY, 403, id="not proved"),
        pytest.param("secret", GATEWAYAPI_BODY.replace(b"45426", b"45427"), 403, id="another body than was signed"),
    ],
)
def test_the_example_of_gatewayapi(secret: str, body: bytes, status: int) -> None:
    gateway = build("gatewayapi", connection(secret="token", webhook_secret=secret))
    assert answer_to(gateway, {"x-gwapi-signature": GATEWAYAPI_TOKEN}, body) == status


# ------------------------------------------------------------------------------------------------ requests

# From the test suite that AWS publishes for Signature Version 4; its key is made up.
KEY = Key("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service")
MOMENT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
HOST = "example.amazonaws.com"


@pytest.mark.parametrize(
    ("headers", "body", "names", "signature"),
    [
        pytest.param(
            {},
            b"",
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            id="post-vanilla",
        ),
        pytest.param(
            {"My-Header1": "VALUE1"},
            b"",
            "host;my-header1;x-amz-date",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
            id="post-header-value-case",
        ),
        pytest.param(
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"Param1=value1",
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            id="post-x-www-form-urlencoded",
        ),
    ],
)
def test_the_examples_of_aws(headers: Mapping[str, str], body: bytes, names: str, signature: str) -> None:
    signed = KEY.sign(HOST, headers, body, MOMENT)
    scope = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
    assert signed == {
        **headers,
        "X-Amz-Date": "20150830T123600Z",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}",
    }


async def test_aws_gets_the_signature_of_what_it_gets() -> None:
    settings = connection(account="AKIDEXAMPLE", secret="secret", options={"region": "eu-south-1"})
    async with run_provider() as provider:
        provider.script.append(Play(200, '{"MessageId":"1"}'))
        gateway = build("aws", replace(settings, url=provider.url))
        await gateway.submit(UNICODE)
        await gateway.close()
    seen = provider.seen[0]
    key = Key("AKIDEXAMPLE", "secret", "eu-south-1", "sms-voice")
    headers = {name: seen.headers[name] for name in ("content-type", "x-amz-target")}
    signed = key.sign(seen.headers["host"], headers, seen.body, NOW)
    assert seen.headers["authorization"] == signed["Authorization"]


def test_aws_is_asked_in_the_region_of_the_operator() -> None:
    settings = connection(account="AKIDEXAMPLE", secret="secret", options={"region": "eu-south-1"})
    gateway = build("aws", settings)
    assert isinstance(gateway, Aws)
    assert gateway.connection.url == "https://sms-voice.eu-south-1.amazonaws.com"
