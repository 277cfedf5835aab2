"""When a mail's texts may leave and when they are worth nothing: FUTURERELEASE (RFC 4865) and DELIVERBY (RFC 2852).

Values of MAIL parameters in, moments out; a step of the front door. Both count from the MAIL command. HOLDFOR and
HOLDUNTIL mean what `X-SMS-Send-At` means, `BY=…;R` what `X-SMS-Expires` means, and go before them. Reports give both
back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bridge.smtp_syntax import BadCommand

MAX_HOLD = 31_536_000
"""Seconds that a mail may be held: a year."""

_SECONDS = re.compile(r"[1-9][0-9]{0,8}\Z", re.ASCII)
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})\Z",
    re.ASCII | re.IGNORECASE,
)
_BY = re.compile(r"([+-]?[0-9]{1,9});([RN])(T?)\Z", re.ASCII | re.IGNORECASE)

_TWO_HOLDS = "501 5.5.4 HOLDFOR and HOLDUNTIL exclude each other. Give one."
_BAD_HOLDFOR = "501 5.5.4 HOLDFOR is a number of seconds, as in HOLDFOR=3600."
_BAD_HOLDUNTIL = "501 5.5.4 HOLDUNTIL is a date with its time in UTC, as in HOLDUNTIL=2026-03-01T09:00:00Z."
_TOO_LONG = f"501 5.5.4 A mail is held for {MAX_HOLD} seconds at most. Give an earlier time."
_BAD_BY = "501 5.5.4 BY is seconds and what to do then, as in BY=3600;R."
_BY_IS_OVER = "501 5.5.4 BY with R needs a time that is still to come, as in BY=3600;R."
_OVER_BEFORE_RELEASE = "501 5.5.4 BY is over before the mail may go. Give BY more seconds, or hold the mail less long."


def offer(now: datetime) -> str:
    """What EHLO says of FUTURERELEASE: the most seconds, and the last moment (RFC 4865)."""
    return f"FUTURERELEASE {MAX_HOLD} {now + timedelta(seconds=MAX_HOLD):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class Release:
    """When a mail may go."""

    at: datetime
    asked: str
    """As a report repeats it: `for;` and the seconds, or `until;` and the moment."""


@dataclass(frozen=True, slots=True)
class DeliverBy:
    """What BY asks for."""

    at: datetime
    fails: bool
    """A text that has not arrived by then fails (by-mode R); else its sender hears that it is late (N)."""
    traced: bool
    """Its sender hears when it is handed over (by-trace T)."""
    over: bool
    """The moment had passed before: with N, whoever had the mail then has said so."""


def read_release(given: dict[str, str], now: datetime) -> Release | None:
    """The moment that HOLDFOR or HOLDUNTIL names (RFC 4865); one in the past means at once.

    A zone is taken though the RFC wants UTC, since RFC 3339 has both (erratum 2040). Raises `BadCommand`: both, neither
    seconds nor a moment, more than `MAX_HOLD` away.
    """
    hold_for, hold_until = given.get("HOLDFOR"), given.get("HOLDUNTIL")
    if hold_for is not None and hold_until is not None:
        raise BadCommand(_TWO_HOLDS)
    if hold_for is not None:
        if not _SECONDS.match(hold_for):
            raise BadCommand(_BAD_HOLDFOR)
        release = Release(now + timedelta(seconds=int(hold_for)), f"for;{hold_for}")
    elif hold_until is not None:
        release = Release(_moment(hold_until), f"until;{hold_until.upper()}")
    else:
        return None
    if release.at > now + timedelta(seconds=MAX_HOLD):
        raise BadCommand(_TOO_LONG)
    return release


def read_deliver_by(value: str, now: datetime, release: datetime | None) -> DeliverBy:
    """What `BY=` asks for (RFC 2852 section 4). Raises `BadCommand`, also where it is over before `release`.

    A time that is over is refused with by-mode R, as the RFC wants.
    """
    found = _BY.match(value)
    if found is None:
        raise BadCommand(_BAD_BY)
    seconds, fails = int(found[1]), found[2].upper() == "R"
    if fails and seconds <= 0:
        raise BadCommand(_BY_IS_OVER)
    at = now + timedelta(seconds=seconds)
    if seconds > 0 and release is not None and at <= release:
        raise BadCommand(_OVER_BEFORE_RELEASE)
    return DeliverBy(at, fails=fails, traced=bool(found[3]), over=seconds <= 0)


def _moment(value: str) -> datetime:
    if not _DATE_TIME.match(value):
        raise BadCommand(_BAD_HOLDUNTIL)
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadCommand(_BAD_HOLDUNTIL) from None
