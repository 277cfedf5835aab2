"""`bridge mailbox`: the users of the bridge. A running bridge notices every change within a second."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bridge import clock
from bridge.cli import properties, signatures
from bridge.cli.options import (
    Addresses,
    ConfirmOption,
    Countries,
    DailyCap,
    DigestAt,
    DigestDays,
    DigestTo,
    EndMarks,
    Grammar,
    KeepCut,
    LanguageOption,
    Login,
    MaxSegments,
    Networks,
    NewLogin,
    OrderPasswordFile,
    PasswordFile,
    Pool,
    Region,
    Sender,
    SubjectOption,
    UnicodeOption,
    Zone,
)
from bridge.cli.shared import Config, Json, find_mailbox, in_store, show_json
from bridge.errors import UsageError
from bridge.types import Confirm, CutRule, DigestPlan, GrammarName, Language, Mailbox, SubjectUse, UnicodePolicy

if TYPE_CHECKING:
    from bridge.store.store import Store

_PLAN = ("digest_to", "digest_at", "digest_days")

app = typer.Typer(help="Add, change and list the users of the bridge.", no_args_is_help=True)
signatures.register(app)


@app.command()
def add(
    login: NewLogin,
    sender: Sender = None,
    pool: Pool = None,
    password_file: PasswordFile = None,
    region: Region = "IT",
    language: LanguageOption = Language.ENGLISH,
    timezone: Zone = "Europe/Rome",
    address: Addresses = None,
    network: Networks = None,
    country: Countries = None,
    confirm: ConfirmOption = Confirm.FAILURES,
    unicode: UnicodeOption = UnicodePolicy.TRANSLITERATE,
    max_segments: MaxSegments = 6,
    daily_cap: DailyCap = 0,
    subject: SubjectOption = SubjectUse.IGNORED,
    keep_cut: KeepCut = None,
    end_mark: EndMarks = None,
    grammar: Grammar = None,
    order_password_file: OrderPasswordFile = None,
    digest_to: DigestTo = None,
    digest_at: DigestAt = "18:00",
    digest_days: DigestDays = 10,
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
        pool=pool,
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
        subject=subject,
        kept=keep_cut,
        end_marks=end_mark,
        grammar=grammar,
        order_password_hash=_order_password_hash(order_password_file),
        digest_to=digest_to,
        digest_at=digest_at,
        digest_days=digest_days,
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
    pool: Pool = None,
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
    subject: SubjectOption = None,
    keep_cut: KeepCut = None,
    end_mark: EndMarks = None,
    grammar: Grammar = None,
    order_password_file: OrderPasswordFile = None,
    digest_to: DigestTo = None,
    digest_at: DigestAt = None,
    digest_days: DigestDays = None,
    config: Config = None,
) -> None:
    """Change a mailbox; what is not named stays.

    A list that is named (such as --address or --keep-cut) replaces the old one.
    """
    named = _named(
        sender=sender,
        pool=pool,
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
        subject=subject,
        kept=keep_cut,
        end_marks=end_mark,
        grammar=grammar,
        order_password_hash=_order_password_hash(order_password_file),
        digest_to=digest_to,
        digest_at=digest_at,
        digest_days=digest_days,
        password_hash=_hash(properties.password(password_file)) if password_file is not None else None,
    )
    if not named:
        raise UsageError("Name what is to change, such as --daily-cap 200. See `bridge mailbox set --help`.")

    async def work(store: Store) -> None:
        await store.mailboxes.save(_changed(find_mailbox(store, login), **named))

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
        return find_mailbox(store, login)

    document = _document(in_store(config, work))
    if as_json:
        show_json(document)
        return
    for name, value in document.items():
        print(f"{name:18} {_shown(value)}".rstrip())


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
        await store.mailboxes.remove(find_mailbox(store, login).login)

    in_store(config, work)
    print(f"{login} is removed.")


def _set_paused(config: Path | None, login: str, *, paused: bool) -> None:
    async def work(store: Store) -> None:
        await store.mailboxes.save(replace(find_mailbox(store, login), paused=paused))

    in_store(config, work)


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
    if "grammar" in named:
        named["grammar"] = None if named["grammar"] in properties.NOTHING else GrammarName(named["grammar"])
    habits = {name: named.pop(name) for name in ("subject", "kept", "end_marks") if name in named}
    if "kept" in habits:
        habits["kept"] = frozenset(map(CutRule, habits["kept"]))
    plan = _plan(mailbox.digest, **{name: named.pop(name) for name in _PLAN if name in named})
    changed = replace(mailbox, **named, habits=replace(mailbox.habits, **habits), digest=plan)
    return replace(changed, pool=tuple(sender for sender in dict.fromkeys(changed.pool) if sender != changed.sender))


def _plan(plan: DigestPlan, digest_to: str | None = None, digest_at: str = "", digest_days: int = 0) -> DigestPlan:
    """`plan` with what was named."""
    if digest_to is not None:
        plan = plan.sent_to(tuple(filter(None, digest_to.split(","))), clock.now())
    at = time.fromisoformat(digest_at) if digest_at else plan.at
    return replace(plan, at=at, days=digest_days or plan.days)


def _hash(password: str) -> str:
    from bridge.access.credentials import hash_password

    return hash_password(password)


def _order_password_hash(file: Path | None) -> str | None:
    """The hash to store, empty to ask for no password; None when the command line names none."""
    if file is None:
        return None
    return "" if (str(file),) == properties.NOTHING else _hash(properties.password(file))


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
        "pool": list(mailbox.pool),
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
        "subject": mailbox.habits.subject.value,
        "kept_cuts": sorted(map(properties.hyphened, mailbox.habits.kept)),
        "end_marks": list(mailbox.habits.end_marks),
        "learned_signatures": len(mailbox.habits.signatures),
        "grammar": mailbox.grammar.value if mailbox.grammar is not None else None,
        "order_password": bool(mailbox.order_password_hash),
        "digest_to": list(mailbox.digest.to),
        "digest_at": f"{mailbox.digest.at:%H:%M}",
        "digest_days": mailbox.digest.days,
        "can_log_in": bool(mailbox.password_hash),
    }
