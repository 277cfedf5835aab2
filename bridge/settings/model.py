"""What an operator can decide: every key with its type and default, as frozen sections.

`config/bridge.toml` repeats the defaults and says why each is what it is; a test holds the two together.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from bridge.settings.accounts import FilingSettings, OAuthSettings, WatchSettings
from bridge.settings.choices import (
    Ambiguous,
    ConfirmOrders,
    LogFormat,
    LogLevel,
    MailAuth,
    RelayProtocol,
    TlsMode,
)
from bridge.settings.section import FilePath, PerSecond, Port, PortOrOff, Seconds, Section
from bridge.types import MessageClass, National


class LogSettings(Section):
    """What the log holds and how it looks; it goes to standard error."""

    level: LogLevel = LogLevel.INFO
    format: LogFormat = LogFormat.JSON


class DatabaseSettings(Section):
    """Where messages are kept. None means the file `bridge.db` in the data folder."""

    url: SecretStr | None = None
    url_file: FilePath | None = None


class SmtpSettings(Section):
    """The front door: where mail programs hand in their mail (RFC 6409, RFC 8314)."""

    host: str = "127.0.0.1"
    port: PortOrOff = 587
    """Listener with STARTTLS; 0 is off."""
    tls_port: PortOrOff = 0
    """Listener with implicit TLS, usually 465; 0 is off."""
    certificate: FilePath | None = None
    private_key: FilePath | None = None
    plaintext_login: bool = False
    """Login without TLS, for tests on the machine itself; honoured on loopback only."""
    scram: bool = False
    """Offer SCRAM-SHA-256, which knows app passwords only; programs that can do it do nothing else then."""
    certificates_from: tuple[str, ...] = ()
    """Networks (CIDR) whose machines are asked for a client certificate."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) of the proxies that say with the PROXY protocol for whom they connect."""
    max_mail_bytes: Annotated[int, Field(ge=65_536, le=1_073_741_824)] = 26_214_400
    max_recipients: Annotated[int, Field(ge=100, le=100_000)] = 1000
    """At least 100 (RFC 5321 section 4.5.3.1.8)."""
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = 1000
    max_connections_per_address: Annotated[int, Field(ge=1, le=100_000)] = 100
    command_timeout: Seconds = 300.0
    """Seconds without a byte from the client before it is let go (RFC 5321 section 4.5.3.2.7)."""
    drain_timeout: Seconds = 30.0
    """Seconds that mails already in transfer get when the bridge stops."""
    disk_reserve: Annotated[int, Field(ge=0, le=1_099_511_627_776)] = 67_108_864
    """Bytes of free disk below which mail is refused for now (RFC 3463 X.3.1)."""


class MxSettings(Section):
    """The MX door: where the mail servers of others bring mail (RFC 5321). Its certificate is that of `smtp`."""

    host: str = "0.0.0.0"
    port: PortOrOff = 0
    """Other servers come to 25 only; 0 is off."""
    max_mail_bytes: Annotated[int, Field(ge=65_536, le=1_073_741_824)] = 10_485_760
    max_recipients: Annotated[int, Field(ge=100, le=100_000)] = 100
    """At least 100 (RFC 5321 section 4.5.3.1.8)."""
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = 100
    max_connections_per_address: Annotated[int, Field(ge=1, le=100_000)] = 10
    command_timeout: Seconds = 300.0
    """Seconds without a whole command before a peer is let go (RFC 5321 section 4.5.3.2.7)."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) of the proxies that say with the PROXY protocol for whom they connect."""
    trusted_forwarders: tuple[str, ...] = ()
    """Domains, in lower case, whose ARC seals are believed (RFC 8617)."""
    name_servers: tuple[str, ...] = ()
    """Addresses, with a port if it is not 53; none: those of the machine."""


class HttpSettings(Section):
    """The web listener: callbacks of the provider, health, metrics."""

    host: str = "127.0.0.1"
    port: Port = 8025
    public_url: str = "http://127.0.0.1:8025"
    """How the provider reaches this listener, through whatever stands before it; no slash at the end."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) of the reverse proxies that say for whom they call (RFC 7239)."""
    metrics_token: SecretStr | None = None
    """What a Prometheus server shows (`Authorization: Bearer`); None lets only this machine read the metrics."""
    metrics_token_file: FilePath | None = None


