"""The one place that masks telephone numbers and secrets before anything reaches a log.

Nobody else writes a log line: `configure` puts the mask at the end of structlog's chain and of the handler that
carries the logs of every library. Three rules stand beside the mask:

* Texts of messages are never given to a logger.
* An exception shows its type and the places it passed, never its message, which may hold what a stranger wrote.
  Only a `BridgeError` may speak, since its `detail` is written for the log.
* Libraries are heard from `warning` upwards and without the values they put into their lines; their lower lines
  hold mail commands, web addresses and SQL parameters.

Numbers (int, float, bool) pass as they are: ports, sizes and durations belong in the log, telephone numbers are text.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from ipaddress import ip_address
from pathlib import PurePath
from traceback import walk_tb
from types import TracebackType
from typing import Any
from urllib.parse import quote

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from bridge.errors import BridgeError

LONGEST_VALUE = 2000
"""Characters of one value that a log line holds at most."""

DEEPEST_VALUE = 5
"""Levels of lists and tables inside one value."""

SHORTEST_SECRET = 6
"""Secrets below this length are left alone: masking every `a` would leave no log."""

_KEEP = (
    r"(?<![0-9A-Za-z])(?:"
    r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?"  # RFC 3339 timestamp
    r"|01(?=[0-9]*[a-z])[0-9a-hjkmnp-tv-z]{24}"  # our own ids
    r")(?![0-9A-Za-z])"
)
_SEPARATOR = (
    r"(?:[^\S\r\n]|[-./()_\[\]\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2069\u2212\ufeff]"
    r"|%(?:20|28|29|2[DdEeFf]|[Cc]2%[Aa]0)|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})"
)
_PLUS = r"(?:[+\uff0b]|%2[Bb]|&#43;)"
_LOOKALIKE = re.compile(
    rf"(?P<keep>{_KEEP})|(?P<plus>{_PLUS}{_SEPARATOR}{{0,2}})?(?P<digits>\d(?:{_SEPARATOR}{{0,4}}\d){{6,}})"
)
_SEPARATORS = re.compile(_SEPARATOR)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_secrets: re.Pattern[str] | None = None
_configured: tuple[str, ...] = ()
_changing: dict[str, str] = {}


def mask(text: str) -> str:
    """`text` with everything that looks like a telephone number (7 digits or more) cut to `+39…67`.

    Known secrets become `[secret]`. The bridge's own ids and RFC 3339 timestamps stay.
    """
    if _secrets is not None:
        text = _secrets.sub("[secret]", text)
    return _LOOKALIKE.sub(_masked, text)


def mask_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The mask as a step of structlog's chain. Under the key `peer` an IP address stays readable."""
    return {mask(key): value if key == "peer" and _is_address(value) else _value(value) for key, value in event.items()}


def describe(error: BaseException) -> str:
    """An exception for the log: types and places along the chain of causes, never a value."""
    told: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        told.append(f"{_name(current)} at {' > '.join(_places(current.__traceback__)) or 'no place'}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "; from ".join(told)


def configure(level: str, format: str, secrets: Iterable[str] = ()) -> None:
    """Send every log line of the process, masked, to standard error.

    `level` is `debug`, `info`, `warning` or `error`; `format` is `json` or `text`; `secrets` are values that no line
    may hold. Uncaught exceptions become log lines too.
    """
    _remember(secrets)
    write = _StandardError()
    chain: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _describe_exception,
        mask_event,
        _in_order,
        structlog.processors.JSONRenderer(ensure_ascii=False) if format == "json" else _render_text,
    ]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *chain],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: write,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_LibraryHandler(write, chain)], level=logging.WARNING, force=True)
    logger: FilteringBoundLogger = structlog.get_logger()
    sys.excepthook = lambda _, error, __: logger.error("process.crashed", exc_info=error)
    threading.excepthook = lambda crash: logger.error("thread.crashed", exc_info=crash.exc_value)


