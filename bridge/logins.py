"""Who is it: a login and what proves it, to the mailbox it opens; asked by the front door on AUTH.

A mailbox has one password of its own, as people choose them (`access.credentials`), and app passwords, which are made
for it (`access.passwords`, `access.scram`); an issuer that the operator trusts may speak for it too (`access.tokens`),
and so may a certificate that a machine shows in the TLS handshake. Whoever guesses is slowed down and locked
(`access.throttle`). A login that does not exist takes as long as one that does, and is answered the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog

from bridge import clock
from bridge.access.credentials import Credentials
from bridge.access.networks import Networks
from bridge.access.passwords import as_generated
from bridge.access.scram import NAME as SCRAM
from bridge.access.scram import ClientFirst, Exchange, Verifier, decoy
from bridge.access.throttle import Guesser, Throttle
from bridge.access.tokens import FORGED, Flaw, TokenRefused, Tokens
from bridge.errors import Reason, Refusal, StoreUnavailable
from bridge.store.directory import Directory
from bridge.store.named import NOTED_EVERY
from bridge.types import AppPassword, Mailbox

log = structlog.get_logger("bridge.logins")

AT_ONCE = 2
"""Passwords that are worked on at the same time; the others wait, and look again whether they are still listened to."""

_WRONG = "Login or password is wrong. Check both in the mail program's settings."
_WRONG_TOKEN = "The access token is no login here. Log in anew where it was issued."


class Proof(StrEnum):
    """What a login was proven with."""

    PASSWORD = "password"
    APP_PASSWORD = "app_password"
    TOKEN = "token"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who has proven who it is."""

    mailbox: Mailbox
    proof: Proof
    mark: str
    """Which one: the stored hash of the mailbox's password, or the id of an app password or a certificate; empty for a
    token."""
    until: datetime | None = None
    """When it runs out; None: it does not."""


class WrongLogin(Refusal):
    """What was said proves nothing."""

    def __init__(self, failures: int, *, token: TokenRefused | None = None) -> None:
        """`failures` counts those that there were lately; `token` says what is wrong with one."""
        super().__init__(Reason.BAD_LOGIN, _WRONG if token is None else _WRONG_TOKEN)
        self.failures = failures
        self.why = "" if token is None else token.flaw.value


