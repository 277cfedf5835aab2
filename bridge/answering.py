"""What the bridge texts a phone by itself, and when it stays silent: asked by intake for every SMS. Pure.

A phone that texts STOP, START or HELP gets one text, and so does one whose SMS begins with a keyword of its mailbox.
Who writes while his mailbox is closed may be told so, and who answers nobody what to expect; once a day.

Two machines that answer each other must come to an end, so to one phone from one number no more than a few such texts
leave within a day, and never one in answer to our own words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.errors import RecipientRefusal
from bridge.meaning import Command, Meaning
from bridge.meaning.spoken import folded
from bridge.notices.wording import answer_to_order
from bridge.policy.destinations import check_destination
from bridge.routing import Routes, Trip
from bridge.settings import ConfirmOrders
from bridge.sms.encoding import encode
from bridge.sms.numbers import read_number
from bridge.types import (
    NO_OPTIONS,
    AutomaticKind,
    AutomaticText,
    Door,
    Envelope,
    InboundSms,
    Intent,
    Keyword,
    Language,
    Mailbox,
    MessageClass,
    NewMail,
    NewMessage,
    Priority,
    Recipient,
    Submission,
    UnicodePolicy,
)

WINDOW = timedelta(days=1)
"""How far back texts are counted. An SMS that is older than this when it becomes known is not answered either."""

PROMPT = timedelta(minutes=5)
"""A confirmation that leaves within this time of its STOP is presumed to be welcome (47 CFR 64.1200(a)(12)); later none
does."""

WAITS = timedelta(hours=1)
"""How long any other answer may wait for its gateway: after that nobody remembers what it answers."""

_KINDS = {Command.STOP: AutomaticKind.STOP, Command.START: AutomaticKind.START, Command.HELP: AutomaticKind.HELP}
_PROVIDERS_SPEAK = ("", Language.ENGLISH)
"""Providers that answer orders know those of all languages and those in English."""
_ONCE = (AutomaticKind.CLOSED, AutomaticKind.UNPROMPTED)
"""What a phone that goes on writing is told once within `WINDOW`."""


@dataclass(frozen=True, slots=True)
class Manners:
    """What the operator wants answered."""

    limit: int
    """Texts to one phone from one number within `WINDOW`."""
    orders: ConfirmOrders
    answered_by: frozenset[str] = frozenset()
    """Gateways whose providers answer orders themselves."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An SMS, and what it is to the mailbox that gets it."""

    sms: InboundSms
    mailbox: Mailbox
    meant: Meaning
    keyword: Keyword | None
    """The word of the mailbox's that it begins with."""
    prompted: bool
    """The phone answers a text, or the mailbox has texted it lately."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """A text that would be right, if nothing speaks against it."""

    kind: AutomaticKind
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that speaks for or against it."""

    sms: InboundSms
    mailbox: Mailbox
    blocked: bool
    """Before this SMS the phone had asked the number for no more texts."""
    texts: Sequence[AutomaticText]
    """What was sent by itself to this phone from this number, or withheld, within `WINDOW`."""
    used: int
    """Messages of the mailbox today, if it has a daily cap."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it leaves; if not, whether the mailbox is to be told."""

    leaves: bool
    told: bool = False


def wish(heard: Heard, manners: Manners) -> Wish | None:
    """The text that an SMS asks for: an order in its own language or else that of the mailbox; else what the mailbox
    says to its keyword, to whoever writes while it is closed or answers nobody. Whoever asks for no more texts
    gets none."""
    if heard.meant.command is not None:
        return _confirmation(heard, heard.meant.command, manners)
    if heard.meant.objection:
        return None
    if heard.keyword is not None and heard.keyword.reply:
        return Wish(AutomaticKind.KEYWORD, heard.keyword.reply)
    greetings = heard.mailbox.greetings
    # A plain yes expects no answer, whatever the hour.
    if _is_closed(heard) and greetings.closed and heard.meant.intent is not Intent.CONFIRM:
        return Wish(AutomaticKind.CLOSED, greetings.closed)
    unprompted = not heard.prompted and heard.keyword is None
    return Wish(AutomaticKind.UNPROMPTED, greetings.unprompted) if unprompted and greetings.unprompted else None


def _is_closed(heard: Heard) -> bool:
    """Whether the mailbox is closed when it hears of the SMS, whenever that was written."""
    hours = heard.mailbox.greetings.hours
    return hours is not None and not hours.open_at(heard.now, heard.mailbox.timezone)


def _confirmation(heard: Heard, command: Command, manners: Manners) -> Wish | None:
    if manners.orders is ConfirmOrders.NEVER:
        return None
    provider_answers = heard.sms.gateway in manners.answered_by and heard.meant.language in _PROVIDERS_SPEAK
    if provider_answers and manners.orders is ConfirmOrders.UNLESS_PROVIDER:
        return None
    kind = _KINDS[command]
    return Wish(kind, answer_to_order(kind, heard.meant.language, heard.mailbox.language, heard.mailbox.login))


