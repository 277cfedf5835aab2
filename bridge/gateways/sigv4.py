"""AWS Signature Version 4: what a request to an API of AWS proves its sender with, instead of a password.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. For a POST to the root of a
host without a query, which is all that is asked here; there is no temporary session to name either.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

_METHOD = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Key:
    """An access key, and what it is used for."""

    access_key: str
    secret: str = field(repr=False)
    region: str
    service: str

    def sign(self, host: str, headers: Mapping[str, str], body: bytes, moment: datetime) -> dict[str, str]:
        """The headers of the request, with the time and the signature over all of them."""
        time = moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        signed = {"host": host, "x-amz-date": time} | {name.lower(): value for name, value in headers.items()}
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{' '.join(signed[name].split())}\n" for name in sorted(signed))
        request = "\n".join(("POST", "/", "", lines, names, hashlib.sha256(body).hexdigest()))
        scope = f"{time[:8]}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), hashlib.sha256)
        signature = hmac.new(key, "\n".join((_METHOD, time, scope, digest)).encode(), hashlib.sha256).hexdigest()
        proof = f"{_METHOD} Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**headers, "X-Amz-Date": time, "Authorization": proof}
