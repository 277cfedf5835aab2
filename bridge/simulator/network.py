"""The phone network: takes messages from a gateway, carries out each phone's fate, and lets phones write back."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge import clock
from bridge.simulator import fates
from bridge.simulator.callbacks import Callbacks
from bridge.simulator.events import Events
from bridge.simulator.fates import Fate, PlannedReceipt
from bridge.simulator.record import NewCallback, Record, StoredMedia, StoredMessage, StoredReply
from bridge.simulator.refusal import CallRefused
from bridge.sms import header
from bridge.sms.national import alphabet_of
from bridge.types import Encoding, Shift

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SENDER = re.compile(r"\+?[0-9]{3,15}|[0-9A-Za-z .&_-]{1,11}")

LONGEST_REPLY = 1600
"""Characters that a phone may write at once."""

MOST_FILES = 10
"""That it may send at once."""

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,60}(?:; charset=[a-z0-9-]{1,20})?")

_EARLY_RECEIPT_WAIT = 5.0


@dataclass(frozen=True, slots=True)
class Order:
    """A message as a gateway hands it over. Segments are the octets that travel (3GPP TS 23.040 section 9.2.3.24)."""

    reference: str
    sender: str
    phone: str
    encoding: Encoding
    segments: tuple[bytes, ...]
    id: str = ""
    """The id that the message gets, where that is decided before it is taken."""
    shift: Shift | None = None
    """The national tables that the header of every segment names."""
    flash: bool = False
    """Of class 0: shown at once and not kept."""

    @property
    def text(self) -> str:
        """What the phone shows: each segment decoded by itself, as a phone does, then joined."""
        if self.encoding is Encoding.GSM7:
            return "".join(alphabet_of(self.shift).decode(segment) for segment in self.segments)
        return "".join(segment.decode("utf-16-be", "replace") for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider answers. A broken answer is none: the connection is cut."""

    status: int
    body: Mapping[str, str]
    headers: Mapping[str, str]
    broken: bool = False


def e164(number: object) -> str:
    """`number` itself when it is a telephone number in E.164 with its plus, else a refusal."""
    if not isinstance(number, str) or not _E164.fullmatch(number):
        raise CallRefused(400, "Write the number in E.164: a plus, the country code and the digits, nothing else.")
    return number


def read_order(body: object) -> Order:
    """The order in a request's JSON, or a refusal that names the key that is wrong."""
    order: Mapping[str, object] = body if isinstance(body, dict) else {}
    reference, sender = order.get("reference"), order.get("from")
    if not isinstance(reference, str) or not re.fullmatch(r"[\x21-\x7e]{1,100}", reference):
        raise CallRefused(400, "'reference' must be 1 to 100 printable ASCII characters.")
    if not isinstance(sender, str) or not _SENDER.fullmatch(sender):
        raise CallRefused(400, "'from' must be a telephone number or a name of at most 11 letters and digits.")
    phone = e164(order.get("to"))
    try:
        encoding = Encoding(str(order.get("encoding")))
    except ValueError:
        raise CallRefused(400, "'encoding' must be gsm7 or ucs2.") from None
    shift = _read_shift(order.get("shift"), encoding)
    flash = order.get("flash", False)
    if not isinstance(flash, bool):
        raise CallRefused(400, "'flash' must be true or false.")
    segments = _read_segments(order.get("segments"), encoding, shift)
    return Order(reference, sender, phone, encoding, segments, shift=shift, flash=flash)


def _read_shift(value: object, encoding: Encoding) -> Shift | None:
    if value is None:
        return None
    try:
        shift = Shift.parse(str(value))
    except ValueError:
        raise CallRefused(400, "'shift' must name national tables, as in turkish:single+locking.") from None
    if encoding is not Encoding.GSM7:
        raise CallRefused(400, "'shift' is for gsm7 alone.")
    return shift


def _read_segments(value: object, encoding: Encoding, shift: Shift | None) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= 255:
        raise CallRefused(400, "'segments' must be a list of 1 to 255 hexadecimal strings.")
    try:
        segments = tuple(bytes.fromhex(segment) for segment in value)
    except (TypeError, ValueError):
        raise CallRefused(400, "'segments' must be a list of 1 to 255 hexadecimal strings.") from None
    size = header.size(shift, is_part=len(segments) > 1)
    room = header.septets(size) if encoding is Encoding.GSM7 else header.OCTETS - size
    if any(len(segment) > room for segment in segments):
        raise CallRefused(400, "A segment is longer than an SMS can be.")
    if encoding is Encoding.GSM7 and any(octet > 0x7F for segment in segments for octet in segment):
        raise CallRefused(400, "A gsm7 segment holds one septet per octet, 00 to 7f.")
    return segments


