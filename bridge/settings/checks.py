"""Checks of settings that look beyond a single key: keys that need each other, files, hosts and the data folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from bridge.errors import SettingsError
from bridge.settings.forms import ADDRESS, DOMAIN, check_networks, is_host, is_loopback, readable
from bridge.settings.imap_checks import check_watch
from bridge.settings.issuer_checks import check_issuers
from bridge.settings.model import Settings, SmtpSettings
from bridge.settings.mx_checks import check_mx
from bridge.settings.oauth_checks import check_oauth
from bridge.settings.way_back_checks import check_way_back

_COUNTRY = re.compile(r"[A-Z]{2}")
_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}")
_GATEWAY_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
"""It stands in the path of the provider's callbacks."""


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
        *check_mx(settings),
        *_check_http(settings),
        *check_way_back(settings),
        *check_watch(settings),
        *check_oauth(settings),
        *check_issuers(settings),
        *_check_gateways(settings),
        *_check_routes(settings),
        *_check_sending(settings),
        *_check_operator(settings),
    ]


def _check_names(settings: Settings) -> Iterator[SettingsError]:
    for key, value in (("domain", settings.domain), ("hostname", settings.hostname)):
        if not DOMAIN.fullmatch(value) or len(value) > 255:
            yield SettingsError(key, f'"{value}"', 'write a domain name such as "sms.example.com"')
    for key, value in (
        ("smtp.host", settings.smtp.host),
        ("mx.host", settings.mx.host),
        ("http.host", settings.http.host),
        ("relay.host", settings.relay.host),
    ):
        if not is_host(value):
            yield SettingsError(key, f'"{value}"', 'write a host name or an IP address, such as "0.0.0.0" for all')


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
    yield from check_networks("smtp.trusted_proxies", smtp.trusted_proxies, "the proxy")
    yield from check_networks("smtp.certificates_from", smtp.certificates_from, "the machine with the certificate")
    if smtp.certificates_from and smtp.certificate is None:
        remedy = "a certificate is shown under TLS only; set smtp.certificate and smtp.private_key, or leave this out"
        yield SettingsError("smtp.certificates_from", str(list(smtp.certificates_from)).replace("'", '"'), remedy)


def _check_http(settings: Settings) -> Iterator[SettingsError]:
    http, smtp = settings.http, settings.smtp
    if http.port in (smtp.port, smtp.tls_port, settings.mx.port):
        yield SettingsError("http.port", str(http.port), "a listener for mail has this port; choose another")
    yield from _check_url("http.public_url", http.public_url, "callbacks")
    yield from check_networks("http.trusted_proxies", http.trusted_proxies, "the reverse proxy")
    if http.metrics_token is not None and len(http.metrics_token.get_secret_value()) < 16:
        yield SettingsError("http.metrics_token", "(not shown)", "somebody could guess it; write at least 16 letters")


def _check_url(key: str, url: str, what: str) -> Iterator[SettingsError]:
    """An address that secrets travel to: https, or this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not is_host(host):
        yield SettingsError(key, "(not shown)", 'write an address such as "https://sms.example.com"')
    elif parts.username or parts.password or parts.query or parts.fragment:
        yield SettingsError(key, "(not shown)", "write it without a login, a question mark or a #")
    elif parts.scheme == "http" and not is_loopback(host):
        yield SettingsError(key, f'"{url}"', f"{what} would travel readable; write https://")


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
    if operator.address and not ADDRESS.fullmatch(operator.address):
        yield SettingsError(
            "operator.address", f'"{operator.address}"', 'write one mail address, or "" to have nobody mailed'
        )
    if operator.disk_free_below < reserve:
        remedy = f"must be at least smtp.disk_reserve, which is {reserve}: hear of it before mail is refused"
        yield SettingsError("operator.disk_free_below", str(operator.disk_free_below), remedy)
