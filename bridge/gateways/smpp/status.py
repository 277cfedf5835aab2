"""What a command status of an SMSC means for a message and for a bind; pure.

Source: SMPP 3.4 section 5.1.3, SMPP 5.0 section 4.7.6. A status other than 0 says that the SMSC did not take the
message. Four of them, with which gateways in front of networks also report that something behind them did not
answer, leave it open: the message may be on its way.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.errors import Reason
from bridge.types import Outcome, OutcomeKind

OK = 0x00
INVALID_COMMAND_ID = 0x03
WRONG_BIND_STATE = 0x04
INVALID_MESSAGE_ID = 0x0C
WRONG_PASSWORD = 0x0E
CANCEL_FAILED = 0x11
TRY_AGAIN = 0x64
"""ESME_RX_T_APPN: we could not keep it now; the SMSC sends it again."""
NEVER_AGAIN = 0x65
"""ESME_RX_P_APPN: we can never make sense of it."""
UNKNOWN_ERROR = 0xFF

_NAMES: Mapping[int, str] = {
    0x01: "ESME_RINVMSGLEN",
    0x02: "ESME_RINVCMDLEN",
    0x03: "ESME_RINVCMDID",
    0x04: "ESME_RINVBNDSTS",
    0x05: "ESME_RALYBND",
    0x06: "ESME_RINVPRTFLG",
    0x07: "ESME_RINVREGDLVFLG",
    0x08: "ESME_RSYSERR",
    0x0A: "ESME_RINVSRCADR",
    0x0B: "ESME_RINVDSTADR",
    0x0C: "ESME_RINVMSGID",
    0x0D: "ESME_RBINDFAIL",
    0x0E: "ESME_RINVPASWD",
    0x0F: "ESME_RINVSYSID",
    0x11: "ESME_RCANCELFAIL",
    0x14: "ESME_RMSGQFUL",
    0x15: "ESME_RINVSERTYP",
    0x43: "ESME_RINVESMCLASS",
    0x45: "ESME_RSUBMITFAIL",
    0x48: "ESME_RINVSRCTON",
    0x49: "ESME_RINVSRCNPI",
    0x50: "ESME_RINVDSTTON",
    0x51: "ESME_RINVDSTNPI",
    0x53: "ESME_RINVSYSTYP",
    0x58: "ESME_RTHROTTLED",
    0x61: "ESME_RINVSCHED",
    0x62: "ESME_RINVEXPIRY",
    0x64: "ESME_RX_T_APPN",
    0x65: "ESME_RX_P_APPN",
    0x66: "ESME_RX_R_APPN",
    0xC0: "ESME_RINVTLVSTREAM",
    0xC1: "ESME_RTLVNOTALLWD",
    0xC2: "ESME_RINVTLVLEN",
    0xC3: "ESME_RMISSINGTLV",
    0xC4: "ESME_RINVTLVVAL",
    0xFE: "ESME_RDELIVERYFAILURE",
    0xFF: "ESME_RUNKNOWNERR",
    0x100: "ESME_RSERTYPUNAUTH",
    0x101: "ESME_RPROHIBITED",
    0x102: "ESME_RSERTYPUNAVAIL",
    0x103: "ESME_RSERTYPDENIED",
    0x104: "ESME_RINVDCS",
    0x105: "ESME_RINVSRCADDRSUBUNIT",
    0x106: "ESME_RINVDSTADDRSUBUNIT",
}
_THROTTLED = frozenset({0x14, 0x58})
_WRONG_STATE = frozenset({WRONG_BIND_STATE})
_OPEN = frozenset({0x08, TRY_AGAIN, 0xFE, UNKNOWN_ERROR})
_REASONS: Mapping[int, Reason] = {
    0x0A: Reason.SENDER_REFUSED,
    0x48: Reason.SENDER_REFUSED,
    0x49: Reason.SENDER_REFUSED,
    0x0B: Reason.UNKNOWN_SUBSCRIBER,
    0x50: Reason.UNKNOWN_SUBSCRIBER,
    0x51: Reason.UNKNOWN_SUBSCRIBER,
    0x62: Reason.VALIDITY_EXPIRED,
    0x101: Reason.BARRED,
    0x104: Reason.UNENCODABLE,
}
_LOGIN: Mapping[int, str] = {
    0x05: "it says that this account is bound already; another program may use the account, or it allows fewer binds",
    0x0D: "it refuses the bind; ask the provider whether this address may connect and how many binds are allowed",
    0x0E: "it does not know the password; check secret",
    0x0F: "it does not know the account; check account",
    0x53: "it does not know the system type; check options.system_type",
}


def name(status: int) -> str:
    """The status as the specification calls it."""
    return _NAMES.get(status, f"status 0x{status:08x}")


def is_throttling(status: int) -> bool:
    """Whether an SMSC says that it had too much."""
    return status in _THROTTLED


def outcome(status: int) -> Outcome:
    """What came of a message that was answered with a status other than `OK`."""
    if status in _THROTTLED:
        return Outcome(OutcomeKind.THROTTLED, diagnostic=name(status))
    if status in _WRONG_STATE:  # the bind is not what we take it for; another one may be
        return Outcome(OutcomeKind.UNREACHABLE, diagnostic=name(status))
    if status in _OPEN:
        return Outcome(OutcomeKind.UNKNOWN, diagnostic=name(status))
    return Outcome(OutcomeKind.REJECTED, reason=_REASONS.get(status), diagnostic=name(status))


def bind_sentence(status: int) -> str:
    """Why a bind was refused, for the operator."""
    return _LOGIN.get(status, f"it refuses the bind with {name(status)}")