def judge(wish: Wish, facts: Facts, manners: Manners) -> Verdict:
    """Whether a text leaves.

    STOP is confirmed once, to whoever was not blocked; START to whoever was; to a phone that is blocked nothing else
    leaves. The first confirmation of STOP leaves whatever left before it. A paused mailbox says nothing.
    """
    lifts = wish.kind is AutomaticKind.START
    answerable = PROMPT if wish.kind is AutomaticKind.STOP else WINDOW
    if facts.blocked is not lifts or facts.now - facts.sms.received_at > answerable or _is_echo(facts):
        return Verdict(False)
    sent = [each.kind for each in facts.texts if each.text is not None]
    if facts.mailbox.paused or (wish.kind in _ONCE and wish.kind in sent):
        return Verdict(False)
    is_first_stop = wish.kind is AutomaticKind.STOP and AutomaticKind.STOP not in sent
    if len(sent) >= manners.limit and not is_first_stop:
        return Verdict(False, told=len(sent) == len(facts.texts))
    bound = wish.kind not in (AutomaticKind.STOP, AutomaticKind.START)
    cap = facts.mailbox.daily_cap
    return Verdict(not (bound and cap is not None and facts.used >= cap))


def compose(wish: Wish, facts: Facts, routes: Routes, domain: str, answers: str) -> NewMail | None:
    """The text as it is put into the queue; None when there is no way to the phone, or none that the mailbox may go.

    It leaves from the number that the phone wrote to, if it can through the gateway that heard it. `answers` is the
    Message-ID of the mail that brings the SMS.
    """
    sms, mailbox, now = facts.sms, facts.mailbox, facts.now
    if not sms.to:  # the gateway does not say which number it was
        return None
    try:
        phone = read_number(sms.number, mailbox.region)
        check_destination(phone, mailbox)
    except RecipientRefusal:
        return None
    message_class = MessageClass.TRANSACTIONAL
    way = routes.choose(Trip(phone.e164, phone.region, sms.to, message_class, mailbox.login))
    if not way:
        return None
    if sms.gateway in way:
        way = (sms.gateway, *(gateway for gateway in way if gateway != sms.gateway))
    script = routes.script(way)
    message = NewMessage(
        recipient=Recipient(f"{phone.e164}@{domain}"),
        number=phone.e164,
        sender=sms.to,
        gateway=way[0],
        message_class=message_class,
        encoded=encode(wish.text, spelling(mailbox), script.tables, wide_reference=script.wide_reference),
        due_at=now,
        expires_at=_expires(wish, facts),
        report_on=frozenset(),
        stand_ins=way[1:],
        priority=Priority.HIGH,
    )
    return NewMail(
        mailbox=mailbox,
        envelope=Envelope("", now, door=Door.BRIDGE),
        submission=_submission(wish, answers),
        report_to=mailbox.login,
        reply_to=mailbox.login,
        day=today(mailbox, now),
        messages=(message,),
        at=now,
    )


def _expires(wish: Wish, facts: Facts) -> datetime:
    """Until when it may wait for its gateway; by then what it says would not be welcome, or not be true."""
    hours = facts.mailbox.greetings.hours
    if wish.kind is AutomaticKind.STOP:
        return min(facts.sms.received_at, facts.now) + PROMPT
    if wish.kind is AutomaticKind.CLOSED and hours is not None:
        return min(facts.now + WAITS, hours.next_opening(facts.now, facts.mailbox.timezone))
    return facts.now + WAITS


def spelling(mailbox: Mailbox) -> UnicodePolicy:
    """What becomes of characters outside the GSM 7-bit alphabet: nobody is there to be refused."""
    return UnicodePolicy.ALLOW if mailbox.unicode is UnicodePolicy.ALLOW else UnicodePolicy.TRANSLITERATE


def today(mailbox: Mailbox, now: datetime) -> str:
    """The day of the mailbox's daily cap: `2026-11-21`."""
    return now.astimezone(ZoneInfo(mailbox.timezone)).date().isoformat()


def _is_echo(facts: Facts) -> bool:
    """Whether the phone says what we said to it."""
    words = folded(facts.sms.text)
    return any(each.text is not None and folded(each.text) == words for each in facts.texts)


def _submission(wish: Wish, answers: str) -> Submission:
    return Submission(
        message_id=answers,
        fingerprint="",
        header_from="",
        subject="",
        references=(),
        text=wish.text,
        cuts=(),
        warnings=(),
        options=NO_OPTIONS,
        headers=b"",
    )
