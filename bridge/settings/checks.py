"""Checks of settings that look beyond a single key: keys that need each other, files, hosts and the data folder."""

from __future__ import annotations

import ipaddress
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bridge.errors import SettingsError
from bridge.settings.choices import FiledState, ImapAuth, RelayProtocol, TlsMode
from bridge.settings.model import FilingSettings, Settings, SmtpSettings
from bridge.types import FiledKind

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.IGNORECASE)
"""RFC 5321 section 4.1.2, `Domain`, with the label length of RFC 1035 section 2.3.4."""

_COUNTRY = re.compile(r"[A-Z]{2}")
_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}")
_GATEWAY_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
"""It stands in the path of the provider's callbacks."""

_ADDRESS = re.compile(r"[^\s@<>,;:\"]+@[a-z0-9.-]+", re.IGNORECASE)

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

_BLANK = re.compile(r"\{(number|contact|year)\}")

_DATABASES = ("sqlite+aiosqlite:///", "postgresql+asyncpg://")

SLOWEST = 0.01
"""Segments a second; a rate below would hold a gateway back for days because of a slip of the pen."""


def check(settings: Settings) -> list[SettingsError]:
    """All that is wrong with settings whose single keys are right; looks at files, never at the network."""
    return [
        *_check_names(settings),
        *_check_data_dir(settings.data_dir),
        *_check_database(settings),
        *_check_smtp(settings.smtp),
        *_check_http(settings),
        *_check_relay(settings),
        *_check_dkim(settings),
        *_check_filing(settings),
        *_check_gateways(settings),
        *_check_routes(settings),
        *_check_sending(settings),
        *_check_operator(settings),
    ]


def dotted(location: Sequence[str]) -> str:
    """A key as TOML writes it: a name that is more than letters, digits and hyphens stands in quotes."""
    top, *rest = location
    quoted = top == "filing"
    return ".".join([top, *(f'"{part}"' if quoted and not _BARE_KEY.fullmatch(part) else part for part in rest)])


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def readable(path: Path, *, secret: bool) -> str:
    """Empty when a file can be read and, if secret, not by everybody; else the remedy."""
    try:
        with path.open("rb"):
            mode = path.stat().st_mode
    except OSError as error:
        return f"{(error.strerror or type(error).__name__).lower()}; name a file that the bridge may read"
    if secret and mode & (stat.S_IROTH | stat.S_IWOTH):
        return f"everybody on this machine may read this secret; run: chmod 640 {path}"
    return ""


def _check_names(settings: Settings) -> Iterator[SettingsError]:
    for key, value in (("domain", settings.domain), ("hostname", settings.hostname)):
        if not _DOMAIN.fullmatch(value) or len(value) > 255:
            yield SettingsError(key, f'"{value}"', 'write a domain name such as "sms.example.com"')
    for key, value in (
        ("smtp.host", settings.smtp.host),
        ("http.host", settings.http.host),
        ("relay.host", settings.relay.host),
    ):
        if not _is_host(value):
            yield SettingsError(key, f'"{value}"', 'write a host name or an IP address, such as "0.0.0.0" for all')
    fallback = settings.replies.fallback
    if fallback and "@" not in fallback:
        yield SettingsError(
            "replies.fallback", f'"{fallback}"', "write the login of a mailbox, which is a mail address"
        )


