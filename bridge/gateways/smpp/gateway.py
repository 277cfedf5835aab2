"""The SMPP gateway: hands messages over segment by segment, and hears receipts and phones on the same sessions.

Source: SMPP 3.4 and 5.0, as `pdu`, `coding`, `receipts` and `status` name them. A long message goes out one segment
after the other. What befalls one of them befalls only that one: it alone is handed over again, and only when it
provably was not taken.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import ClassVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import structlog

from bridge.errors import Reason, SettingsError
from bridge.gateways.base import Gateway, Hear, Traits
from bridge.gateways.connection import Connection, Option
from bridge.gateways.smpp import inbound, receipts, status
from bridge.gateways.smpp.binds import Binds, sentence
from bridge.gateways.smpp.coding import Alphabet, Long, Piece, pieces
from bridge.gateways.smpp.pdu import Address, ShortMessage
from bridge.gateways.smpp.receipts import IdNotation
from bridge.gateways.smpp.session import BindRefused, Mode, NeverLeft, NoAnswer, Session, Terms
from bridge.settings.checks import is_loopback
from bridge.sms.gsm7 import NotGsm7
from bridge.types import GatewayEvent, OutboundSms, Outcome, OutcomeKind, Receipt

log = structlog.get_logger("bridge.smpp")

LONGEST_SUBMIT = 70.0
"""Seconds after which a message is given back to the dispatcher, who waits a little longer than that."""
BIND_WAIT = 3.0
"""Seconds that a message waits for a bind; then it is better off in the queue."""
FIRST_HOLD, LONGEST_HOLD = 0.5, 5.0
"""Seconds until a segment that was not taken is tried again, while others of its message were."""

_VERSIONS = {"3.4": 0x34, "5.0": 0x50}
_PORTS = {"smpp": 2775, "smpps": 3550}
_LONGEST_VALIDITY = timedelta(days=30)


class SmppGateway(Gateway):
    """A connection to an SMSC; `account` is the system id, `secret` the password."""

    kind: ClassVar[str] = "smpp"
    title: ClassVar[str] = "SMPP"
    base_url: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ("account", "secret")
    options: ClassVar[tuple[Option, ...]] = (
        Option("version", "version of SMPP that is spoken", "3.4", tuple(_VERSIONS)),
        Option("bind", "one transceiver, or a transmitter and a receiver", "transceiver", ("transceiver", "pair")),
        Option("binds", "how many of them are kept open", "1"),
        Option("window", "submits on one bind that may wait for their answer", "10"),
        Option("rate", "segments a second on one bind; 0 for as many as the window allows", "0"),
        Option("enquire_link", "seconds of silence after which the SMSC is asked whether it is there", "30"),
        Option("system_type", "what some providers want to be told at the bind", ""),
        Option("service_type", "what some providers want to be told with each message", ""),
        Option("alphabet", "what the SMSC takes data_coding 0 for", Alphabet.GSM7, tuple(Alphabet)),
        Option("long", "how long texts are handed over", Long.UDH, tuple(Long)),
        Option("message_ids", "how message ids are written in answers and in receipts", "same", tuple(IdNotation)),
        Option("timezone", "IANA name of the clock by which the SMSC dates its receipts", "UTC"),
        Option("ca_file", "authorities to trust instead of the system's, in PEM", ""),
        Option("unencrypted", "whether texts may travel readable, for an SMSC without TLS", "no", ("no", "allowed")),
    )
    traits = Traits(receipts=True, inbound=True, own_segments=True)

    @classmethod
    def url_of(cls, options: Mapping[str, str]) -> str:
        """There is no SMSC that everybody uses: the operator names his."""
        return cls.base_url

    def __init__(self, connection: Connection) -> None:
        """Raises SettingsError for a value that cannot be used."""
        self.name = connection.name
        self.connection = connection
        self._terms = self._read_terms()
        self._modes = [Mode.TRANSCEIVER] if self._option("bind") == "transceiver" else [Mode.TRANSMITTER, Mode.RECEIVER]
        modes = self._modes * int(self._number("binds", 1, 100))
        self._binds = Binds(self.name, self._terms, modes, self._hear)
        self._heard: Hear | None = None
        self._alphabet = Alphabet(self._option("alphabet"))
        self._long = Long(self._option("long"))
        self._notation = IdNotation(self._option("message_ids"))
        self._zone = self._read_zone()
        # Two long texts to one phone must not share their reference, not even across a restart.
        self._references = count(int(connection.now().timestamp()))
        self._recent = inbound.Recent()

    # ------------------------------------------------------------------------------------------------- out

    async def submit(self, sms: OutboundSms) -> Outcome:
        try:
            todo = pieces(sms, self._long, self._alphabet, next(self._references))
        except NotGsm7:
            return Outcome(OutcomeKind.REJECTED, reason=Reason.UNENCODABLE, diagnostic="not in the GSM alphabet")
        until = asyncio.get_running_loop().time() + LONGEST_SUBMIT
        ids: list[str | None] = []
        for piece in todo:
            outcome = await self._hand_over(sms, piece, until, patiently=bool(ids))
            if outcome.kind is not OutcomeKind.ACCEPTED:
                return _broken(outcome, ids, len(todo)) if ids else outcome
            ids.append(outcome.provider_id)
        return Outcome(OutcomeKind.ACCEPTED, ids[0], segment_ids=tuple(ids) if len(ids) > 1 else ())

    async def _hand_over(self, sms: OutboundSms, piece: Piece, until: float, *, patiently: bool) -> Outcome:
        """One segment; patiently, when a part of its message is already under way."""
        loop, hold = asyncio.get_running_loop(), FIRST_HOLD
        while True:
            outcome = await self._try(self._message(sms, piece), until)
            if not patiently or outcome.kind not in (OutcomeKind.THROTTLED, OutcomeKind.UNREACHABLE):
                return outcome
            wait = max(hold, outcome.retry_after or 0.0)
            if loop.time() + wait + self._terms.timeout > until:
                return outcome
            await asyncio.sleep(wait)
            hold = min(hold * 2.0, LONGEST_HOLD)

    async def _try(self, message: ShortMessage, until: float) -> Outcome:
        loop = asyncio.get_running_loop()
        session = await self._binds.sender(min(until, loop.time() + BIND_WAIT))
        if session is None:
            return Outcome(OutcomeKind.UNREACHABLE, diagnostic="no bind")
        try:
            code, message_id = await session.submit(message, until)
        except NeverLeft as error:
            kind = OutcomeKind.UNREACHABLE if error.wait is None else OutcomeKind.THROTTLED
            return Outcome(kind, diagnostic=str(error), retry_after=error.wait)
        except NoAnswer as error:
            return Outcome(OutcomeKind.UNKNOWN, diagnostic=str(error))
        if code == status.OK:
            return Outcome(OutcomeKind.ACCEPTED, receipts.submitted_id(message_id, self._notation))
        outcome = status.outcome(code)
        if outcome.kind is OutcomeKind.THROTTLED:
            return Outcome(outcome.kind, diagnostic=outcome.diagnostic, retry_after=session.hold)
        return outcome

    def _message(self, sms: OutboundSms, piece: Piece) -> ShortMessage:
        return ShortMessage(
            source=_address(sms.sender),
            destination=_address(sms.number),
            octets=piece.octets,
            esm_class=piece.esm_class,
            data_coding=piece.data_coding,
            validity=validity(sms.expires_at, self.connection.now()),
            registered=1,
            service_type=self._option("service_type"),
            tlvs=piece.tlvs,
        )

    # -------------------------------------------------------------------------------------------- sessions

    async def listen(self, hear: Hear) -> None:
        self._heard = hear
        await self._binds.run()

    async def probe(self) -> str:
        if self._heard is not None and self._binds.all_open:
            return ""
        if self._heard is not None:
            return f"The SMSC has no bind with us: {self._binds.trouble or 'it is being bound'}."
        try:
            session = await Session.open(self._terms, self._modes[0], self._hear)
        except BindRefused as refused:
            return f"The SMSC answers: {status.bind_sentence(refused.code)}."
        except (OSError, NoAnswer, NeverLeft) as error:
            return f"The SMSC cannot be used: {sentence(error)}."
        await session.leave()
        return ""

    def secrets(self) -> Sequence[str]:
        return self.connection.secrets()

    async def close(self) -> None:
        await self._binds.close()

    # -------------------------------------------------------------------------------------------------- in

    async def _hear(self, message: ShortMessage, session: Session) -> int:
        """Keep what an SMSC says, and the status to answer it with: `OK` once it is committed."""
        if receipts.is_receipt(message):
            events: Sequence[GatewayEvent] = self._receipts(message)
            return await self._keep(events) if events else status.OK
        if not receipts.is_from_phone(message):
            return status.OK
        loop, mark = asyncio.get_running_loop(), inbound.fingerprint(message)
        if self._recent.is_repeated(mark, session, loop.time()):
            log.info("smpp.repeated", gateway=self.name)
            return status.OK
        try:
            event = inbound.read(self.name, message, self._alphabet, self.connection.now())
        except inbound.NoAddress:
            log.error("smpp.no_address", gateway=self.name)
            return status.NEVER_AGAIN
        kept = await self._keep((event,))
        if kept == status.OK:
            self._recent.keep(mark, session, loop.time())
        return kept

    async def _keep(self, events: Sequence[GatewayEvent]) -> int:
        if self._heard is None:  # a bridge that only checks keeps nothing
            return status.TRY_AGAIN
        try:
            await self._heard(events)
        except Exception as error:
            # Whatever failed, the SMSC must keep it and say it again; the error's text may hold the message.
            log.error("smpp.not_kept", gateway=self.name, error=type(error).__name__)
            return status.TRY_AGAIN
        return status.OK

    def _receipts(self, message: ShortMessage) -> Sequence[Receipt]:
        told = receipts.read(message, self._notation)
        if told is None:
            log.warning("smpp.receipt_without_id", gateway=self.name)
            return ()
        if told.state is None:
            return ()
        now = self.connection.now()
        return (
            Receipt(
                gateway=self.name,
                provider_id=told.provider_id,
                reference=None,
                state=told.state,
                event_id=f"{told.provider_id}:{told.word}:{told.done or now.date().isoformat()}",
                reason=told.reason,
                diagnostic=f"{told.word} {told.error}".strip(),
                occurred_at=receipts.moment(told.done, self._zone),
                raw=message.octets.decode("latin-1").replace("\0", ""),
            ),
        )

    # -------------------------------------------------------------------------------------------- settings

    def _option(self, name: str) -> str:
        default = next(option.default for option in self.options if option.name == name)
        return self.connection.options.get(name, default or "")

    def _number(self, name: str, least: float, most: float) -> float:
        written = self._option(name)
        try:
            value = float(written)
        except ValueError:
            value = -1.0
        if not least <= value <= most:
            key = f"gateways.{self.name}.options.{name}"
            raise SettingsError(key, f'"{written}"', f"write a number from {least:g} to {most:g}")
        return value

    def _read_zone(self) -> ZoneInfo:
        written = self._option("timezone")
        try:
            return ZoneInfo(written)
        except (KeyError, ValueError, OSError):
            key = f"gateways.{self.name}.options.timezone"
            raise SettingsError(key, f'"{written}"', 'write an IANA name, such as "Europe/Rome"') from None

    def _read_terms(self) -> Terms:
        connection, key = self.connection, f"gateways.{self.name}.url"
        try:
            url = urlsplit(connection.url)
            host, port = url.hostname or "", url.port or _PORTS.get(url.scheme, 0)
        except ValueError:
            host, port = "", 0
        if not host or url.scheme not in _PORTS or url.username or url.path or url.query:
            raise SettingsError(key, "(not shown)", 'write an address such as "smpps://smsc.example.com:3550"')
        if url.scheme == "smpp" and self._option("unencrypted") == "no" and not is_loopback(host):
            remedy = (
                "password and texts would travel readable; write smpps://, or where the SMSC has no TLS, go through a "
                'VPN and set options.unencrypted = "allowed"'
            )
            raise SettingsError(key, "(not shown)", remedy)
        return Terms(
            host=host,
            port=port,
            tls=self._authorities() if url.scheme == "smpps" else None,
            system_id=connection.account,
            password=connection.secret,
            system_type=self._option("system_type"),
            version=_VERSIONS[self._option("version")],
            window=int(self._number("window", 1, 1000)),
            rate=self._number("rate", 0, 10_000),
            timeout=min(connection.timeout, LONGEST_SUBMIT / 2.0),
            enquire_every=self._number("enquire_link", 1, 3600),
        )

    def _authorities(self) -> ssl.SSLContext:
        file = self._option("ca_file")
        try:
            return ssl.create_default_context(cafile=file or None)
        except OSError:
            key = f"gateways.{self.name}.options.ca_file"
            raise SettingsError(key, f'"{file}"', "cannot be read as certificates in PEM") from None


def _broken(outcome: Outcome, ids: Sequence[str | None], total: int) -> Outcome:
    """What a message came to of which some segments were taken and one was not: it will never be whole.

    Nothing of it may be handed over again, so that a segment that was put off for too long counts as refused.
    """
    diagnostic = f"segment {len(ids) + 1} of {total}: {outcome.diagnostic}"
    if outcome.kind is OutcomeKind.UNKNOWN:
        missing = total - len(ids)
        return Outcome(outcome.kind, ids[0], diagnostic=diagnostic, segment_ids=(*ids, *[None] * missing))
    return Outcome(OutcomeKind.REJECTED, ids[0], outcome.reason or Reason.PROVIDER_REFUSED, diagnostic)


def _address(written: str) -> Address:
    """Type of number and numbering plan (SMPP 3.4 sections 5.2.5 and 5.2.6) of a number, a short code or a name."""
    if written.startswith("+"):
        return Address(1, 1, written[1:])
    return Address(3, 0, written) if written.isdecimal() else Address(5, 0, written)


def validity(expires_at: datetime | None, now: datetime) -> str:
    """How long the SMSC may try, as time from now on (SMPP 3.4 section 7.1.1.2), which no wrong clock can spoil."""
    if expires_at is None:
        return ""
    left = max(timedelta(seconds=1), min(expires_at - now, _LONGEST_VALIDITY))
    minutes, seconds = divmod(int(left.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{minutes:02}{seconds:02}000R"
