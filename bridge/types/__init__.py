"""The frozen values that travel between the rooms of the bridge; they hold data and derive, they do nothing.

Every room takes them from here: in which module one stands matters to its readers alone.
"""

from bridge.types.events import GatewayEvent, HttpRequest, InboundPart, InboundSms, Receipt
from bridge.types.mail import Cut, Door, Envelope, Invitation, Notify, Options, Recipient, Ret, Submission
from bridge.types.mailbox import Confirm, Language, Mailbox, UnicodePolicy
from bridge.types.money import CREDITS, Money
from bridge.types.notices import FiledKind, Match, OutgoingMail, ReplyNotice, Report, ReportLine, SentText
from bridge.types.rates import NO_LIMIT, Rates
from bridge.types.sms import Encoded, Encoding, MessageClass, OutboundSms, Outcome, OutcomeKind
from bridge.types.states import MAY_BECOME, SETTLED, MessageState
from bridge.types.taken import Destination, NewMail, NewMessage

__all__ = [
    "CREDITS",
    "MAY_BECOME",
    "NO_LIMIT",
    "SETTLED",
    "Confirm",
    "Cut",
    "Destination",
    "Door",
    "Encoded",
    "Encoding",
    "Envelope",
    "FiledKind",
    "GatewayEvent",
    "HttpRequest",
    "InboundPart",
    "InboundSms",
    "Invitation",
    "Language",
    "Mailbox",
    "Match",
    "MessageClass",
    "MessageState",
    "Money",
    "NewMail",
    "NewMessage",
    "Notify",
    "Options",
    "OutboundSms",
    "Outcome",
    "OutcomeKind",
    "OutgoingMail",
    "Rates",
    "Receipt",
    "Recipient",
    "ReplyNotice",
    "Report",
    "ReportLine",
    "Ret",
    "SentText",
    "Submission",
    "UnicodePolicy",
]