def _is_host(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return bool(_DOMAIN.fullmatch(value)) and not value.replace(".", "").isdigit()
    return True


def _check_data_dir(data_dir: Path) -> Iterator[SettingsError]:
    standing = next((folder for folder in (data_dir, *data_dir.absolute().parents) if folder.exists()), data_dir)
    if not standing.is_dir():
        yield SettingsError("data_dir", f'"{data_dir}"', f"{standing} is not a folder; name a folder")
    elif not os.access(standing, os.W_OK | os.X_OK):
        remedy = f"the bridge may not write in {standing}; run: chown to its user, or name another folder"
        yield SettingsError("data_dir", f'"{data_dir}"', remedy)


def _check_database(settings: Settings) -> Iterator[SettingsError]:
    url = settings.database.url
    if url is not None and not url.get_secret_value().startswith(_DATABASES):
        remedy = (
            "write postgresql+asyncpg://user:password@host/database, or sqlite+aiosqlite:////path/to/bridge.db, "
            "or leave it out for SQLite in data_dir"
        )
        yield SettingsError("database.url", "(not shown)", remedy)


def _check_smtp(smtp: SmtpSettings) -> Iterator[SettingsError]:
    loopback = is_loopback(smtp.host)
    if not smtp.port and not smtp.tls_port:
        yield SettingsError("smtp.port", "0", "nobody could hand in a mail; set smtp.port or smtp.tls_port")
    if smtp.port and smtp.port == smtp.tls_port:
        yield SettingsError("smtp.tls_port", str(smtp.tls_port), "smtp.port is the same; give each its own, or 0")
    for key, path, other in (
        ("smtp.certificate", smtp.certificate, "smtp.private_key"),
        ("smtp.private_key", smtp.private_key, "smtp.certificate"),
    ):
        if path is None:
            continue
        if getattr(smtp, other.removeprefix("smtp.")) is None:
            yield SettingsError(key, f'"{path}"', f"{other} is missing; TLS needs both")
        problem = readable(path, secret=key == "smtp.private_key")
        if problem:
            yield SettingsError(key, f'"{path}"', problem)
    if smtp.certificate is None and smtp.tls_port:
        yield SettingsError(
            "smtp.tls_port", str(smtp.tls_port), "TLS needs smtp.certificate and smtp.private_key; set them, or 0 here"
        )
    if smtp.certificate is None and not loopback:
        remedy = "other machines would send logins and texts readable; set smtp.certificate and smtp.private_key"
        yield SettingsError("smtp.host", f'"{smtp.host}"', f'{remedy}, or "127.0.0.1" here')
    if smtp.plaintext_login and not loopback:
        remedy = 'passwords would travel readable; set it to false, or smtp.host to "127.0.0.1"'
        yield SettingsError("smtp.plaintext_login", "true", remedy)
    if smtp.max_connections_per_address > smtp.max_connections:
        remedy = f"must be at most smtp.max_connections, which is {smtp.max_connections}"
        yield SettingsError("smtp.max_connections_per_address", str(smtp.max_connections_per_address), remedy)


def _check_http(settings: Settings) -> Iterator[SettingsError]:
    http, smtp = settings.http, settings.smtp
    if http.port in (smtp.port, smtp.tls_port):
        yield SettingsError("http.port", str(http.port), "a listener for mail has this port; choose another")
    yield from _check_url("http.public_url", http.public_url, "callbacks")
    for network in http.trusted_proxies:
        if not _is_network(network):
            remedy = (
                'write the address of the reverse proxy, such as "127.0.0.1", or its network, such as "10.0.0.0/28"'
            )
            yield SettingsError("http.trusted_proxies", f'"{network}"', remedy)
    if http.metrics_token is not None and len(http.metrics_token.get_secret_value()) < 16:
        yield SettingsError("http.metrics_token", "(not shown)", "somebody could guess it; write at least 16 letters")


def _check_url(key: str, url: str, what: str) -> Iterator[SettingsError]:
    """An address that secrets travel to: https, or this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not _is_host(host):
        yield SettingsError(key, "(not shown)", 'write an address such as "https://sms.example.com"')
    elif parts.username or parts.password or parts.query or parts.fragment:
        yield SettingsError(key, "(not shown)", "write it without a login, a question mark or a #")
    elif parts.scheme == "http" and not is_loopback(host):
        yield SettingsError(key, f'"{url}"', f"{what} would travel readable; write https://")


def _check_relay(settings: Settings) -> Iterator[SettingsError]:
    relay = settings.relay
    if relay.username and relay.password is None and relay.password_file is None:
        remedy = "relay.password is missing; set it or relay.password_file, or leave the username out"
        yield SettingsError("relay.username", f'"{relay.username}"', remedy)
    if relay.password is not None and not relay.username:
        yield SettingsError("relay.password", "(not shown)", "relay.username is missing; set it, or leave both out")
    if relay.password is not None and relay.tls is TlsMode.NONE and not is_loopback(relay.host):
        yield SettingsError("relay.tls", '"none"', 'the password would travel readable; write "starttls" or "implicit"')
    if relay.socket is not None and relay.protocol is not RelayProtocol.LMTP:
        remedy = 'only LMTP goes over a socket; write relay.protocol = "lmtp", or remove it'
        yield SettingsError("relay.socket", f'"{relay.socket}"', remedy)
    elif relay.socket is not None and relay.tls is not TlsMode.NONE:
        yield SettingsError("relay.tls", f'"{relay.tls}"', 'a socket does not leave this machine; write "none"')
    if relay.ca_file is not None:
        problem = readable(relay.ca_file, secret=False)
        if problem:
            yield SettingsError("relay.ca_file", f'"{relay.ca_file}"', problem)
    for network in relay.bounces_from:
        if not _is_network(network):
            remedy = 'write the address of the mail server, such as "10.0.0.5", or its network, such as "10.0.0.0/28"'
            yield SettingsError("relay.bounces_from", f'"{network}"', remedy)


def _is_network(value: str) -> bool:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return False
    return True


def _check_dkim(settings: Settings) -> Iterator[SettingsError]:
    dkim = settings.dkim
    for key, value in (("domain", dkim.domain), ("selector", dkim.selector or " ")):
        if value and not _DOMAIN.fullmatch(value):
            yield SettingsError(f"dkim.{key}", f'"{value}"', "use letters, digits and hyphens, with dots between")
    if dkim.key_file is not None:
        problem = readable(dkim.key_file, secret=True)
        if problem:
            yield SettingsError("dkim.key_file", f'"{dkim.key_file}"', problem)


def _check_filing(settings: Settings) -> Iterator[SettingsError]:
    for login, filing in settings.filing.items():
        section = dotted(["filing", login])
        if "@" not in login:
            yield SettingsError(section, "(section)", "its name is the login of a mailbox, which is a mail address")
        if not _is_host(filing.host):
            yield SettingsError(f"{section}.host", f'"{filing.host}"', "write the host name of the IMAP server")
        yield from _check_imap_login(section, filing)
        if filing.tls is TlsMode.STARTTLS:
            remedy = 'IMAP servers are spoken to with TLS from the first byte; write "implicit", usually with port 993'
            yield SettingsError(f"{section}.tls", '"starttls"', remedy)
        if filing.tls is TlsMode.NONE and not is_loopback(filing.host):
            what = "password" if filing.auth is ImapAuth.PASSWORD else "token"
            remedy = f'{what} and texts would travel readable; write "implicit", usually with port 993'
            yield SettingsError(f"{section}.tls", '"none"', remedy)
        if filing.ca_file is not None:
            problem = readable(filing.ca_file, secret=False)
            if problem:
                yield SettingsError(f"{section}.ca_file", f'"{filing.ca_file}"', problem)
        if not filing.what:
            yield SettingsError(f"{section}.what", "[]", 'write what to file, such as ["sent"], or remove the section')
        if filing.state is FiledState.KEYWORDS and FiledKind.SENT not in filing.what:
            remedy = 'there are no copies to mark; add "sent" to what, or write "mails"'
            yield SettingsError(f"{section}.state", '"keywords"', remedy)
        if re.search(r"[{}]", _BLANK.sub("", filing.folder)):
            remedy = "only {number}, {contact} and {year} can be filled in"
            yield SettingsError(f"{section}.folder", f'"{filing.folder}"', remedy)
        elif not all(level.strip() for level in filing.folder.split("/")):
            remedy = 'write a path such as "SMS/{number}", with a name between any two slashes'
            yield SettingsError(f"{section}.folder", f'"{filing.folder}"', remedy)
    folded = [login.lower() for login in settings.filing]
    for login in settings.filing:
        if folded.count(login.lower()) > 1:
            yield SettingsError(dotted(["filing", login]), "(section)", "the same mailbox has two; keep one of them")


def _check_imap_login(section: str, filing: FilingSettings) -> Iterator[SettingsError]:
    """A password or a token, never both. The file of the token may come later: at the login it is said if it lacks."""
    has_password = filing.password is not None and bool(filing.password.get_secret_value())
    if filing.auth is ImapAuth.PASSWORD:
        if filing.password_file is None and not has_password:
            yield SettingsError(f"{section}.password", "(not set)", "set it or password_file")
        if filing.token_file is not None:
            remedy = 'a token is no password; write auth = "xoauth2" or "oauthbearer", or remove it'
            yield SettingsError(f"{section}.token_file", f'"{filing.token_file}"', remedy)
        return
    if filing.password_file is not None or has_password:
        remedy = f'auth = "{filing.auth}" logs in with the token in token_file; remove one of the two'
        yield SettingsError(f"{section}.password", "(not shown)", remedy)
    if filing.token_file is None:
        yield SettingsError(f"{section}.token_file", "(not set)", "name the file that holds the access token")
    elif os.access(filing.token_file, os.F_OK):
        problem = readable(filing.token_file, secret=True)
        if problem:
            yield SettingsError(f"{section}.token_file", f'"{filing.token_file}"', problem)


def _check_gateways(settings: Settings) -> Iterator[SettingsError]:
    for name, gateway in settings.gateways.items():
        if not _GATEWAY_NAME.fullmatch(name):
            remedy = "a gateway's name has lower-case letters, digits and hyphens, and at most 32 of them"
            yield SettingsError(f"gateways.{name}", "(section)", remedy)
        if gateway.url and gateway.kind not in ("smpp", "gammu"):  # whose gateways read their own kind of address
            yield from _check_url(f"gateways.{name}.url", gateway.url, "texts")
        for key, rate in (("rate", gateway.rate), ("sender_rate", gateway.sender_rate)):
            if rate and rate < SLOWEST:
                remedy = f"a text would wait for more than {1 / SLOWEST:.0f} seconds; write {SLOWEST} or more, or 0"
                yield SettingsError(f"gateways.{name}.{key}", f"{rate:g}", remedy + " for no limit")


def _check_routes(settings: Settings) -> Iterator[SettingsError]:
    names = ", ".join(sorted(settings.gateways))
    for index, route in enumerate(settings.routes):
        key = f"routes.{index}"
        if route.gateway not in settings.gateways:
            remedy = f"no gateway has this name; write one of: {names}"
            yield SettingsError(f"{key}.gateway", f'"{route.gateway}"', remedy)
        for country in route.countries:
            if not _COUNTRY.fullmatch(country):
                yield SettingsError(f"{key}.countries", f'"{country}"', 'write two capital letters, as in "IT"')
        for prefix in route.prefixes:
            if not _PREFIX.fullmatch(prefix):
                yield SettingsError(f"{key}.prefixes", f'"{prefix}"', 'write the beginning of a number, as in "+39333"')


def _check_sending(settings: Settings) -> Iterator[SettingsError]:
    sending = settings.sending
    names = ", ".join(sorted(settings.gateways))
    if not settings.gateways:
        remedy = "no SMS could leave; write a section [gateways.NAME] with kind, url and secret"
        yield SettingsError("gateways", "(none)", remedy)
    elif sending.gateway not in settings.gateways and (sending.gateway or not settings.routes):
        remedy = f"no gateway has this name; write one of: {names}"
        yield SettingsError("sending.gateway", f'"{sending.gateway}"', remedy)
    for key, value, limit, other in (
        ("first_retry", sending.first_retry, sending.max_retry, "max_retry"),
        ("max_retry", sending.max_retry, sending.give_up_after, "give_up_after"),
    ):
        if value > limit:
            yield SettingsError(f"sending.{key}", f"{value:g}", f"must be at most sending.{other}, which is {limit:g}")


def _check_operator(settings: Settings) -> Iterator[SettingsError]:
    operator, reserve = settings.operator, settings.smtp.disk_reserve
    if operator.address and not _ADDRESS.fullmatch(operator.address):
        yield SettingsError(
            "operator.address", f'"{operator.address}"', 'write one mail address, or "" to have nobody mailed'
        )
    if operator.disk_free_below < reserve:
        remedy = f"must be at least smtp.disk_reserve, which is {reserve}: hear of it before mail is refused"
        yield SettingsError("operator.disk_free_below", str(operator.disk_free_below), remedy)