class Logins:
    """Decides about logins."""

    def __init__(
        self,
        directory: Directory,
        credentials: Credentials,
        throttle: Throttle,
        *,
        salts: bytes,
        scram: bool,
        used: Callable[[Proof, str, datetime], Awaitable[None]],
        tokens: Tokens | None = None,
    ) -> None:
        """`salts` is the key that salts are made with, one for each login. With `scram`, SCRAM is offered. `used`
        writes down that an app password or a certificate was used, by its id. Without `tokens`, access tokens are not
        taken."""
        self._directory = directory
        self._credentials = credentials
        self._throttle = throttle
        self._salts = salts
        self._used = used
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._noted: dict[str, datetime] = {}
        self.noting: set[asyncio.Task[None]] = set()
        """Uses that are being written down."""
        self._tokens = tokens
        self.mechanisms = (
            "PLAIN",
            "LOGIN",
            *((SCRAM,) if scram else ()),
            *(("OAUTHBEARER", "XOAUTH2") if tokens is not None else ()),
        )
        """What AUTH takes, as EHLO says it, from whoever has shown no certificate."""

    async def by_password(self, login: str, password: str, address: str) -> Login:
        """A login with any of its passwords, from a plain IP address. Raises `WrongLogin` and `Locked`."""
        mailbox = self._directory.by_login(login)
        guesser = self._guesser(login, mailbox, address)
        generated = as_generated(password)
        words = generated is None
        self._throttle.check(guesser, words=words)
        if generated is not None:
            known = await self._app_password(login, mailbox, generated)
            if mailbox is not None and known is not None:
                return self._let_in(guesser, Login(mailbox, Proof.APP_PASSWORD, known))
        stored = mailbox.password_hash if mailbox is not None else ""
        guess = f"{stored}{password}"  # with another password set it is another guess
        right = self._credentials.remembers(login, stored, password)
        if not right:
            async with self._turn:
                self._throttle.check(guesser, words=words)  # those before may have been wrong too
                # Whoever repeats what is not counted again could keep the processors at argon2 for ever.
                if not self._throttle.was_wrong(guesser, guess):
                    right = await self._credentials.verify(login, stored, password)
        if mailbox is None or not right:
            raise WrongLogin(self._throttle.failed(guesser, guess, words=words))
        return self._let_in(guesser, Login(mailbox, Proof.PASSWORD, stored))

    def exchange(self, first: ClientFirst) -> Exchange:
        """A login with SCRAM-SHA-256, begun: app passwords only, since of others there is no verifier."""
        verifiers = self._verifiers(first.login, self._passwords(self._directory.by_login(first.login)))
        return Exchange(first, first.nonce + secrets.token_urlsafe(18), verifiers)

    def by_proof(self, exchange: Exchange, final: bytes, address: str) -> tuple[Login, bytes]:
        """A login with SCRAM-SHA-256, ended, and the server's own proof.

        Raises `WrongLogin`, `Locked` and `BadCommand`.
        """
        login = exchange.first.login
        mailbox = self._directory.by_login(login)
        guesser = self._guesser(login, mailbox, address)
        self._throttle.check(guesser, words=False)
        found = exchange.finish(final)
        if mailbox is not None and found is not None:
            index, proof = found
            for each in self._passwords(mailbox):
                if each.verifier == str(exchange.verifiers[index]):
                    return self._let_in(guesser, Login(mailbox, Proof.APP_PASSWORD, each.id)), proof
        raise WrongLogin(self._throttle.failed(guesser, None, words=False))

    async def by_token(self, token: str, user: str, address: str) -> Login:
        """A login with an access token; `user` is the login that the client names besides, or empty.

        Raises `WrongLogin`, `Locked` and `KeysUnavailable`.
        """
        assert self._tokens is not None
        guesser = self._guesser(user, self._directory.by_login(user), address)
        self._throttle.check(guesser, words=False)
        try:
            named = await self._tokens.read(token)
            mailbox = self._directory.by_login(named.login)
            if mailbox is None or user.lower() not in ("", mailbox.login.lower()):
                raise TokenRefused(Flaw.LOGIN)
        except TokenRefused as refused:
            # One that an issuer has signed is not a guess, however wrong it is.
            guess = refused.flaw in FORGED
            failures = self._throttle.failed(guesser, token, words=False) if guess else 1
            raise WrongLogin(failures, token=refused) from None
        guesser = self._guesser(mailbox.login, mailbox, address)
        return self._let_in(guesser, Login(mailbox, Proof.TOKEN, "", named.until))

    def by_certificate(self, der: bytes, address: str) -> Login | None:
        """The login that a client certificate stands for, which its owner has proven to hold; None for one that nobody
        has registered. It may have run out: `present` says so."""
        shown = self._directory.certificates.get(hashlib.sha256(der).hexdigest())
        mailbox = self._directory.by_id(shown.mailbox_id) if shown is not None else None
        if shown is None or mailbox is None:
            return None
        login = Login(mailbox, Proof.CERTIFICATE, shown.id, shown.until)
        if self.present(login) is None:
            return login
        return self._let_in(self._guesser(mailbox.login, mailbox, address), login)

    def present(self, login: Login) -> Mailbox | None:
        """The mailbox as it is now; None when what proved the login has been changed or taken away since."""
        mailbox = self._directory.by_login(login.mailbox.login)
        if mailbox is None or mailbox.id != login.mailbox.id:
            return None
        if login.until is not None and clock.now() >= login.until:
            return None
        match login.proof:
            case Proof.TOKEN:
                holds = True
            case Proof.PASSWORD:
                holds = mailbox.password_hash == login.mark
            case Proof.APP_PASSWORD:
                holds = any(each.id == login.mark for each in self._passwords(mailbox))
            case Proof.CERTIFICATE:
                holds = any(each.id == login.mark for each in self._directory.certificates.values())
        return mailbox if holds else None

    async def _app_password(self, login: str, mailbox: Mailbox | None, generated: str) -> str | None:
        """The id of the app password that it is."""
        there = self._passwords(mailbox)
        verifiers = self._verifiers(login, there)
        like = verifiers[0]
        given = await asyncio.to_thread(Verifier.of, generated, like.salt, like.iterations)
        right = [each.matches(given) for each in verifiers]
        return there[right.index(True)].id if there and any(right) else None

    def _passwords(self, mailbox: Mailbox | None) -> tuple[AppPassword, ...]:
        return self._directory.passwords(mailbox.id) if mailbox is not None else ()

    def _verifiers(self, login: str, there: Iterable[AppPassword]) -> tuple[Verifier, ...]:
        return tuple(Verifier.read(each.verifier) for each in there) or (decoy(self._salts, login),)

    def _guesser(self, login: str, mailbox: Mailbox | None, address: str) -> Guesser:
        trusted = mailbox is not None and address in Networks(mailbox.networks)
        return self._throttle.guesser(login, address, trusted=trusted)

    def _let_in(self, guesser: Guesser, login: Login) -> Login:
        self._throttle.succeeded(guesser)
        if login.proof in (Proof.APP_PASSWORD, Proof.CERTIFICATE):
            self._note(login.proof, login.mark)
        return login

    def _note(self, proof: Proof, mark: str) -> None:
        """Have a use written down, while the login goes on."""
        now = clock.now()
        before = self._noted.get(mark)
        if before is not None and now - before < NOTED_EVERY:
            return
        self._noted[mark] = now
        task = asyncio.create_task(self._write_down(proof, mark, now), name="login used")
        self.noting.add(task)
        task.add_done_callback(self.noting.discard)

    async def _write_down(self, proof: Proof, mark: str, at: datetime) -> None:
        try:
            await self._used(proof, mark, at)
        except StoreUnavailable as error:
            log.warning("login.use_not_noted", proof=proof.value, id=mark, detail=error.detail)
