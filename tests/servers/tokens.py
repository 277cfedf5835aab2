"""An authorisation server on loopback (OAuth 2.0): it gives access tokens to whom somebody has consented, and IMAP
servers ask it whose token they were shown (RFC 7662)."""

from __future__ import annotations

import base64
import hashlib
import itertools
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.servers.answering import Answer, AnsweringServer

USER_CODE = "WDJB-MJHT"

Form = dict[str, str]


class TokenServer:
    """Gives tokens, and answers whose they are for as long as they are good."""

    def __init__(self) -> None:
        """Listens at once."""
        self.users: dict[str, str] = {}
        """The user of each access token that is good."""
        self.consents: dict[str, str] = {}
        """The user of each refresh token that is good."""
        self.user = ""
        """Who signs in and consents."""
        self.until_decided: list[str] = []
        """What is answered before somebody has decided, in order: errors of RFC 8628 section 3.5."""
        self.lifetime: int | None = 3600
        """Seconds that access tokens are said to be good for; None: nothing is said."""
        self.rotates = False
        """Each refresh token is good for once."""
        self.status: tuple[int, bytes] | None = None
        """Answered to everything but introspection, in place of an answer."""
        self.busy = 0.0
        """Seconds that a renewal takes."""
        self.asked: list[Form] = []
        """Every form that tokens were asked for with."""
        self._challenges: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._server = AnsweringServer(self._hear)

    @property
    def base(self) -> str:
        """Where it is."""
        return self._server.base

    @property
    def url(self) -> str:
        """Where it is asked whose a token is, by POST."""
        return f"{self.base}/introspect"

    def consented(self, user: str) -> str:
        """A refresh token of somebody who has consented."""
        refresh = f"refresh-{next(self._numbers)}"
        self.consents[refresh] = user
        return refresh

    def close(self) -> None:
        """Listen no more."""
        self._server.close()

    def _hear(self, method: str, target: str, body: bytes) -> Answer:
        if method == "GET":  # the page on which somebody consents at once
            asked = dict(parse_qsl(urlsplit(target).query))
            return Answer(status=302, headers={"Location": self._answer(asked)})
        ways = {"/introspect": self._introspect, "/device": self._device, "/token": self._token}
        status, said = ways[target](dict(parse_qsl(body.decode())))
        return Answer(said, status)

    def _introspect(self, form: Form) -> tuple[int, Any]:
        user = self.users.get(form["token"])
        return 200, {"active": user is not None, "username": user or ""}

    def _device(self, form: Form) -> tuple[int, Any]:
        self.asked.append(form)
        if self.status is not None:
            return self.status
        page = f"{self.base}/devices"
        return 200, {
            "device_code": "d" * 40,
            "user_code": USER_CODE,
            "verification_uri": page,
            "expires_in": 900,
            "interval": 0,
        }

    def _token(self, form: Form) -> tuple[int, Any]:
        self.asked.append(form)
        time.sleep(self.busy)
        if self.status is not None:
            return self.status
        if form["grant_type"] == "refresh_token":
            refresh = form["refresh_token"]
            user = self.consents.pop(refresh, None) if self.rotates else self.consents.get(refresh)
            if user is None:
                said = "AADSTS700082: The refresh token of anna has expired."
                return 400, {"error": "invalid_grant", "error_description": said}
            return 200, self._granted(user, self.consented(user) if self.rotates else None)
        if form["grant_type"] == "authorization_code":
            verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
            if self._challenges.pop(form["code"], "") != base64.urlsafe_b64encode(verifier).decode().rstrip("="):
                return 400, {"error": "invalid_grant"}
        elif self.until_decided:
            return 400, {"error": self.until_decided.pop(0)}
        return 200, self._granted(self.user, self.consented(self.user))

    def _granted(self, user: str, refresh: str | None) -> dict[str, Any]:
        access = f"access-{next(self._numbers)}"
        self.users[access] = user
        said: dict[str, Any] = {"access_token": access, "token_type": "Bearer", "expires_in": self.lifetime}
        return said | ({"refresh_token": refresh} if refresh is not None else {})

    def _answer(self, asked: Form) -> str:
        if self.until_decided:
            said = {"error": self.until_decided.pop(0)}
        else:
            code = f"code-{next(self._numbers)}"
            assert asked["code_challenge_method"] == "S256"
            self._challenges[code] = asked["code_challenge"]
            said = {"code": code}
        return f"{asked['redirect_uri']}?{urlencode(said | {'state': asked['state']})}"