class RelaySettings(Section):
    """The mail server that takes the bridge's own mails: reports and replies."""

    protocol: RelayProtocol = RelayProtocol.SMTP
    host: str = "localhost"
    port: Port = 587
    socket: FilePath | None = None
    """Unix socket of an LMTP server, in place of host and port."""
    tls: TlsMode = TlsMode.STARTTLS
    auth: MailAuth = MailAuth.PASSWORD
    username: str = ""
    password: SecretStr | None = None
    password_file: FilePath | None = None
    token_file: FilePath | None = None
    """Where the access token stands, as in `ImapSettings`; or"""
    oauth: str = ""
    """the name in `[oauth]` of the application that somebody has consented to."""
    ca_file: FilePath | None = None
    """Authorities to trust instead of the system's, in PEM."""
    bounces_from: tuple[str, ...] = ()
    """Networks (CIDR) whose mail servers may hand bounces of replies back without a login."""


class DkimSettings(Section):
    """The key that the bridge signs its mails with (RFC 6376); None: they leave unsigned."""

    domain: str = ""
    """Whose signature it is; empty for the domain of the phones, which the mails come from."""
    selector: str = "bridge"
    key_file: FilePath | None = None


class IssuerSettings(Section):
    """Who issues access tokens that are taken as logins: `[issuers.NAME]`."""

    issuer: str
    """As it stands in the tokens (`iss`)."""
    audience: tuple[str, ...]
    """What tokens for this bridge have in `aud`; one of these."""
    keys_url: str = ""
    """Where its keys are, as a JWK Set (RFC 7517), or"""
    keys_file: FilePath | None = None
    """the file they stand in."""
    claim: str = "email"
    """Which claim of a token is the mailbox's login."""


class GatewaySettings(Section):
    """One connection to an SMS provider; its name is the key in `[gateways.NAME]`."""

    kind: str
    """Which provider; `docs/gateways.md` names them all."""
    url: str = ""
    """Where its API is; empty for the provider's own address."""
    account: str = ""
    """User, account id or API key: what the provider calls the public half of the login."""
    secret: SecretStr | None = None
    secret_file: FilePath | None = None
    webhook_secret: SecretStr | None = None
    """What the provider signs its callbacks with, where that is not `secret`."""
    webhook_secret_file: FilePath | None = None
    options: dict[str, str] = Field(default={})
    """What this provider wants to know besides."""
    timeout: Seconds = 30.0
    rate: PerSecond | None = None
    """Segments a second that all nodes together hand to this gateway; None for what its provider documents, 0 for as
    many as it takes."""
    sender_rate: PerSecond | None = None
    """The same for each sender number by itself."""
    shift_tables: tuple[National, ...] = ()
    """National language tables that its texts may be written with (3GPP TS 23.038 annex A); only where it carries
    them."""
    balance_below: Annotated[Decimal, Field(ge=0, le=1_000_000_000, allow_inf_nan=False)] | None = None
    """The operator is told when less is left on the account, in its own unit; None: he is not."""


class RouteSettings(Section):
    """One way to the phones, `[[routes]]`; what it leaves out fits everything."""

    gateway: str
    """Name in `gateways`."""
    countries: tuple[str, ...] = ()
    """ISO 3166 countries of the phone."""
    prefixes: tuple[str, ...] = ()
    """Beginnings of the phone's number, as in `+39333`."""
    senders: tuple[str, ...] = ()
    classes: tuple[MessageClass, ...] = ()
    mailboxes: tuple[str, ...] = ()
    """Logins."""
    priority: Annotated[int, Field(ge=0, le=1000)] = 10
    """The lowest goes first."""
    weight: Annotated[int, Field(ge=1, le=1000)] = 1
    """Share of the phones among the routes of one priority."""


class SendingSettings(Section):
    """How messages are handed to the gateway. All times in seconds."""

    gateway: str = ""
    """Name in `gateways` of the one that messages go to for which no route is set up."""
    first_retry: Seconds = 1.0
    max_retry: Seconds = 900.0
    give_up_after: Seconds = 86_400.0
    unknown_after: Seconds = 15.0
    """How long an unknown outcome waits for a late receipt before the sender is told."""
    in_flight: Annotated[int, Field(ge=1, le=1000)] = 50
    """Messages handed to each gateway at the same time."""
    most_queued: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1_000_000
    """Messages that may wait; from there on mail is refused for now."""
    resubmission_window: Seconds = 86_400.0
    """How long the same mail is recognised and not sent again."""


class ReportSettings(Section):
    """When delivery reports are mailed."""

    wait: Seconds = 60.0
    """Longest wait, from the first settled recipient of a mail, for the others."""
    late_after: Seconds = 3_600.0
    """How long a text may wait, from the moment when it may leave, until its sender is told that it is late."""


