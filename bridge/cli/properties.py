"""What the properties of a mailbox look like on the command line: each is read, or refused in a sentence."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import available_timezones

import typer

from bridge.errors import Refusal, UsageError
from bridge.types import CutRule, GrammarName, Spoken
from bridge.types.digest import MOST_ADDRESSES

NOTHING = ("none",)
"""What is written to empty a list; typer takes an empty list for one that was not named."""

_RECIPIENT = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_HOUR = re.compile(r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_LONGEST_MARK = 40
_STOPS = ".,;:!?\N{HORIZONTAL ELLIPSIS})]'\"\N{RIGHT SINGLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
"""What sentences end with."""


def checked(read: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """What typer calls for an option: `read` turns the word into the value, unless there is no word."""

    def callback(word: str | None) -> str | None:
        return None if word is None else read(word)

    return callback


def each(
    read: Callable[[str], str], *, may_be_empty: bool = False
) -> Callable[[Sequence[str] | None], tuple[str, ...] | None]:
    """What typer calls for an option that may be repeated; None when it was not named."""

    def callback(words: Sequence[str] | None) -> tuple[str, ...] | None:
        if not words:
            return None
        if may_be_empty and tuple(words) == NOTHING:
            return NOTHING
        return tuple(dict.fromkeys(read(word) for word in words))

    return callback


def login(word: str) -> str:
    """A login, in lower case."""
    if not _is_address(word) or word.startswith("@"):
        raise UsageError(f"{word} is not a mail address. A login is one, such as clinic@example.com.")
    return word.lower()


def sender(word: str) -> str:
    """A sender number in E.164."""
    return _number("--sender", word)


def pooled(word: str) -> str:
    """A further sender number in E.164."""
    return _number("--pool", word)


def _number(option: str, word: str) -> str:
    from bridge.sms.numbers import read_number

    try:
        number = read_number(word, "ZZ")
    except Refusal as error:
        raise UsageError(f"{option} {word} is not a number with its country code, such as +390200000001.") from error
    return number.e164


def country(word: str) -> str:
    """An ISO 3166 country code in capitals."""
    import phonenumbers

    if word.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise UsageError(f"{word} is not a country code of two letters, such as IT.")
    return word.upper()


def timezone(word: str) -> str:
    """An IANA time zone."""
    if word not in available_timezones():
        raise UsageError(f"--timezone {word} is not known. Write it as Europe/Rome.")
    return word


def spoken(word: str) -> Spoken:
    """A language in which the bridge understands phones."""
    known = {language.value: language for language in Spoken}
    if word.lower() not in known:
        raise UsageError(f"--phones-speak {word} is not known. There are {', '.join(known)}.")
    return known[word.lower()]


def address(word: str) -> str:
    """`name@domain`, or `@domain` for a whole domain, in lower case."""
    if not _is_address(word):
        raise UsageError(f"--address {word} is neither name@domain nor @domain.")
    return word.lower()


def network(word: str) -> str:
    """A network in CIDR form."""
    try:
        return str(ipaddress.ip_network(word))
    except ValueError as error:
        raise UsageError(f"--network {word} is not a network. Write it as 10.0.5.0/24 or 10.0.5.7/32.") from error


def hyphened(rule: CutRule) -> str:
    """A rule as the command line writes it: `contact-details`."""
    return rule.value.replace(" ", "-")


def cut_rule(word: str) -> str:
    """A rule of cutting by its name, as `types.CutRule` writes it."""
    known = {hyphened(rule): rule.value for rule in CutRule}
    found = known.get(word.lower().replace(" ", "-"))
    if found is None:
        raise UsageError(f"--keep-cut {word} is no rule. There are {', '.join(known)}.")
    return found


def end_mark(word: str) -> str:
    """A mark that ends a text, and that no line of a letter ends with by chance."""
    mark = word.strip()
    if not mark or not mark.isprintable():
        raise UsageError("An --end-mark that is blank would end every text. Give one such as ==end==.")
    if len(mark) > _LONGEST_MARK:
        raise UsageError(f"--end-mark {mark[:20]}... has more than {_LONGEST_MARK} characters. Give a shorter one.")
    if mark.isdecimal() or (len(mark) == 1 and mark.isalnum()):
        raise UsageError(
            f"--end-mark {mark} would end a text at any line that ends with it, such as one with an hour or a number. "
            "Give one such as ==end==."
        )
    if not mark.strip(_STOPS):
        raise UsageError(
            f"--end-mark {mark} would end a text at its first sentence. Give one that no sentence ends with, such as "
            "==end==."
        )
    return mark


def grammar(word: str) -> str:
    """The name of another service, or `none`."""
    name = word.lower()
    if name not in {*GrammarName, *NOTHING}:
        raise UsageError(f"--grammar {word} is not known. There are {', '.join(GrammarName)}, and none.")
    return name


def forwarded(word: str) -> str:
    """A mail address that gets an SMS besides its mailbox."""
    if not _RECIPIENT.fullmatch(word.lower()):
        raise UsageError(f"--forward {word} is not a mail address. Write one such as desk@example.com.")
    return word


def webhook(word: str) -> str:
    """The address that an SMS is posted to. The refusal does not repeat it: it may hold a password."""
    from bridge.webhook import why_no_webhook

    why = why_no_webhook(word)
    if why is not None:
        raise UsageError(f"The address of --webhook {why}. Write one such as https://example.com/sms.")
    return word


def digest_to(word: str) -> str:
    """Mail addresses in lower case, with commas between them; nothing for nobody."""
    if word.strip().lower() in ("", *NOTHING):
        return ""
    addresses = tuple(dict.fromkeys(each.strip().lower() for each in word.split(",")))
    for each in addresses:
        if not _RECIPIENT.fullmatch(each):
            raise UsageError(
                f"--digest-to {each} is not a mail address. Write addresses with commas between them, such as "
                "desk@example.com,manager@example.com."
            )
    if len(addresses) > MOST_ADDRESSES:
        raise UsageError(f"--digest-to takes at most {MOST_ADDRESSES} addresses. Name a mailing list instead.")
    return ",".join(addresses)


def digest_at(word: str) -> str:
    """An hour of the day, `18:00`."""
    if not _HOUR.fullmatch(word):
        raise UsageError(f"--digest-at {word} is not an hour of the day. Write it as 18:00.")
    return word.zfill(5)


def password(file: Path | None) -> str:
    """The password in `file`, on standard input for `-`, or asked for; without the line break at its end."""
    if file is None:
        if not sys.stdin.isatty():
            raise UsageError("Nobody is there to ask for the password. Name a file with --password-file FILE.")
        word: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        try:
            raw = sys.stdin.buffer.readline() if str(file) == "-" else file.read_bytes()
            word = raw.decode("utf-8").rstrip("\r\n")
        except OSError as error:
            raise UsageError(f"The password cannot be read from {file}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"The password in {file} is not UTF-8 text. Save it as UTF-8.") from error
    if not word:
        raise UsageError("The password is empty. Give one.")
    return word


def _is_address(word: str) -> bool:
    _, at, domain = word.rpartition("@")
    return bool(at) and "." in domain.strip(".") and word.isprintable() and " " not in word
