"""Words a calendar invitation as the text of an SMS, in the language and time zone of the mailbox; after the parser."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from bridge.notices.wording import WORDINGS, Wording
from bridge.types import Invitation, Language


def summary(invitation: Invitation, language: Language, timezone: str) -> str:
    """What, when and where, on a line each; `timezone` is an IANA name."""
    wording = WORDINGS[language]
    title = invitation.title or wording.say("invitation.untitled")
    when = _when(wording, invitation, ZoneInfo(timezone))
    lines = [
        wording.say("invitation.cancelled" if invitation.cancelled else "invitation.invited", title=title),
        wording.say("invitation.repeats", when=when) if invitation.repeats else when,
        invitation.place,
    ]
    return "\n".join(line for line in lines if line)


def _when(wording: Wording, invitation: Invitation, zone: ZoneInfo) -> str:
    start = _local(invitation.start, zone)
    end = _local(invitation.end, zone) if invitation.end is not None else None
    if isinstance(start, datetime) and isinstance(end, datetime) and start.date() == end.date():
        return _said(wording, start, f"{start:%H:%M}-{end:%H:%M}")
    moments = (start,) if end is None else (start, end)
    return " - ".join(
        _said(wording, moment, f"{moment:%H:%M}" if isinstance(moment, datetime) else "") for moment in moments
    )


def _local(moment: datetime | date, zone: ZoneInfo) -> datetime | date:
    """The moment in `zone`; a day, and a time without a zone, are the same everywhere."""
    return moment.astimezone(zone) if isinstance(moment, datetime) and moment.tzinfo is not None else moment


def _said(wording: Wording, day: date, time: str) -> str:
    month = wording.months[day.month - 1]
    if time:
        return wording.say("date", day=day.day, month=month, year=day.year, time=time)
    return wording.say("invitation.day", day=day.day, month=month, year=day.year)
