"""Webhooks of keywords: addresses that may be one, the secret of each receiver, and the signature it can verify."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge import webhook
from bridge.types import InboundSms, Keyword, Match, Posting
from tests.clinic import CLINIC
from tests.replies.receiver import documented

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
URL = "https://pharmacy.example/refills"
SMS = InboundSms("simulator", "1", "+393331234567", CLINIC.sender, 'Ricetta "però" \u20ac\U0001f600\n', NOW)


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://pharmacy.example:8443/in?token=a%20b&x=1",
        "https://10.0.0.7/in",
        "https://[2001:db8::7]:8443/",
        "https://intranet",
        "HTTPS://Pharmacy.Example/",
        "http://127.0.0.1:9000/in",
        "http://127.8.0.1/",
        "http://[::1]:9000/in",
        "http://localhost:9000/in",
    ],
)
def test_where_an_sms_may_be_posted(url: str) -> None:
    assert webhook.why_no_webhook(url) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "is not one of at most 2000 ASCII characters"),
        ("https://x.example/" + "x" * 2000, "is not one of at most 2000 ASCII characters"),
        ("https://x.example/a b", "without blanks"),
        ("https://x.example/\r\nX: y", "without blanks"),
        ("https://farmàcia.example/", "ASCII"),
        ("pharmacy.example/in", "does not begin with https://"),
        ("ftp://pharmacy.example/", "does not begin with https://"),
        ("file:///etc/passwd", "does not begin with https://"),
        ("http://pharmacy.example/", "can be read on the way"),
        ("http://10.0.0.7/", "can be read on the way"),
        ("http://127.0.0.1.example/", "can be read on the way"),
        ("http://localhost.example/", "can be read on the way"),
        ("http://2130706433/", "can be read on the way"),
        ("https://user:password@x.example/", "shows a login"),
        ("https://user@x.example/", "shows a login"),
        ("http://x.example@127.0.0.1/", "shows a login"),
        ("https://x.example\\@127.0.0.1/", "shows a login"),
        ("https:///in", "names no host"),
        ("https://x..example/", "names no host"),
        ("https://%78.example/", "names no host"),
        ("https://x.example:99999/", "a port that is none"),
        ("https://[::1/", "has no host"),
        ("https://x.example/in#there", "is never sent"),
    ],
)
def test_where_it_may_not(url: str, why: str) -> None:
    assert why in (webhook.why_no_webhook(url) or "")


@pytest.mark.parametrize(
    ("url", "receiver"),
    [
        (URL, "pharmacy.example"),
        ("https://Pharmacy.example:443/other?token=x", "pharmacy.example"),
        ("https://pharmacy.example:8443/", "pharmacy.example:8443"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("https://[2001:DB8::7]:8443/x", "[2001:db8::7]:8443"),
    ],
)
def test_of_an_address_only_its_host_may_be_logged(url: str, receiver: str) -> None:
    assert webhook.receiver_of(url) == receiver


def derived(purpose: str) -> bytes:
    return hashlib.sha256(purpose.encode()).digest()


def test_each_mailbox_has_a_secret_with_each_receiver() -> None:
    """Nobody who gets one can pass for us elsewhere; whoever moves a page on his server needs no new one."""
    secrets = {
        webhook.secret_of(derived, mailbox, url)
        for mailbox in ("one", "two")
        for url in (URL, "https://other.example/refills", "https://pharmacy.example:8443/refills")
    }
    assert len(secrets) == 6
    assert webhook.secret_of(derived, "one", URL) == webhook.secret_of(derived, "one", "https://PHARMACY.example/x?y")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", webhook.written(secrets.pop()))


def test_the_signature_is_that_of_the_standard() -> None:
    """Its published example, in every library of Standard Webhooks."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    call = Posting("msg_p5jXN8AQM9LWM0D4loKWxJek", "one", URL, b'{"test": 2432232314}', NOW)
    assert webhook.headers(call, secret, datetime.fromtimestamp(1614265330, UTC)) == {
        "content-type": "application/json",
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_what_is_posted() -> None:
    keyword = Keyword("Ricetta", tag="refills", webhook=URL)
    posted = webhook.posting("an-id", SMS, CLINIC, keyword, Match.NUMBER, NOW)
    assert (posted.id, posted.mailbox_id, posted.url) == ("an-id", CLINIC.id, URL)
    assert json.loads(posted.body) == {
        "type": "sms.received",
        "id": "an-id",
        "mailbox": "clinic@example.test",
        "from": "+393331234567",
        "to": "+390200000001",
        "text": SMS.text,
        "received_at": "2026-11-21T09:00:00Z",
        "keyword": "Ricetta",
        "tag": "refills",
        "match": "number",
    }
    assert "333" not in repr(posted)


@pytest.mark.parametrize(
    "change", ["nothing", "body", "id", "time", "secret", "old", "ahead", "signature", "nonsense", "none", "two"]
)
def test_the_receiver_in_the_docs_believes_us_and_nobody_else(change: str) -> None:
    secret, now = derived("ours"), datetime.now(UTC)
    call = webhook.posting("an-id", SMS, CLINIC, Keyword("Ricetta", webhook=URL), Match.NUMBER, now)
    at = {"old": -301, "ahead": 301}.get(change, 0)
    headers = webhook.headers(call, secret, datetime.fromtimestamp(now.timestamp() + at, UTC))
    body = call.body
    match change:
        case "body":
            body += b" "
        case "id":
            headers["webhook-id"] = "another"
        case "time":
            headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) - 1)
        case "secret":
            secret = derived("theirs")
        case "signature":
            headers["webhook-signature"] = "v1,"
        case "nonsense":
            headers = dict.fromkeys(headers, "à ")
        case "none":
            headers = {}
        case "two":  # as while a secret is replaced
            headers["webhook-signature"] = "v1,AAAA v1a,BBBB " + headers["webhook-signature"]
    assert documented()(webhook.written(secret), headers, body) is (change in ("nothing", "two"))


def test_a_keyword_does_not_show_its_webhook_where_it_is_logged() -> None:
    assert "pharmacy" not in repr(replace(Keyword("Ricetta"), webhook=URL))