class Network:
    """The network over one record. Whatever is answered was committed before."""

    def __init__(self, record: Record, callbacks: Callbacks, events: Events) -> None:
        self._record = record
        self._callbacks = callbacks
        self._events = events

    async def submit(self, order: Order) -> Answer:
        """Take a message, or not, as the phone's fate wants it. The same reference twice makes two texts."""
        fate = fates.fate_of(order.phone)
        if fate is Fate.UNKNOWN_SUBSCRIBER:
            return Answer(422, {"error": "unknown_subscriber"}, {})
        if fates.may_be_turned_away(fate) and fates.is_turned_away(fate, await self._record.count_try(order.reference)):
            if fate is Fate.THROTTLED:
                return Answer(429, {"error": "throttled"}, {"Retry-After": "1"})
            return Answer(503, {"error": "unreachable"}, {})
        message_id = await self._take(order, fate)
        if fate is Fate.SLOW:
            await asyncio.sleep(fates.ANSWER_DELAY)
        return Answer(201, {"id": message_id}, {}, broken=fates.breaks_connection(fate))

    async def reply(self, phone: str, text: object, to: object, answers: object = None, media: object = None) -> str:
        """Let a phone write `text` to the number `to`, or to the one that texted it last; gives the SMS its id.

        The bridge is told that it answers the text of the id `answers`, which the phone must have. With `media`, a list
        of files, it is an MMS.
        """
        files = _read_media(media)
        if not isinstance(text, str) or len(text) > LONGEST_REPLY or not (text.strip() or files):
            raise CallRefused(400, f"'text' must hold 1 to {LONGEST_REPLY} characters.")
        recipient = await self._last_sender(phone) if to is None else e164(to)
        linked = {} if answers is None else {"answers": await self._shown(phone, answers)}
        now = clock.now()
        reply = StoredReply(clock.new_id(), phone, recipient, _whole(text), now.isoformat())
        event = {"event_id": reply.id, "from": phone, "to": recipient, "text": reply.text, "time": reply.sent_at}
        named = {"media": [file.id for file in files]} if files else {}
        callback = NewCallback(phone, "inbound", json.dumps(event | linked | named), now.timestamp())
        await self._record.add_reply(reply, files, callback)
        self._callbacks.wake()
        self._events.publish("phone", phone)
        return reply.id

    async def switch(self, phone: str, *, on: bool) -> None:
        """Switch a phone off, so that what is for it waits in the network, or on again."""
        if on:
            now = clock.now()
            await self._record.switch_on(phone, lambda message: _receipt(message, now, fates.DELIVERY))
            self._callbacks.wake()
        else:
            await self._record.switch_off(phone)
        self._events.publish("phone", phone)

    async def take_back(self, message_id: str) -> Answer:
        """Forget a message that waits for its phone: as if the sender had thought better of it in time."""
        taken_back = await self._record.take_back(message_id)
        if taken_back is None:
            return Answer(404, {"error": "unknown_message"}, {})
        return Answer(200, {"status": "cancelled"}, {}) if taken_back else Answer(409, {"error": "too_late"}, {})

    async def _last_sender(self, phone: str) -> str:
        shown = [message for message in await self._record.messages(phone) if message.shown]
        if not shown:
            raise CallRefused(409, "Nobody has texted this phone yet. Say under 'to' which number it writes to.")
        if not _E164.fullmatch(shown[-1].sender):
            raise CallRefused(409, "The last text came from a name, which cannot be answered. Say 'to' whom.")
        return shown[-1].sender

    async def _shown(self, phone: str, message_id: object) -> str:
        """The id of a text that this phone shows."""
        shown = [message.id for message in await self._record.messages(phone) if message.shown]
        if message_id not in shown:
            raise CallRefused(400, "'answers' must be the id of a text that this phone has.")
        return str(message_id)

    async def _take(self, order: Order, fate: Fate) -> str:
        now = clock.now()
        message = StoredMessage(
            id=order.id or clock.new_id(),
            reference=order.reference,
            sender=order.sender,
            phone=order.phone,
            text=order.text,
            encoding=order.encoding.value,
            segments=len(order.segments),
            shown=fates.reaches_phone(fate),
            received_at=now.isoformat(),
            shift=order.shift.language.value if order.shift is not None else "",
            flash=order.flash,
        )
        receipts = [_receipt(message, now, receipt) for receipt in fates.receipts_of(fate)]
        with self._callbacks.acceptance(message.id) as accepted:
            is_on = await self._record.add_message(message, receipts)
            self._callbacks.wake()
            self._events.publish("phone", order.phone)
            if fate is Fate.EARLY_RECEIPT and is_on:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(accepted.wait(), _EARLY_RECEIPT_WAIT)
        return message.id


def _read_media(value: object) -> Sequence[StoredMedia]:
    """The files in a request's JSON, each with a type and its content in base64."""
    if value is None:
        return ()
    try:
        if isinstance(value, list) and 1 <= len(value) <= MOST_FILES:
            types = [str(file["type"]) for file in value]
            contents = [base64.b64decode(file["data"], validate=True) for file in value]
            if all(_MEDIA_TYPE.fullmatch(each) for each in types):
                return [StoredMedia(clock.new_id(), *each) for each in zip(types, contents, strict=True)]
    except (KeyError, TypeError, ValueError):
        pass
    remedy = 'must be a list of 1 to 10 files: {"type": "image/jpeg", "data": "…"}, with the content in base64.'
    raise CallRefused(400, f"'media' {remedy}")


def _receipt(message: StoredMessage, taken_at: datetime, planned: PlannedReceipt) -> NewCallback:
    moment = taken_at + timedelta(seconds=planned.delay)
    event = {
        "event_id": clock.new_id(),
        "id": message.id,
        "reference": message.reference,
        "status": planned.status,
        "error": planned.error,
        "phone": message.phone,
        "sender": message.sender,
        "time": moment.isoformat(),
    }
    return NewCallback(lane=message.id, hook="receipts", body=json.dumps(event), due_at=moment.timestamp())


def _whole(text: str) -> str:
    """`text` with half surrogate pairs, which JSON can carry and a database cannot, as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
