"""`bridge mailbox`: the users of the bridge. A running bridge notices every change within a second."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import available_timezones

import typer

from bridge.cli.shared import Config, Json, in_store, show_json
from bridge.errors import NotFound, Refusal, UsageError
from bridge.types import Confirm, Language, Mailbox, UnicodePolicy

if TYPE_CHECKING:
    from bridge.store.store import Store

app = typer.Typer(help="Add, change and list the users of the bridge.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="The mailbox's login, which is its mail address.")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="File with the password; - reads it from standard input.", show_default=False)
]
Sender = Annotated[str | None, typer.Option(help="Sender number, such as +390200000001.", show_default=False)]
Region = Annotated[
    str | None, typer.Option(help="Country of numbers written without a country code, such as IT.", show_default=False)
]
LanguageOption = Annotated[Language | None, typer.Option(help="Language of its mails.", show_default=False)]
Zone = Annotated[str | None, typer.Option(help="Time zone, such as Europe/Rome.", show_default=False)]
Addresses = Annotated[
    list[str] | None,
    typer.Option("--address", help="Address it may send from, or @domain for all of one. May be repeated."),
]
Networks = Annotated[
    list[str] | None,
    typer.Option("--network", help="Network whose machines send as it without login, such as 10.0.5.0/24."),
]
Countries = Annotated[
    list[str] | None, typer.Option("--country", help="Country it may text; its own when none is named.")
]
ConfirmOption = Annotated[Confirm | None, typer.Option(help="Which outcomes it is told.", show_default=False)]
UnicodeOption = Annotated[
    UnicodePolicy | None, typer.Option(help="What happens to characters beyond GSM 7-bit.", show_default=False)
]
MaxSegments = Annotated[int | None, typer.Option(help="SMS that one text may need.", min=1, max=255, show_default=False)]
DailyCap = Annotated[int | None, typer.Option(help="Messages a day; 0 is no cap.", min=0, show_default=False)]


@app.command()
def add(
    login: Login,
    sender: Sender = None,
    password_file: PasswordFile = None,
    region: Region = "IT",
    language: LanguageOption = Language.ENGLISH,
    timezone: Zone = "Europe/Rome",
    address: Addresses = None,
    network: Networks = None,
    country: Countries = None,
    confirm: ConfirmOption = Confirm.FAILURES,
    unicode: UnicodeOption = UnicodePolicy.ALLOW,
    max_segments: MaxSegments = 6,
    daily_cap: DailyCap = 0,
    config: Config = None,
) -> None:
    """Add a mailbox. Without --password-file the password is asked for."""
    from bridge.access.credentials import hash_password

    if sender is None:
        raise UsageError("Name the number that its texts come from with --sender, such as --sender +390200000001.")
    if "@" not in login:
        raise UsageError(f"{login} is not a mail address. A login is one, such as clinic@example.com.")
    password = "" if network and password_file is None else _password(password_file)
    empty = Mailbox(
        id="",
        organisation_id="",
        login=login.lower(),
        addresses=(),
        region="",
        countries=(),
        language=Language.ENGLISH,
        timezone="",
        sender="",
        password_hash=hash_password(password) if password else "",
    )
    mailbox = _changed(
        empty, sender, region, language, timezone, address or [], network or [], country or [region or ""],
        confirm, unicode, max_segments, daily_cap,
    )  # fmt: skip

    async def work(store: Store) -> None:
        await store.mailboxes.add(mailbox)

    in_store(config, work)
    print(f"{mailbox.login} may log in now and text from {mailbox.sender}.")


@app.command("set")
def change(
    login: Login,
    sender: Sender = None,
    password_file: PasswordFile = None,
    region: Region = None,
    language: LanguageOption = None,
    timezone: Zone = None,
    address: Addresses = None,
    network: Networks = None,
    country: Countries = None,
    confirm: ConfirmOption = None,
    unicode: UnicodeOption = None,
    max_segments: MaxSegments = None,
    daily_cap: DailyCap = None,
    config: Config = None,
) -> None:
    """Change a mailbox; what is not named stays. A list that is named replaces the old one."""
    from bridge.access.credentials import hash_password

    password = _password(password_file) if password_file is not None else None

    async def work(store: Store) -> None:
        mailbox = _changed(
            _find(store, login), sender, region, language, timezone, address, network, country,
            confirm, unicode, max_segments, daily_cap,
        )  # fmt: skip
        if password is not None:
            mailbox = replace(mailbox, password_hash=hash_password(password))
        await store.mailboxes.save(mailbox)

    in_store(config, work)
    print(f"{login} is changed.")


@app.command("list")
def show_all(config: Config = None, as_json: Json = False) -> None:
    """List every mailbox."""

    async def work(store: Store) -> list[Mailbox]:
        return store.directory.all()

    mailboxes = in_store(config, work)
    if as_json:
        show_json([_document(mailbox) for mailbox in mailboxes])
        return
    for mailbox in mailboxes:
        print(f"{mailbox.login}  {mailbox.sender}  {'paused' if mailbox.paused else 'active'}")
    if not mailboxes:
        print("There is no mailbox yet. Add one with `bridge mailbox add`.")


@app.command()
def show(login: Login, config: Config = None, as_json: Json = False) -> None:
    """Show one mailbox whole."""

    async def work(store: Store) -> Mailbox:
        return _find(store, login)

    document = _document(in_store(config, work))
    if as_json:
        show_json(document)
        return
    for name, value in document.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        print(f"{name:14} {'' if shown is None else shown}")


@app.command()
def pause(login: Login, config: Config = None) -> None:
    """Stop a mailbox: its mails are answered "try later", its queued messages wait."""
    _set_paused(config, login, paused=True)
    print(f"{login} is paused. `bridge mailbox resume {login}` lets it send again.")


@app.command()
def resume(login: Login, config: Config = None) -> None:
    """Let a paused mailbox send again."""
    _set_paused(config, login, paused=False)
    print(f"{login} sends again.")


@app.command()
def remove(login: Login, config: Config = None) -> None:
    """Remove a mailbox that never sent anything; pause one that did."""

    async def work(store: Store) -> None:
        await store.mailboxes.remove(_find(store, login).login)

    in_store(config, work)
    print(f"{login} is removed.")


def _set_paused(config: Path | None, login: str, *, paused: bool) -> None:
    async def work(store: Store) -> None:
        await store.mailboxes.save(replace(_find(store, login), paused=paused))

    in_store(config, work)


def _find(store: Store, login: str) -> Mailbox:
    mailbox = store.directory.by_login(login)
    if mailbox is None:
        raise NotFound(f"There is no mailbox {login}. See `bridge mailbox list`.")
    return mailbox


def _changed(
    mailbox: Mailbox,
    sender: str | None,
    region: str | None,
    language: Language | None,
    timezone: str | None,
    addresses: Sequence[str] | None,
    networks: Sequence[str] | None,
    countries: Sequence[str] | None,
    confirm: Confirm | None,
    unicode: UnicodePolicy | None,
    max_segments: int | None,
    daily_cap: int | None,
) -> Mailbox:
    """`mailbox` with every property that was named. Raises UsageError for one that makes no sense."""
    return replace(
        mailbox,
        sender=mailbox.sender if sender is None else _number(sender),
        region=mailbox.region if region is None else _country(region),
        language=language or mailbox.language,
        timezone=mailbox.timezone if timezone is None else _zone(timezone),
        addresses=mailbox.addresses if addresses is None else tuple(_address(one) for one in addresses),
        networks=mailbox.networks if networks is None else tuple(_network(one) for one in networks),
        countries=mailbox.countries if countries is None else tuple(_country(one) for one in countries),
        confirm=confirm or mailbox.confirm,
        unicode=unicode or mailbox.unicode,
        max_segments=max_segments or mailbox.max_segments,
        daily_cap=mailbox.daily_cap if daily_cap is None else (daily_cap or None),
    )


def _password(file: Path | None) -> str:
    if file is None:
        password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    elif str(file) == "-":
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        try:
            password = file.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise UsageError(f"The password cannot be read from {file}: {error.strerror}.") from error
    if not password:
        raise UsageError("The password is empty. Give one.")
    return password


def _number(value: str) -> str:
    from bridge.sms.numbers import read_number

    try:
        number = read_number(value, "ZZ")
    except Refusal as error:
        raise UsageError(f"--sender {value} is not a number with its country code, such as +390200000001.") from error
    return number.e164


def _country(value: str) -> str:
    import phonenumbers

    if value.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise UsageError(f"{value} is not a country code of two letters, such as IT.")
    return value.upper()


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise UsageError(f"--timezone {value} is not known. Write it as Europe/Rome.")
    return value


def _address(value: str) -> str:
    local, at, domain = value.lower().rpartition("@")
    if not at or "." not in domain.strip(".") or " " in value:
        raise UsageError(f"--address {value} is neither name@domain nor @domain.")
    return f"{local}@{domain}"


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise UsageError(f"--network {value} is not a network. Write it as 10.0.5.0/24 or 10.0.5.7/32.") from error


def _document(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "login": mailbox.login,
        "sender": mailbox.sender,
        "addresses": list(mailbox.addresses),
        "networks": list(mailbox.networks),
        "region": mailbox.region,
        "countries": list(mailbox.countries),
        "language": mailbox.language.value,
        "timezone": mailbox.timezone,
        "confirm": mailbox.confirm.value,
        "unicode": mailbox.unicode.value,
        "max_segments": mailbox.max_segments,
        "daily_cap": mailbox.daily_cap,
        "paused": mailbox.paused,
        "can_log_in": bool(mailbox.password_hash),
    }