def keep_secret(name: str, secret: str) -> None:
    """Let no line hold `secret` from now on: one that changes while the process runs, and takes the place of the last
    that was kept under this name."""
    if _changing.get(name) != secret:
        _changing[name] = secret
        _remember(_configured)


class _StandardError:
    """Writes whole lines to wherever standard error leads at that moment."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = msg


class _LibraryHandler(logging.Handler):
    """Puts the records of libraries on the same chain; of a record only the first line of its template is told."""

    def __init__(self, write: _StandardError, chain: Sequence[Processor]) -> None:
        super().__init__()
        self._write = write
        self._chain = chain

    def emit(self, record: logging.LogRecord) -> None:
        first_line = str(record.msg).partition("\n")[0] if isinstance(record.msg, str) else type(record.msg).__name__
        line: Any = {"event": first_line, "library": record.name, "exc_info": record.exc_info}
        for step in self._chain:
            line = step(self._write, record.levelname.lower(), line)
        self._write.msg(line)


def _remember(secrets: Iterable[str]) -> None:
    global _secrets, _configured  # one process, one log
    _configured = tuple(secrets)
    spellings = {
        spelling
        for secret in (*_configured, *_changing.values())
        if len(secret) >= SHORTEST_SECRET
        for spelling in (secret, quote(secret, safe=""))
    }
    longest_first = sorted(spellings, key=len, reverse=True)
    _secrets = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def _masked(match: re.Match[str]) -> str:
    if match["keep"]:
        return match["keep"]
    digits = _SEPARATORS.sub("", match["digits"])
    return f"+{digits[:2]}…{digits[-2:]}" if match["plus"] else f"…{digits[-2:]}"


def _value(value: object, depth: int = 0) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            masked = mask(value)
            return masked if len(masked) <= LONGEST_VALUE else masked[:LONGEST_VALUE] + "…"
        case datetime() | date():
            return value.isoformat()
        case PurePath():
            return mask(str(value))
        case bytes() | bytearray():
            return f"{len(value)} bytes"
        case BaseException():
            return mask(_name(value))
        case Mapping() if depth < DEEPEST_VALUE:
            return {mask(str(key)): _value(held, depth + 1) for key, held in value.items()}
        case list() | tuple() | set() | frozenset() if depth < DEEPEST_VALUE:
            return [_value(held, depth + 1) for held in value]
        case _:
            return type(value).__name__


def _is_address(value: object) -> bool:
    try:
        ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _name(error: BaseException) -> str:
    name = type(error).__name__
    if isinstance(error, BridgeError):
        return f"{name} ({error.detail})"
    if isinstance(error, BaseExceptionGroup):
        return f"{name} of {', '.join(_name(part) for part in error.exceptions)}"
    if isinstance(error, OSError) and error.errno is not None:
        return f"{name} errno {error.errno}"
    return name


def _places(traceback: TracebackType | None) -> list[str]:
    return [
        f"{'/'.join(PurePath(frame.f_code.co_filename).parts[-2:])}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(traceback)
    ]


def _describe_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    held = event.pop("exc_info", None)
    if held is True:
        held = sys.exc_info()
    error = held[1] if isinstance(held, tuple) else held
    if isinstance(error, BaseException):
        event["error"] = describe(error)
    return event


def _in_order(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {"time": event.pop("time"), "level": event.pop("level"), "event": event.pop("event", ""), **event}


def _render_text(_: WrappedLogger, __: str, event: EventDict) -> str:
    time, level, name = event.pop("time"), event.pop("level"), event.pop("event")
    rest = " ".join(f"{key}={_plain(value)}" for key, value in event.items())
    return _CONTROL.sub(" ", f"{time} {level:<7} {name} {rest}".rstrip())


def _plain(value: object) -> str:
    if isinstance(value, str) and value and not re.search(r"[\s\"=]", value):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
