"""`bridge mailbox`: the users of the bridge. A running bridge notices every change within a second."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import properties
from bridge.cli.shared import Config, Json, in_store, show_json
from bridge.errors import NotFound, UsageError
from bridge.types import Confirm, Language, Mailbox, UnicodePolicy

if TYPE_CHECKING:
    from bridge.store.store import Store

app = typer.Typer(help="Add, change and list the users of the bridge.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="The mailbox's login, which is its mail address.")]
NewLogin = Annotated[
    str,
    typer.Argument(
        metavar="LOGIN", help="Its login, which is its mail address.", callback=properties.checked(properties.login)
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="File with the password; - reads it from standard input.", show_default=False),
]
Sender = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER",
        help="Sender number, such as +390200000001.",
        callback=properties.checked(properties.sender),
        show_default=False,
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        metavar="COUNTRY",
        help="Country of numbers written without a country code, such as IT.",
        callback=properties.checked(properties.country),
    ),
]
LanguageOption = Annotated[Language | None, typer.Option(help="Language of its mails.")]
Zone = Annotated[
    str | None,
    typer.Option(
        metavar="ZONE",
        help="Time zone of its mails and of its daily cap, such as Europe/Rome.",
        callback=properties.checked(properties.timezone),
    ),
]
Addresses = Annotated[
    list[str] | None,
    typer.Option(
        "--address",
        metavar="ADDRESS",
        help="Address it may send from besides its login, or @domain for a whole domain; may be repeated. "
        "`none` alone empties the list.",
        callback=properties.each(properties.address, may_be_empty=True),
    ),
]
Networks = Annotated[
    list[str] | None,
    typer.Option(
        "--network",
        metavar="NETWORK",
        help="Network whose machines send as it without login, such as 10.0.5.0/24; may be repeated. "
        "`none` alone empties the list.",
        callback=properties.each(properties.network, may_be_empty=True),
    ),
]
Countries = Annotated[
    list[str] | None,
    typer.Option(
        "--country",
        metavar="COUNTRY",
        help="Country it may text, such as IT; may be repeated.",
        callback=properties.each(properties.country),
    ),
]
ConfirmOption = Annotated[Confirm | None, typer.Option(help="Which outcomes it is told.")]
UnicodeOption = Annotated[UnicodePolicy | None, typer.Option(help="What happens to characters beyond GSM 7-bit.")]
MaxSegments = Annotated[
    int | None, typer.Option(metavar="COUNT", help="Most SMS that one text may need.", min=1, max=255)
]
DailyCap = Annotated[int | None, typer.Option(metavar="COUNT", help="Messages a day; 0 is no cap.", min=0)]


@app.command()
def add(
    login: NewLogin,
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
    """Add a mailbox.

    Without --password-file the password is asked for. Without --country it may text its own country (--region) only.
    """
    if sender is None:
        raise UsageError("Name the number that its texts come from with --sender, such as --sender +390200000001.")
    needs_password = password_file is not None or not network
    nothing = Mailbox(
        id="",
        organisation_id="",
        login=login,
        addresses=(),
        region="",
        countries=(),
        language=Language.ENGLISH,
        timezone="",
        sender="",
    )
    mailbox = _changed(
        nothing,
        sender=sender,
        region=region,
        language=language,
        timezone=timezone,
        addresses=address,
        networks=network,
        countries=country or (region,),
        confirm=confirm,
        unicode=unicode,
        max_segments=max_segments,
        daily_cap=daily_cap,
        password_hash=_hash(properties.password(password_file)) if needs_password else None,
    )

    async def work(store: Store) -> None:
        await store.mailboxes.add(mailbox)

    in_store(config, work)
    if needs_password:
        print(f"{mailbox.login} may log in now and text from {mailbox.sender}.")
    else:
        print(f"{mailbox.login} may text from {mailbox.sender} now, from its networks and without login.")


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
    """Change a mailbox; what is not named stays.

    A list that is named (--address, --network, --country) replaces the old one.
    """
    named = _named(
        sender=sender,
        region=region,
        language=language,
        timezone=timezone,
        addresses=address,
        networks=network,
        countries=country,
        confirm=confirm,
        unicode=unicode,
        max_segments=max_segments,
        daily_cap=daily_cap,
        password_hash=_hash(properties.password(password_file)) if password_file is not None else None,
    )
    if not named:
        raise UsageError("Name what is to change, such as --daily-cap 200. See `bridge mailbox set --help`.")

    async def work(store: Store) -> None:
        await store.mailboxes.save(_changed(_find(store, login), **named))

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
    """Show one mailbox with all its settings."""

    async def work(store: Store) -> Mailbox:
        return _find(store, login)

    document = _document(in_store(config, work))
    if as_json:
        show_json(document)
        return
    for name, value in document.items():
        print(f"{name:14} {_shown(value)}".rstrip())


@app.command()
def pause(login: Login, config: Config = None) -> None:
    """Take no mail from a mailbox for now.

    Its mails are answered "try later", and its queued messages wait until it is resumed.
    """
    _set_paused(config, login, paused=True)
    print(f"{login} is paused. `bridge mailbox resume {login}` lets it send again.")


@app.command()
def resume(login: Login, config: Config = None) -> None:
    """Let a paused mailbox send again."""
    _set_paused(config, login, paused=False)
    print(f"{login} may send again.")


@app.command()
def remove(login: Login, config: Config = None) -> None:
    """Remove a mailbox that never sent; pause one that did."""

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


def _named(**options: Any) -> dict[str, Any]:
    """The properties of a mailbox that the command line named."""
    return {name: _value(option) for name, option in options.items() if option is not None}


def _value(option: Any) -> Any:
    if not isinstance(option, list | tuple):
        return option
    words = tuple(option)
    return () if words == properties.NOTHING else words


def _changed(mailbox: Mailbox, **options: Any) -> Mailbox:
    """`mailbox` with the properties that were named."""
    named = _named(**options)
    if named.get("daily_cap") == 0:
        named["daily_cap"] = None
    return replace(mailbox, **named)


def _hash(password: str) -> str:
    from bridge.access.credentials import hash_password

    return hash_password(password)


def _shown(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(value)
        case _:
            return str(value)


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
