"""The frozen values that travel between the rooms of the bridge; they hold data and derive, they do nothing.

Every room takes them from here: in which module one stands matters to its readers alone.
"""

from bridge.types.addressee import NO_WISHES, Addressee, Decided, Dialled, InTheMail, Named, Priority, Trial, Wishes
from bridge.types.automatic import AutomaticKind, AutomaticText
from bridge.types.blocks import Block, BlockKind, Ruling, RulingOutcome
from bridge.types.certificates import CertificateUse, ClientCertificate
from bridge.types.contacts import EMPTY_BOOK, AddressBook, Contact, Group
from bridge.types.digest import NO_DIGEST, Digest, DigestAnswer, DigestPlan, DigestText
from bridge.types.events import GatewayEvent, HttpRequest, InboundPart, InboundSms, Receipt
from bridge.types.grammar import GrammarName
from bridge.types.greetings import NO_GREETINGS, Greetings
from bridge.types.habits import NO_HABITS, CutRule, Habits, SubjectUse
from bridge.types.keywords import Keyword
from bridge.types.mail import NO_OPTIONS, Cut, Door, Envelope, Invitation, Notify, Options, Recipient, Ret, Submission
from bridge.types.mailbox import Confirm, Language, Mailbox, Spoken, UnicodePolicy
from bridge.types.media import NOTHING_ENCLOSED, Enclosed, MediaFile, MediaKind
from bridge.types.money import CREDITS, Money
from bridge.types.notices import (
    EarlierText,
    FiledKind,
    Hindrance,
    Intent,
    Match,
    Objection,
    OutgoingMail,
    ReplyNotice,
    Report,
    ReportLine,
    SentText,
)
from bridge.types.opening_hours import OpeningHours
from bridge.types.passwords import AppPassword, AppPasswordUse
from bridge.types.preview import Preview, PreviewNotice, PreviewRefusal
from bridge.types.rates import NO_LIMIT, Rates
from bridge.types.sms import Encoded, Encoding, MessageClass, National, OutboundSms, Outcome, OutcomeKind, Shift
from bridge.types.states import MAY_BECOME, SETTLED, MessageState
from bridge.types.taken import (
    Deferred,
    Destination,
    NewMail,
    NewMessage,
    Phone,
    Ruled,
    Target,
    Tried,
    Unreached,
    ruled_of,
)
from bridge.types.watched import Fate, Place, Turned, TurnedAway
from bridge.types.webhooks import Posting

__all__ = [
    "CREDITS",
    "EMPTY_BOOK",
    "MAY_BECOME",
    "NOTHING_ENCLOSED",
    "NO_DIGEST",
    "NO_GREETINGS",
    "NO_HABITS",
    "NO_LIMIT",
    "NO_OPTIONS",
    "NO_WISHES",
    "SETTLED",
    "AddressBook",
    "Addressee",
    "AppPassword",
    "AppPasswordUse",
    "AutomaticKind",
    "AutomaticText",
    "Block",
    "BlockKind",
    "CertificateUse",
    "ClientCertificate",
    "Confirm",
    "Contact",
    "Cut",
    "CutRule",
    "Decided",
    "Deferred",
    "Destination",
    "Dialled",
    "Digest",
    "DigestAnswer",
    "DigestPlan",
    "DigestText",
    "Door",
    "EarlierText",
    "Enclosed",
    "Encoded",
    "Encoding",
    "Envelope",
    "Fate",
    "FiledKind",
    "GatewayEvent",
    "GrammarName",
    "Greetings",
    "Group",
    "Habits",
    "Hindrance",
    "HttpRequest",
    "InTheMail",
    "InboundPart",
    "InboundSms",
    "Intent",
    "Invitation",
    "Keyword",
    "Language",
    "Mailbox",
    "Match",
    "MediaFile",
    "MediaKind",
    "MessageClass",
    "MessageState",
    "Money",
    "Named",
    "National",
    "NewMail",
    "NewMessage",
    "Notify",
    "Objection",
    "OpeningHours",
    "Options",
    "OutboundSms",
    "Outcome",
    "OutcomeKind",
    "OutgoingMail",
    "Phone",
    "Place",
    "Posting",
    "Preview",
    "PreviewNotice",
    "PreviewRefusal",
    "Priority",
    "Rates",
    "Receipt",
    "Recipient",
    "ReplyNotice",
    "Report",
    "ReportLine",
    "Ret",
    "Ruled",
    "Ruling",
    "RulingOutcome",
    "SentText",
    "Shift",
    "Spoken",
    "SubjectUse",
    "Submission",
    "Target",
    "Trial",
    "Tried",
    "Turned",
    "TurnedAway",
    "UnicodePolicy",
    "Unreached",
    "Wishes",
    "ruled_of",
]
