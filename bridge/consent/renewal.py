"""Makes access tokens of a consent: one is kept and given to everybody until shortly before its end, then renewed.

Whoever needs one at that moment waits for the same answer. A provider that rotates refresh tokens gives a new one with
each access token, which takes the place of the old one at once; Microsoft does, and the old ones stay good there, while
Google keeps to the first. Of two processes that share a file the slower one finds what the other has written.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import structlog

from bridge import redact
from bridge.consent import kept
from bridge.consent.application import Application, application
from bridge.consent.endpoint import Away, Granted, Refused, granted
from bridge.consent.source import NoToken
from bridge.settings import Settings

EARLY = 300.0
"""Seconds before its end from which a token is renewed, or half of its life if that is shorter."""
AGAIN = {Refused: 60.0, Away: 5.0}
"""Seconds until a provider is asked again that has said no, or nothing: several may ask in a row."""

_OWN_FAULT = frozenset({"invalid_client", "unauthorized_client", "invalid_request", "invalid_scope"})
"""What the provider says of the application and not of the consent."""

log = structlog.get_logger("bridge.consent")


class Consent:
    """Access tokens for one account."""

    def __init__(self, app: Application, name: str, address: str, file: Path) -> None:
        """`name` is that of the application in the settings, `address` what somebody consents for, `file` what keeps
        the refresh token."""
        self._app = app
        self._name = name
        self._address = address
        self._file = file
        self._renewing: asyncio.Task[None] | None = None
        self._access, self._until, self._early = "", 0.0, 0.0
        self._stays_until = 0.0
        """Before this moment no server makes us renew one again."""
        self._seen = self._refresh = ""
        self._failure: Refused | Away | None = None
        self._failed_at = 0.0
        self.lacks: str | None = None
        """Why only a person can help, in the middle of a sentence; empty when nobody has to, None while that is not
        known."""
        self.origin = f"for {address}"
        self.remedy = f"run `bridge mailbox connect {address}` and sign in there as somebody who may open the mailbox"

    async def token(self) -> str:
        """One that is good for a while. Raises NoToken.

        Whoever waits may give up: a renewal that has begun is carried to its end, since with its answer the refresh
        token may be another one.
        """
        if time.monotonic() >= self._until - self._early:
            if self._renewing is None or self._renewing.done():
                self._renewing = asyncio.create_task(self._renew())
            await asyncio.shield(self._renewing)
        return self._access

    def refused(self, token: str) -> None:
        """A server does not accept it: the next login gets another one, but where that was so a moment ago, too: what
        the server lacks then is no fresh token."""
        now = time.monotonic()
        if token == self._access and now >= self._stays_until:
            self._until, self._stays_until = 0.0, now + AGAIN[Refused]

    async def close(self) -> None:
        """Carry a renewal that is under way to its end."""
        if self._renewing is not None:
            await asyncio.wait([self._renewing])

    async def _renew(self) -> None:
        """Raises NoToken, unless the old token is still good while the provider is away."""
        try:
            refresh = await self._held()
            if not refresh:
                raise self._lack(f"nobody has consented yet for {self._address}; run `{self._command}`")
            found = await self._ask(refresh)
        except OSError as error:
            why = (error.strerror or type(error).__name__).lower()
            raise self._lack(f"{self._file} cannot be read: {why}") from None
        except Refused as refused:
            raise self._lack(self._refusal(refused)) from None
        except Away as away:
            if time.monotonic() < self._until:
                return
            raise NoToken(f"its provider gives none for {self._address} now ({away}); it is asked again") from None
        self.lacks = ""
        self._access = found.access_token
        self._until = time.monotonic() + found.lifetime
        self._early = min(EARLY, found.lifetime / 2)
        redact.keep_secret(f"access {self._file}", self._access)

    async def _held(self) -> str:
        """The refresh token: what somebody has put into the file meanwhile goes before what is known."""
        found = await asyncio.to_thread(kept.read, self._file)
        if found != self._seen:
            self._seen = self._refresh = found
            self._failure = None
        return self._refresh

    async def _ask(self, refresh: str) -> Granted:
        """Raises Refused, Away and OSError."""
        failure = self._failure
        if failure is not None and time.monotonic() - self._failed_at < AGAIN[type(failure)]:
            raise failure.with_traceback(None)
        redact.keep_secret(f"refresh {self._file}", refresh)
        form = self._app.identified(grant_type="refresh_token", refresh_token=refresh)
        try:
            found = await granted(self._app.token_url, form)
        except (Refused, Away) as told:
            other = await self._held()
            if other != refresh:
                return await self._ask(other)
            self._failure, self._failed_at = told, time.monotonic()
            log.warning("consent.not_renewed", account=self._address, why=str(told))
            raise
        self._failure = None
        if found.refresh_token not in ("", refresh):
            await self._rotate(found.refresh_token)
        log.info("consent.renewed", account=self._address, seconds=found.lifetime)
        return found

    async def _rotate(self, refresh: str) -> None:
        self._refresh = refresh
        redact.keep_secret(f"refresh {self._file}", refresh)
        try:
            await asyncio.to_thread(kept.write, self._file, refresh)
        except OSError as error:  # it is good until the bridge ends; most providers take the old one after that
            log.error("consent.not_kept", account=self._address, error=type(error).__name__)
        else:
            self._seen = refresh

    def _refusal(self, refused: Refused) -> str:
        if refused.code in _OWN_FAULT:
            return f"its provider refuses the application ({refused}); see [oauth.{self._name}] and its registration"
        return f"its provider takes the consent for {self._address} no more ({refused}); run `{self._command}`"

    @property
    def _command(self) -> str:
        return f"bridge mailbox connect {self._address}"

    def _lack(self, why: str) -> NoToken:
        self.lacks = why
        return NoToken(why)


class Consents:
    """All that the settings name, one for each account however many connections log in with it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[tuple[str, str], Consent] = {}

    def of(self, name: str, address: str) -> Consent:
        """The one of an account at the provider where the bridge is the application `name`."""
        key = name, address.lower()
        if key not in self._known:
            settings = self._settings
            app = application(settings.oauth[name], sends=settings.relay.oauth == name)
            self._known[key] = Consent(app, name, address, kept.place(settings.data_dir, name, address))
        return self._known[key]

    async def close(self) -> None:
        """Carry what is under way to its end."""
        for each in self._known.values():
            await each.close()

    def states(self) -> dict[str, str | None]:
        """What each account lacks, by its address, as `Consent.lacks` has it."""
        found: dict[str, str | None] = {}
        for (_, address), each in self._known.items():
            found[address] = found.get(address) or each.lacks
        return found