class ReplySettings(Section):
    """Whose mailbox a phone's answer goes to, and what the bridge answers a phone by itself."""

    window_days: Annotated[int, Field(ge=1, le=3650)] = 14
    """For how long after its last text a conversation gets the phone's answers, and keeps its number of a pool."""
    fallback: str = ""
    """Login of the mailbox that gets answers which belong to nobody; empty: the one that was added first."""
    ambiguous: Ambiguous = Ambiguous.LAST
    beyond_thread: Annotated[int, Field(ge=0, le=100_000)] = 5
    """Most phones that an answer may text beyond those that its mail thread knows."""
    history: Annotated[int, Field(ge=0, le=20)] = 6
    """Most earlier texts of the conversation, both ways, that the mail with an answer shows below it."""
    confirm_orders: ConfirmOrders = ConfirmOrders.UNLESS_PROVIDER
    automatic_texts: Annotated[int, Field(ge=1, le=20)] = 3
    """Texts that the bridge sends by itself to one phone from one number within 24 hours, at most."""
    phones_may_mail: tuple[str, ...] = ()
    """Phones, in E.164, whose SMS in the form of a mail are mailed to whom they name."""
    phones_may_mail_to: tuple[str, ...] = ()
    """Whom these may mail: addresses, or `@domain` for all of a domain."""


class OperatorSettings(Section):
    """Who is told when something is wrong, and from when on it is. Times in seconds."""

    address: str = ""
    """Mail address; empty: nobody is mailed, the log and `/readyz` say it."""
    nothing_sent_for: Seconds = 600.0
    queue_older_than: Seconds = 3600.0
    refusing_for: Seconds = 300.0
    """How long every try of a gateway, of the mail server or of an IMAP account must have failed."""
    disk_free_below: Annotated[int, Field(ge=0, le=1_099_511_627_776)] = 536_870_912
    """Bytes; more than `smtp.disk_reserve`, so that the operator hears of it before senders do."""


class Settings(Section):
    """Everything that an operator can decide about one bridge."""

    domain: str = "sms.example.test"
    """Mail domain of the phones: `+393331234567@sms.example.test`."""
    hostname: str = "localhost"
    """The bridge's own name in SMTP greetings (RFC 5321 section 4.1.1.1)."""
    data_dir: FilePath = Path("/var/lib/smtp-sms-bridge")
    log: LogSettings = LogSettings()
    database: DatabaseSettings = DatabaseSettings()
    smtp: SmtpSettings = SmtpSettings()
    mx: MxSettings = MxSettings()
    http: HttpSettings = HttpSettings()
    relay: RelaySettings = RelaySettings()
    dkim: DkimSettings = DkimSettings()
    filing: dict[str, FilingSettings] = Field(default={})
    watch: dict[str, WatchSettings] = Field(default={})
    oauth: dict[str, OAuthSettings] = Field(default={})
    issuers: dict[str, IssuerSettings] = Field(default={})
    gateways: dict[str, GatewaySettings] = Field(default={})
    routes: tuple[RouteSettings, ...] = ()
    sending: SendingSettings = SendingSettings()
    reports: ReportSettings = ReportSettings()
    replies: ReplySettings = ReplySettings()
    operator: OperatorSettings = OperatorSettings()

    @property
    def answers_through(self) -> str:
        """Address of the watched mailbox that answers to phones go to; empty: they go to the phones' own addresses."""
        return next((address for address, watch in self.watch.items() if watch.answers), "")

    def secrets(self) -> tuple[str, ...]:
        """Values that must never reach a log."""
        values = (
            self.database.url,
            self.relay.password,
            self.http.metrics_token,
            *(filing.password for filing in self.filing.values()),
            *(watch.password for watch in self.watch.values()),
            *(oauth.client_secret for oauth in self.oauth.values()),
            *(gateway.secret for gateway in self.gateways.values()),
            *(gateway.webhook_secret for gateway in self.gateways.values()),
        )
        return tuple(value.get_secret_value() for value in values if value is not None)


def demo_settings(data_dir: Path, smtp_port: int, http_port: int, mail_port: int, secret: str) -> Settings:
    """The settings of `bridge demo`: everything on loopback, the simulated phone network, a catch-all mailbox.

    `mail_port` is where the simulated mail server listens; `secret` proves bridge and network to each other.
    """
    here = f"http://127.0.0.1:{http_port}"
    return Settings(
        data_dir=data_dir,
        log=LogSettings(format=LogFormat.TEXT),
        smtp=SmtpSettings(port=smtp_port, plaintext_login=True, scram=True),
        http=HttpSettings(port=http_port, public_url=here),
        relay=RelaySettings(host="127.0.0.1", port=mail_port, tls=TlsMode.NONE),
        gateways={
            "simulator": GatewaySettings(kind="simulator", url=f"{here}/simulator/provider", secret=SecretStr(secret))
        },
        sending=SendingSettings(gateway="simulator"),
        replies=ReplySettings(fallback="clinic@example.test"),
    )
