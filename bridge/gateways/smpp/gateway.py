"""The SMPP gateway: hands messages over segment by segment, and hears receipts and phones on the same sessions.

Source: SMPP 3.4 and 5.0, as `pdu`, `coding`, `receipts` and `status` name them. A long message goes out one segment
after the other. What befalls one of them befalls only that one: it alone is handed over again, and only when it
provably was not taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count

import structlog

from bridge.errors import Reason
from bridge.gateways.base import Handed, Hear, Recall, Recalled, Traits
from bridge.gateways.connection import Connection
from bridge.gateways.provider import Provider
from bridge.gateways.smpp import inbound, receipts, status
from bridge.gateways.smpp.binds import Binds, sentence
from bridge.gateways.smpp.coding import Piece, pieces
from bridge.gateways.smpp.options import OPTIONS, read
from bridge.gateways.smpp.pdu import Address, ShortMessage
from bridge.gateways.smpp.receipts import IdNotation
from bridge.gateways.smpp.session import Late, Session
from bridge.gateways.smpp.terms import BindRefused, Mode, NeverLeft, NoAnswer
from bridge.sms.gsm7 import NotGsm7
from bridge.types import GatewayEvent, MessageState, National, OutboundSms, Outcome, OutcomeKind, Priority, Receipt

log = structlog.get_logger("bridge.smpp")

LATEST_START = 35.0
"""Seconds after which nothing more of a message is handed over. With the longest time an answer may take, that is less
than the dispatcher waits."""
BIND_WAIT = 3.0
"""Seconds that a message waits for a bind; then it is better off in the queue."""
FIRST_HOLD, LONGEST_HOLD = 0.5, 5.0
"""Seconds until a segment that was not taken is tried again, while others of its message were."""

_LONGEST_VALIDITY = timedelta(days=30)


class SmppGateway(Provider):
    """A connection to an SMSC; `account` is the system id, `secret` the password."""

    kind = "smpp"
    title = "SMPP"
    options = OPTIONS
    traits = Traits(receipts=True, inbound=True, cancel=True, own_segments=True, shifts=frozenset(National), flash=True)

    def __init__(self, connection: Connection) -> None:
        """Raises SettingsError for a value that cannot be used."""
        super().__init__(connection)
        self._agreed = read(connection)
        # Only an id that is kept as the SMSC wrote it names a message to it.
        self.traits = replace(
            self.traits,
            cancel=self._agreed.notation is IdNotation.SAME,
            shifts=self.traits.shifts if self._agreed.way.carries_shifts else frozenset(),
            wide_reference=self._agreed.way.wide,
        )
        self._binds = Binds(self.name, self._agreed.terms, self._agreed.modes, self._hear)
        self._heard: Hear | None = None
        # Two long texts to one phone must not share their reference, not even across a restart.
        self._references = count(int(connection.now().timestamp()))
        self._recent = inbound.Recent()
        self._keeping: dict[bytes, asyncio.Future[int]] = {}

    # ------------------------------------------------------------------------------------------------- out

    async def submit(self, sms: OutboundSms) -> Outcome:
        try:
            todo = pieces(sms, self._agreed.way, next(self._references))
        except NotGsm7:
            return Outcome(OutcomeKind.REJECTED, reason=Reason.UNENCODABLE, diagnostic="not in the GSM alphabet")
        until = asyncio.get_running_loop().time() + LATEST_START
        ids: list[str | None] = []
        late = partial(self._late, sms) if len(todo) == 1 else None
        for piece in todo:
            outcome = await self._hand_over(self._message(sms, piece), until, late, patiently=bool(ids))
            if outcome.kind is not OutcomeKind.ACCEPTED:
                return _broken(outcome, ids, len(todo)) if ids else outcome
            ids.append(outcome.provider_id)
        return Outcome(OutcomeKind.ACCEPTED, ids[0], segment_ids=tuple(ids) if len(ids) > 1 else ())

    async def _hand_over(self, message: ShortMessage, until: float, late: Late | None, *, patiently: bool) -> Outcome:
        """One segment; patiently, when a part of its message is already under way."""
        loop, hold = asyncio.get_running_loop(), FIRST_HOLD
        while True:
            outcome = await self._try(message, until, late)
            if not patiently or outcome.kind not in (OutcomeKind.THROTTLED, OutcomeKind.UNREACHABLE):
                return outcome
            wait = max(hold, outcome.retry_after or 0.0)
            if loop.time() + wait > until:
                return outcome
            await asyncio.sleep(wait)
            hold = min(hold * 2.0, LONGEST_HOLD)

    async def _try(self, message: ShortMessage, until: float, late: Late | None) -> Outcome:
        loop = asyncio.get_running_loop()
        session = await self._binds.sender(min(until, loop.time() + BIND_WAIT))
        if session is None:
            return Outcome(OutcomeKind.UNREACHABLE, diagnostic="no bind")
        try:
            code, message_id = await session.submit(message, until, late)
        except NeverLeft as error:
            kind = OutcomeKind.UNREACHABLE if error.wait is None else OutcomeKind.THROTTLED
            return Outcome(kind, diagnostic=str(error), retry_after=error.wait)
        except NoAnswer as error:
            return Outcome(OutcomeKind.UNKNOWN, diagnostic=str(error))
        if code == status.OK:
            return Outcome(OutcomeKind.ACCEPTED, receipts.submitted_id(message_id, self._agreed.notation))
        outcome = status.outcome(code)
        if outcome.kind is OutcomeKind.THROTTLED:
            return Outcome(outcome.kind, diagnostic=outcome.diagnostic, retry_after=session.hold)
        return outcome

    async def _late(self, sms: OutboundSms, code: int, message_id: str) -> None:
        """An answer to what counts as unknown by now: it is told as a receipt would tell it."""
        outcome = status.outcome(code)
        if code == status.OK:
            state, reason, diagnostic = MessageState.SENT, None, ""
        elif outcome.kind is OutcomeKind.REJECTED:
            state, reason, diagnostic = (
                MessageState.FAILED,
                outcome.reason or Reason.PROVIDER_REFUSED,
                outcome.diagnostic,
            )
        else:
            return
        await self._keep(
            (
                Receipt(
                    gateway=self.name,
                    provider_id=receipts.submitted_id(message_id, self._agreed.notation),
                    reference=sms.reference,
                    state=state,
                    event_id=f"late:{sms.reference}:{code}:{message_id}",
                    reason=reason,
                    diagnostic=diagnostic,
                ),
            )
        )

    async def cancel(self, message: Handed) -> Recall:
        """Every segment by its own cancel_sm, over a bind of its own: whoever cancels is not the bridge that sends."""
        if not message.provider_ids:
            return await super().cancel(message)
        mode = next(mode for mode in self._agreed.modes if mode is not Mode.RECEIVER)
        try:
            session = await Session.open(self._agreed.terms, mode, self._hear)
        except BindRefused as refused:
            return Recall(Recalled.UNKNOWN, status.name(refused.code))
        except (OSError, NoAnswer, NeverLeft) as error:
            return Recall(Recalled.UNKNOWN, sentence(error))
        try:
            source, destination = _address(message.sender), _address(message.number)
            codes = [await session.cancel(each, source, destination) for each in message.provider_ids]
        except (NoAnswer, NeverLeft) as error:
            return Recall(Recalled.UNKNOWN, str(error))
        finally:
            await session.leave()
        failed = [code for code in codes if code != status.OK]
        if not failed:
            return Recall(Recalled.CANCELLED)
        too_late = set(failed) <= {status.CANCEL_FAILED, status.INVALID_MESSAGE_ID}
        which = f"{len(failed)} of {len(codes)} segments: " if len(codes) > 1 else ""
        return Recall(Recalled.REFUSED if too_late else Recalled.UNKNOWN, which + status.name(failed[0]))

    def _message(self, sms: OutboundSms, piece: Piece) -> ShortMessage:
        return ShortMessage(
            source=_address(sms.sender),
            destination=_address(sms.number),
            octets=piece.octets,
            esm_class=piece.esm_class,
            data_coding=piece.data_coding,
            validity=validity(sms.expires_at, self.connection.now()),
            registered=1,
            service_type=self._agreed.service_type,
            tlvs=piece.tlvs,
            priority=1 if sms.priority is Priority.HIGH else 0,
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
            session = await Session.open(self._agreed.terms, self._agreed.modes[0], self._hear)
        except BindRefused as refused:
            return f"The SMSC answers: {status.bind_sentence(refused.code)}."
        except (OSError, NoAnswer, NeverLeft) as error:
            return f"The SMSC cannot be used: {sentence(error)}."
        await session.leave()
        return ""

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
            event = inbound.read(self.name, message, self._agreed.way.alphabet, self.connection.now())
        except inbound.NoAddress:
            log.error("smpp.no_address", gateway=self.name)
            return status.NEVER_AGAIN
        if mark in self._keeping:  # said again because its commit takes long: one of them is kept, both are answered
            return await self._keeping[mark]
        kept = self._keeping[mark] = asyncio.ensure_future(self._keep((event,)))
        try:
            answer = await kept
        finally:
            del self._keeping[mark]
        if answer == status.OK:
            self._recent.keep(mark, session, loop.time())
        return answer

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
        told = receipts.read(message, self._agreed.notation)
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
                occurred_at=receipts.moment(told.done, self._agreed.zone),
                raw=message.octets.decode("latin-1").replace("\0", ""),
            ),
        )


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
