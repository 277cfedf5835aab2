"""A webhook of a keyword: where an SMS may be posted to, what is posted, and how that is signed; pure.

Headers, secret and signature are those of Standard Webhooks 1.0.0 (standardwebhooks.com): whoever has a library for
these needs nothing of ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from bridge.types import InboundSms, Keyword, Mailbox, Match, Posting

LONGEST_URL = 2000
"""Characters."""

_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_WRITTEN = re.compile(r"[!-~]+")
_PORTS = {"https": 443, "http": 80}


def why_no_webhook(url: str) -> str | None:
    """What is wrong with the address of a webhook, as the end of a sentence that begins with it; None when nothing
    is."""
    if len(url) > LONGEST_URL or not _WRITTEN.fullmatch(url):
        return f"is not one of at most {LONGEST_URL} ASCII characters without blanks"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "has no host, or a port that is none"
    if parts.scheme not in _PORTS:
        return "does not begin with https://"
    if "@" in parts.netloc:
        return "shows a login. Leave it out: every request is signed"
    if not (_NAME.fullmatch(host) or _ip(host) is not None):
        return "names no host"
    if "#" in url:
        return "has a part behind #, which is never sent"
    if parts.scheme == "http" and not _is_loopback(host):
        return "does not begin with https://. What is said without it can be read on the way"
    return None


def receiver_of(url: str) -> str:
    """Host and, where it is not the usual one, port of a webhook's address: what may be logged of it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"[{host}]{port}" if ":" in host else f"{host}{port}"


def secret_of(derived: Callable[[str], bytes], mailbox_id: str, url: str) -> bytes:
    """The key by which this receiver knows the requests of this mailbox; `derived` makes keys from the installation's.

    It is the same on every node and for every address of the receiver, and nobody has to keep it.
    """
    return derived(f"webhooks of mailbox {mailbox_id} to {receiver_of(url)}")


def written(secret: bytes) -> str:
    """The key in the form that libraries for Standard Webhooks take."""
    return "whsec_" + base64.b64encode(secret).decode("ascii")


def posting(
    inbound_id: str, sms: InboundSms, mailbox: Mailbox, keyword: Keyword, match: Match, at: datetime
) -> Posting:
    """The request that brings an SMS, which is kept as `inbound_id` at the moment `at`, to the webhook of `keyword`."""
    said = {
        "type": "sms.received",
        "id": inbound_id,
        "mailbox": mailbox.login,
        "from": sms.number,
        "to": sms.to,
        "text": sms.text,
        "received_at": sms.received_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "keyword": keyword.word,
        "tag": keyword.tag,
        "match": match.value,
    }
    return Posting(inbound_id, mailbox.id, keyword.webhook, json.dumps(said).encode("ascii"), at)


def headers(call: Posting, secret: bytes, at: datetime) -> dict[str, str]:
    """The header fields of a try at the moment `at`."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((call.id.encode(), timestamp.encode(), call.body))
    signature = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode("ascii")
    return {
        "content-type": "application/json",
        "webhook-id": call.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    ip = _ip(host)
    return host == "localhost" or (ip is not None and ip.is_loopback)
