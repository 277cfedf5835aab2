"""`bridge check`: says in words what is wrong with a configuration, and whether gateways and relay answer."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bridge.cli.certificates import client_certificates
from bridge.cli.check_imap import PROBE, Finding, folders, watched
from bridge.cli.check_issuers import issuers
from bridge.cli.check_mx import mx_findings
from bridge.cli.shared import Config, config_file, environment
from bridge.errors import BridgeError, SettingsErrors, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bridge.consent.renewal import Consents
    from bridge.gateways.base import Gateway
    from bridge.settings import Settings
    from bridge.store.backlog import Backlog
    from bridge.store.store import Store


def register(app: typer.Typer) -> None:
    """Add `check` to `bridge`."""
    app.command()(check)


def check(config: Config = None) -> None:
    """Say in words what is wrong with a configuration.

    Also whether gateways, relay and ports can be used. It changes nothing, and may run beside a running bridge. Exit
    code 1 if anything is wrong.
    """
    from bridge import redact
    from bridge.gateways.configured import open_gateways
    from bridge.settings import load

    file = config_file(config)
    if not file.is_file():
        raise UsageError(f"There is no file {file}. Begin with a copy of config/bridge.toml.")
    try:
        settings = load(file, environment(config))
        gateways = open_gateways(settings)
    except SettingsErrors as errors:
        for error in errors.complaints:
            print(f"wrong  {error.sentence}", file=sys.stderr)
        raise typer.Exit(1) from None
    redact.configure("error", settings.log.format, settings.secrets())
    findings = asyncio.run(_findings(settings, gateways))
    for part, complaint in findings:
        if complaint:
            print(f"wrong  {part}: {complaint}", file=sys.stderr)
        else:
            print(f"ok     {part}")
    if any(complaint for _, complaint in findings):
        raise typer.Exit(1)
    for line in (*_to_publish(settings), *_advice(settings)):
        print(line)
    print("Everything answers. `bridge serve` can run with this configuration.")


async def _findings(settings: Settings, gateways: Mapping[str, Gateway]) -> list[Finding]:
    from bridge.consent.renewal import Consents

    consents = Consents(settings)
    return [
        ("configuration", ""),
        *_certificate(settings),
        *_ports(settings),
        *await _store(settings),
        *await _gateways(gateways, settings),
        await _relay(settings, consents),
        *await mx_findings(settings),
        *_signing(settings),
        *await folders(settings, consents),
        *await watched(settings, consents),
        *await issuers(settings),
    ]


def _certificate(settings: Settings) -> list[Finding]:
    from bridge.smtp_doors import door_settings
    from bridge.smtp_server import open_certificate

    file = settings.smtp.certificate
    if file is None:
        return []
    try:
        open_certificate(door_settings(settings))
    except BridgeError as error:
        return [("certificate", error.sentence)]
    return [("certificate", _over(file))]


def _over(certificate: Path) -> str:
    from cryptography import x509

    from bridge import clock

    until = x509.load_pem_x509_certificates(certificate.read_bytes())[0].not_valid_after_utc
    if until > clock.now():
        return ""
    return f"{certificate} was valid until {until.date()} only. Renew it, or mail programs will not log in."


def _ports(settings: Settings) -> list[Finding]:
    """Whether the ports are free, unless a bridge runs on the same folder: then they are its own."""
    from bridge.folder_lock import is_running

    if is_running(settings.data_dir):
        return []
    smtp, http = settings.smtp, settings.http
    wanted = [("smtp.port", smtp.host, smtp.port), ("smtp.tls_port", smtp.host, smtp.tls_port)]
    wanted += [("mx.port", settings.mx.host, settings.mx.port), ("http.port", http.host, http.port)]
    return [(key, _port(host, port)) for key, host, port in wanted if port]


def _port(host: str, port: int) -> str:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        socket.create_server((host, port), family=family).close()
    except socket.gaierror as error:
        return f"{host} is not known ({str(error.strerror).lower()}). Write a name or an address of this machine."
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        return f"{host} port {port} cannot be used ({reason}). Stop what listens there, or choose another port."
    return ""


async def _store(settings: Settings) -> list[Finding]:
    from bridge import clock
    from bridge.store.backlog import read_backlog
    from bridge.store.store import Store, database_file

    file = database_file(settings)
    if file is not None and not file.exists():  # to make it here could give it to another user than that of the bridge
        return [("database", ""), ("mailboxes", _NO_MAILBOX)]
    try:
        if not await _is_current(settings):
            return [("database", "has another version than this program. Run `bridge db upgrade`.")]
        async with Store(settings) as store:
            counts = await store.ledger.counts()
            found = [("database", ""), ("mailboxes", _mailboxes(store, settings)), _disk(settings)]
            backlog = await read_backlog(store.engine, clock.now())
            found += [*_waiting(backlog, settings), *_filings(backlog, store, settings)]
            found += await client_certificates(store)
    except BridgeError as error:
        return [("database", error.sentence)]
    unfiled = counts["filings"].get("failed", 0)
    if unfiled:
        found.append(("filing", f"{unfiled} mails were refused by an IMAP server for good; see the log."))
    failed = counts["mails"].get("failed", 0)
    if failed:
        found.append(("mails", f"{failed} reports or replies were refused by the mail server for good; see the log."))
    untaken = counts["webhooks"].get("failed", 0)
    if untaken:
        found.append(("webhooks", f"{untaken} SMS were not taken by the webhook of their keyword; see the log."))
    lost = counts["inbound"]["without_mailbox"]
    if lost:
        found.append(("replies", f"{lost} texts from phones found no mailbox. Add one with `bridge mailbox add`."))
    return found


def _disk(settings: Settings) -> Finding:
    from bridge.disk import Disk
    from bridge.store.store import database_file

    file = database_file(settings)
    free, reserve = Disk(file.parent if file is not None else settings.data_dir, 0).free(), settings.smtp.disk_reserve
    if free >= reserve:
        return "disk", ""
    return "disk", f"{free} bytes are free, and mail is refused below smtp.disk_reserve = {reserve}. Make room."


def _waiting(backlog: Backlog, settings: Settings) -> list[Finding]:
    """What waits for what; it is wrong when it has waited for too long."""
    found = []
    for each in backlog.messages:
        what = f"queue: {each.count} messages wait for {_FOR[each.waits_for].format(gateway=each.gateway)}"
        if each.gateway not in settings.gateways:
            found.append((f"{what}, and there is no [gateways.{each.gateway}] any more", _GONE))
            continue
        found.append(_queue(what, each.since, settings, "`bridge messages --state queued` lists them."))
    if backlog.mails:
        what = f"mails: {backlog.mails} reports and replies wait for the mail server"
        what += _last_answer(backlog.mail_diagnostic)
        found.append(_queue(what, backlog.mails_since, settings, "See that the mail server takes them."))
    if backlog.webhooks:
        what = f"webhooks: {backlog.webhooks} SMS wait for the webhook of their keyword"
        found.append(_queue(what, backlog.webhooks_since, settings, "The log says what its receiver answers."))
    return found


_GONE = (
    "what has no other gateway is given up after sending.give_up_after. Write the section again, or cancel them: "
    "`bridge messages --state queued` lists them."
)

_FOR = {
    "turn": "their turn at gateway {gateway}",
    "pace": "their pace, since the rate of gateway {gateway} is used up or its provider asked for rest",
    "retry": "another try, since gateway {gateway} did not take them",
    "time": "the time that their sender asked for",
    "mailbox": "a paused mailbox",
    "answer": "the answer of gateway {gateway}",
}


def _last_answer(said: str) -> str:
    return f"; last answer: {said.rstrip('.')}" if said else ""


def _queue(what: str, since: datetime | None, settings: Settings, remedy: str) -> Finding:
    from bridge import clock

    if since is None:
        return what, ""
    seconds = (clock.now() - since).total_seconds()
    what = f"{what}; the oldest for {seconds / 60:.0f} minutes"
    return what, f"that is too long. {remedy}" if seconds > settings.operator.queue_older_than else ""


_NO_MAILBOX = "there is none yet. Add one with `bridge mailbox add`."


async def _is_current(settings: Settings) -> bool:
    from bridge.store.engine import is_current, open_engine
    from bridge.store.store import database_url

    engine = open_engine(database_url(settings))
    try:
        return await is_current(engine)
    finally:
        await engine.dispose()


def _mailboxes(store: Store, settings: Settings) -> str:
    fallback = settings.replies.fallback
    if not store.directory.all():
        return _NO_MAILBOX
    if fallback and store.directory.by_login(fallback) is None:
        return f"replies.fallback names {fallback}, which is no mailbox. See `bridge mailbox list`."
    return ""


def _filings(backlog: Backlog, store: Store, settings: Settings) -> list[Finding]:
    """Mailboxes that are to be filed for and do not exist, and what waits to be filed.

    What a server has refused is wrong at once: nobody but a person can free a full mailbox or a read-only folder.
    """
    filed = {login.lower() for login in settings.filing}
    found = [
        (f"filing {login}", "is no mailbox. See `bridge mailbox list`.")
        for login in settings.filing
        if store.directory.by_login(login) is None
    ]
    for each in backlog.filings:
        what = f"filing {each.login}: {each.count} mails wait for its IMAP server"
        if each.login.lower() not in filed:
            found.append((f'{what}, and there is no [filing."{each.login}"] any more', ""))
        elif each.tries:
            what, _ = _queue(what + _last_answer(each.diagnostic), each.since, settings, "")
            found.append((what, "see that it runs, and that the mailbox has room and may be written."))
        else:
            found.append(_queue(what, each.since, settings, "Restart the bridge and keep its log."))
    return found


async def _gateways(gateways: Mapping[str, Gateway], settings: Settings) -> list[Finding]:
    """Whether each would take messages, and what is left on its account, where it can say so."""
    found = []
    for name, gateway in gateways.items():
        part, limit = f"gateway {name}", settings.gateways[name].balance_below
        try:
            complaint = await gateway.probe()
            left = await gateway.balance() if not complaint else None
        finally:
            await gateway.close()
        if left is not None:
            part = f"{part}: {left} left"
            if limit is not None and left.amount < limit:
                complaint = f"that is less than balance_below = {limit}. Top the account up."
        found.append((part, complaint))
    return found


async def _relay(settings: Settings, consents: Consents) -> Finding:
    from bridge.mailback.configured import relay_settings
    from bridge.mailback.relay import Relay

    relay = Relay(replace(relay_settings(settings, consents), timeout=PROBE))
    try:
        return f"relay {settings.relay.host}", await relay.probe()
    finally:
        await relay.close()


def _signing(settings: Settings) -> list[Finding]:
    from bridge.mailback.configured import open_signer

    try:
        return [("dkim", "")] if open_signer(settings) is not None else []
    except BridgeError as error:
        return [("dkim", error.sentence)]


def _to_publish(settings: Settings) -> list[str]:
    """What the operator puts into DNS, so that mail servers can tell the bridge's mails from forged ones."""
    from bridge.mailback.configured import open_signer

    signer = open_signer(settings)
    return [f'dns    {signer.record_name}. TXT "{signer.record}"'] if signer is not None else []


def _advice(settings: Settings) -> list[str]:
    """What works as it is and could be better."""
    if settings.relay.bounces_from or settings.mx.port:
        return []
    return [
        "advice relay.bounces_from: replies that cannot be delivered come back to nobody. Name the mail servers that "
        f"hand in bounces for {settings.domain}; docs/operation.md says how."
    ]
