"""`bridge mailbox`: the users of the bridge. A running bridge notices every change within a second."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bridge import clock
from bridge.cli import connect, mailbox_shown, properties, signatures
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
    PhonesSpeak,
    Pool,
    Region,
    Sender,
    SubjectOption,
    SubjectTags,
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
connect.register(app)


@app.command()
def add(
    login: NewLogin,
    sender: Sender = None,
    pool: Pool = None,
    password_file: PasswordFile = None,
    region: Region = "IT",
    language: LanguageOption = Language.ENGLISH,
    phones_speak: PhonesSpeak = None,
    timezone: Zone = "Europe/Rome",
    address: Addresses = None,
    network: Networks = None,
    country: Countries = None,
    confirm: ConfirmOption = Confirm.FAILURES,
    unicode: UnicodeOption = UnicodePolicy.TRANSLITERATE,
    max_segments: MaxSegments = 6,
    daily_cap: DailyCap = 0,
    subject: SubjectOption = SubjectUse.IGNORED,
    subject_tags: SubjectTags = False,
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
    asks = password_file is None and not network
    password_hash = _hash(properties.password(None)) if asks else _password_hash(password_file)
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
        phone_languages=phones_speak,
        timezone=timezone,
        addresses=address,
        networks=network,
        countries=country or (region,),
        confirm=confirm,
        unicode=unicode,
        max_segments=max_segments,
        daily_cap=daily_cap,
        subject=subject,
        subject_tags=subject_tags,
        kept=keep_cut,
        end_marks=end_mark,
        grammar=grammar,
        order_password_hash=_password_hash(order_password_file),
        digest_to=digest_to,
        digest_at=digest_at,
        digest_days=digest_days,
        password_hash=password_hash,
    )

    async def work(store: Store) -> None:
        await store.mailboxes.add(mailbox)

    in_store(config, work)
    if mailbox.password_hash:
        print(f"{mailbox.login} may log in now and text from {mailbox.sender}.")
    elif not network:
        print(f"{mailbox.login} may text from {mailbox.sender} once it has an app password (`bridge passwords add`).")
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
    phones_speak: PhonesSpeak = None,
    timezone: Zone = None,
    address: Addresses = None,
    network: Networks = None,
    country: Countries = None,
    confirm: ConfirmOption = None,
    unicode: UnicodeOption = None,
    max_segments: MaxSegments = None,
    daily_cap: DailyCap = None,
    subject: SubjectOption = None,
    subject_tags: SubjectTags = None,
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
        phone_languages=phones_speak,
        timezone=timezone,
        addresses=address,
        networks=network,
        countries=country,
        confirm=confirm,
        unicode=unicode,
        max_segments=max_segments,
        daily_cap=daily_cap,
        subject=subject,
        subject_tags=subject_tags,
        kept=keep_cut,
        end_marks=end_mark,
        grammar=grammar,
        order_password_hash=_password_hash(order_password_file),
        digest_to=digest_to,
        digest_at=digest_at,
        digest_days=digest_days,
        password_hash=_password_hash(password_file),
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
        show_json([mailbox_shown.document(mailbox) for mailbox in mailboxes])
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

    document = mailbox_shown.document(in_store(config, work))
    if as_json:
        show_json(document)
        return
    for name, value in document.items():
        print(f"{name:18} {mailbox_shown.in_words(value)}".rstrip())


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
    if named.get("subject_tags", mailbox.subject_tags):
        used = habits.get("subject", mailbox.habits.subject)
        if used is not SubjectUse.IGNORED:
            raise UsageError("--subject-tags needs --subject ignored: else phones would be texted the marks.")
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


def _password_hash(file: Path | None) -> str | None:
    """The hash to store, empty for no password; None when the command line names none."""
    if file is None:
        return None
    return "" if (str(file),) == properties.NOTHING else _hash(properties.password(file))
