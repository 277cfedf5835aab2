"""What an operator says of an SMSC, and what the gateway makes of it; every refusal names key, value and remedy."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bridge.errors import SettingsError
from bridge.gateways.connection import Connection, Option
from bridge.gateways.smpp.coding import Alphabet, Flash, Long, Way
from bridge.gateways.smpp.receipts import IdNotation
from bridge.gateways.smpp.terms import Mode, Terms
from bridge.settings.forms import is_loopback

LONGEST_ANSWER = 35.0
"""Seconds that an answer may be waited for at most."""

_VERSIONS = {"3.4": 0x34, "5.0": 0x50}
_PORTS = {"smpp": 2775, "smpps": 3550}
_REFERENCES = {"8-bit": False, "16-bit": True}
_BINDS = {"transceiver": (Mode.TRANSCEIVER,), "pair": (Mode.TRANSMITTER, Mode.RECEIVER)}

OPTIONS = (
    Option("version", "version of SMPP that is spoken", "3.4", tuple(_VERSIONS)),
    Option("bind", "one transceiver, or a transmitter and a receiver", "transceiver", tuple(_BINDS)),
    Option("binds", "how many of them are kept open", "1"),
    Option("window", "submits on one bind that may wait for their answer", "10"),
    Option("rate", "segments a second on one bind; 0 for as many as the window allows", "0"),
    Option("enquire_link", "seconds of silence after which the SMSC is asked whether it is there", "30"),
    Option("system_type", "what some providers want to be told at the bind", ""),
    Option("service_type", "what some providers want to be told with each message", ""),
    Option("alphabet", "what the SMSC takes data_coding 0 for", Alphabet.GSM7, tuple(Alphabet)),
    Option("long", "how long texts are handed over", Long.UDH, tuple(Long)),
    Option("reference", "what binds the segments of a long text, where `long` is udh", "8-bit", tuple(_REFERENCES)),
    Option("flash", "how the SMSC is told to have a text shown at once", Flash.GENERAL, tuple(Flash)),
    Option("message_ids", "how message ids are written in answers and in receipts", "same", tuple(IdNotation)),
    Option("timezone", "IANA name of the clock by which the SMSC dates its receipts", "UTC"),
    Option("ca_file", "authorities to trust instead of the system's, in PEM", ""),
    Option("unencrypted", "whether texts may travel readable, for an SMSC without TLS", "no", ("no", "allowed")),
)


@dataclass(frozen=True, slots=True)
class Agreed:
    """Everything about one SMSC."""

    terms: Terms
    modes: tuple[Mode, ...]
    """One for each bind."""
    way: Way
    notation: IdNotation
    zone: ZoneInfo
    service_type: str


def read(connection: Connection) -> Agreed:
    """What a section of the configuration says. Raises SettingsError for a value that cannot be used."""
    given = _Given(connection)
    long = Long(given.text("long"))
    return Agreed(
        terms=_terms(given),
        modes=_BINDS[given.text("bind")] * int(given.number("binds", 1, 100)),
        way=Way(
            long=long,
            alphabet=Alphabet(given.text("alphabet")),
            flash=Flash(given.text("flash")),
            wide=long is Long.UDH and _REFERENCES[given.text("reference")],
        ),
        notation=IdNotation(given.text("message_ids")),
        zone=_zone(given),
        service_type=given.text("service_type"),
    )


class _Given:
    """The values of one section."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def text(self, name: str) -> str:
        return self.connection.option(name, OPTIONS)

    def number(self, name: str, least: float, most: float) -> float:
        try:
            value = float(self.text(name))
        except ValueError:
            value = -1.0
        if not least <= value <= most:
            raise self.wrong(name, f"write a number from {least:g} to {most:g}")
        return value

    def wrong(self, name: str, remedy: str) -> SettingsError:
        key = f"gateways.{self.connection.name}.options.{name}"
        return SettingsError(key, f'"{self.text(name)}"', remedy)


def _terms(given: _Given) -> Terms:
    connection, key = given.connection, f"gateways.{given.connection.name}.url"
    try:
        url = urlsplit(connection.url)
        host, port = url.hostname or "", url.port or _PORTS.get(url.scheme, 0)
    except ValueError:
        host, port = "", 0
    if not host or url.scheme not in _PORTS or url.username or url.path or url.query:
        raise SettingsError(key, "(not shown)", 'write an address such as "smpps://smsc.example.com:3550"')
    if url.scheme == "smpp" and given.text("unencrypted") == "no" and not is_loopback(host):
        remedy = (
            "password and texts would travel readable; write smpps://, or where the SMSC has no TLS, go through a "
            'VPN and set options.unencrypted = "allowed"'
        )
        raise SettingsError(key, "(not shown)", remedy)
    return Terms(
        host=host,
        port=port,
        tls=_authorities(given) if url.scheme == "smpps" else None,
        system_id=connection.account,
        password=connection.secret,
        system_type=given.text("system_type"),
        version=_VERSIONS[given.text("version")],
        window=int(given.number("window", 1, 1000)),
        rate=given.number("rate", 0, 10_000),
        timeout=min(connection.timeout, LONGEST_ANSWER),
        enquire_every=given.number("enquire_link", 1, 3600),
    )


def _authorities(given: _Given) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=given.text("ca_file") or None)
    except OSError:
        raise given.wrong("ca_file", "cannot be read as certificates in PEM") from None


def _zone(given: _Given) -> ZoneInfo:
    try:
        return ZoneInfo(given.text("timezone"))
    except (KeyError, ValueError, OSError):
        raise given.wrong("timezone", 'write an IANA name, such as "Europe/Rome"') from None
