"""Delivery receipts of an SMSC: from its parameters and its words to what became of which message; pure.

Sources: SMPP 3.4 appendix B (the usual words), sections 5.3.2.12 (receipted_message_id), 5.3.2.31
(network_error_code) and 5.3.2.35 (message_state); SMPP 5.0 section 4.7.15. Parameters go before words: they are
standardised, the words are a custom. Error codes of GSM networks: 3GPP TS 29.002 section 17.6.6 (local values).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from bridge.errors import Reason
from bridge.gateways.orders import code_of
from bridge.gateways.smpp.pdu import ShortMessage, Tag
from bridge.types import MessageState

_TYPE = 0x3C
_RECEIPT = 0x04
"""The bits of esm_class that tell a receipt from a message of a phone (section 5.2.12)."""

_FIELD = re.compile(r"\b(id|done[ _]?date|stat|err):([^\s:]*)(?=\s|$)", re.IGNORECASE)
_TEXT = re.compile(r"\btext:", re.IGNORECASE)
_GSM = 3
"""The network type of network_error_code for GSM."""


class IdNotation(StrEnum):
    """How an SMSC writes its message ids in submit_sm_resp and in the words of receipts."""

    SAME = "same"
    HEX_THEN_DECIMAL = "hex-then-decimal"
    DECIMAL_THEN_HEX = "decimal-then-hex"


@dataclass(frozen=True, slots=True)
class Told:
    """What a receipt tells."""

    provider_id: str
    state: MessageState | None
    """None: nothing new."""
    word: str
    """The state in the words of appendix B."""
    reason: Reason | None
    error: str
    """The network's or the SMSC's error code, without any number of a phone."""
    done: str
    """The date of the final state as it was written; empty where there is none."""


_WORDS = (
    "SCHEDULED",
    "ENROUTE",
    "DELIVRD",
    "EXPIRED",
    "DELETED",
    "UNDELIV",
    "ACCEPTD",
    "UNKNOWN",
    "REJECTD",
    "SKIPPED",
)
"""By the value of message_state."""

_STATES: Mapping[str, tuple[MessageState, Reason | None]] = {
    "DELIVRD": (MessageState.DELIVERED, None),
    "EXPIRED": (MessageState.EXPIRED, Reason.VALIDITY_EXPIRED),
    "DELETED": (MessageState.UNDELIVERED, None),
    "UNDELIV": (MessageState.UNDELIVERED, None),
    "REJECTD": (MessageState.FAILED, Reason.PROVIDER_REFUSED),
    "ENROUTE": (MessageState.SENT, Reason.ABSENT_SUBSCRIBER),
}
"""What is final, and that the SMSC goes on trying. ACCEPTD says no more than its answer, and UNKNOWN nothing."""

_NETWORK: Mapping[int, Reason] = {
    1: Reason.UNKNOWN_SUBSCRIBER,
    5: Reason.UNKNOWN_SUBSCRIBER,
    6: Reason.ABSENT_SUBSCRIBER,
    9: Reason.BARRED,
    11: Reason.BARRED,
    13: Reason.BARRED,
    27: Reason.ABSENT_SUBSCRIBER,
}


def is_receipt(message: ShortMessage) -> bool:
    """Whether an SMSC speaks. Its words alone prove nothing: a phone can write them too."""
    return message.esm_class & _TYPE == _RECEIPT or Tag.RECEIPTED_MESSAGE_ID in message.tlvs


def is_from_phone(message: ShortMessage) -> bool:
    """Whether a message is one that a person wrote: no acknowledgement, no notification on the way."""
    return message.esm_class & _TYPE == 0


def read(message: ShortMessage, notation: IdNotation) -> Told | None:
    """What a receipt tells; None when it names no message."""
    words = _words(message.octets.decode("latin-1"))
    word = _word(message.tlvs) or words.get("stat", "").upper()
    state, reason = _STATES.get(word, (None, None))
    provider_id = _provider_id(message.tlvs, words, notation)
    if not provider_id:
        return None
    error = code_of(words.get("err", ""))
    code = message.tlvs.get(Tag.NETWORK_ERROR_CODE, b"")
    if len(code) == 3:
        value = int.from_bytes(code[1:], "big")
        error = f"network {code[0]} {value}"
        if code[0] == _GSM and state in (MessageState.UNDELIVERED, MessageState.FAILED):
            reason = _NETWORK.get(value, reason)
    return Told(provider_id, state, code_of(word), reason, error, words.get("donedate", ""))


def normal_id(written: str, base: int) -> str:
    """A message id of the given base in decimal, so that two notations of it are equal; as written where it is none."""
    try:
        return str(int(written, base)) if re.fullmatch(r"[0-9A-Fa-f]+", written) else written
    except ValueError:
        return written


def submitted_id(written: str, notation: IdNotation) -> str | None:
    """The id of a submit_sm_resp as it is kept: exactly as written, unless receipts write it otherwise."""
    if notation is not IdNotation.SAME:
        written = normal_id(written, 16 if notation is IdNotation.HEX_THEN_DECIMAL else 10)
    return written if written and len(written) <= 255 and written.isprintable() else None


def moment(written: str, zone: tzinfo) -> datetime | None:
    """A date of the words, YYMMDDhhmm with or without seconds, by the clock of the SMSC; None when it is none."""
    layout = {10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S"}.get(len(written))
    if layout is None or not written.isdecimal() or not written.isascii():
        return None
    try:
        return datetime.strptime(written, layout).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _words(written: str) -> Mapping[str, str]:
    """The fields before `text:`, behind which the beginning of the message itself stands and may say anything."""
    found: dict[str, str] = {}
    for key, value in _FIELD.findall(_TEXT.split(written, 1)[0]):
        found.setdefault(key.lower().replace(" ", "").replace("_", ""), value)
    return found


def _word(tlvs: Mapping[int, bytes]) -> str:
    value = tlvs.get(Tag.MESSAGE_STATE, b"")
    return _WORDS[value[0]] if len(value) == 1 and value[0] < len(_WORDS) else ""


def _provider_id(tlvs: Mapping[int, bytes], words: Mapping[str, str], notation: IdNotation) -> str:
    given = tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"").split(b"\0")[0].decode("latin-1")
    if given:  # written as in submit_sm_resp (section 5.3.2.12)
        return submitted_id(given, notation) or ""
    written = words.get("id", "")
    if notation is not IdNotation.SAME:
        written = normal_id(written, 10 if notation is IdNotation.HEX_THEN_DECIMAL else 16)
    return written if len(written) <= 255 and written.isprintable() else ""
