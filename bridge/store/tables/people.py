"""The tables of people and of the house: mailboxes, what they used, who wants no texts, and what all bridges share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from bridge.store.tables.columns import Private, Utc, table


class Organisation(SQLModel, table=True):
    """Who runs mailboxes together: a clinic. A small installation has one."""

    id: str = Field(primary_key=True)
    name: str
    created_at: datetime = Field(sa_type=Utc)


class MailboxRow(SQLModel, table=True):
    """A user of the bridge (`bridge.types.Mailbox`)."""

    __tablename__ = "mailbox"

    id: str = Field(primary_key=True)
    organisation_id: str = Field(foreign_key="organisation.id")
    login: str = Field(unique=True)
    password_hash: str
    addresses: list[str] = Field(sa_type=JSON)
    networks: list[str] = Field(sa_type=JSON)
    region: str
    countries: list[str] = Field(sa_type=JSON)
    language: str
    timezone: str
    sender: str
    pool: list[str] = Field(sa_type=JSON)
    """Further sender numbers; with them each phone gets one that no other mailbox uses with it."""
    confirm: str
    unicode: str
    max_segments: int
    daily_cap: int | None
    paused: bool
    subject: str
    """One of `types.SubjectUse`."""
    kept_cuts: list[str] = Field(sa_type=JSON)
    """Rules that cut nothing from its mails (`types.CutRule`)."""
    end_marks: list[str] = Field(sa_type=JSON)
    grammar: str | None
    """The other service whose mails it writes (`types.GrammarName`)."""
    order_password_hash: str
    """Of the password that such mails must show; empty when none is asked for."""
    digest_to: list[str] = Field(sa_type=JSON)
    """Addresses that get its digest; without one there is none."""
    digest_at: str
    """Time of day in its zone, `18:00`."""
    digest_days: int
    """For how long after a text its fate and its answers are told."""
    digest_since: datetime | None = Field(sa_type=Utc)
    """When it was switched on; null while there is none."""
    unprompted: str
    """What a phone is texted that writes by itself; empty for nothing."""
    closed: str
    """What a phone is texted that writes outside the opening hours; empty for nothing."""
    hours: str
    """The opening hours as they are written (`types.OpeningHours`); empty for none."""
    subject_tags: bool
    """Subjects of answers say what the phone wants of an appointment."""
    phone_languages: list[str] = Field(sa_type=JSON)
    """ISO 639-1: further languages in which its phones write."""
    created_at: datetime = Field(sa_type=Utc)


class AppPasswordRow(SQLModel, table=True):
    """A further password of a mailbox (`bridge.types.AppPassword`)."""

    __tablename__ = "app_password"
    __table_args__ = (UniqueConstraint("mailbox_id", "name"),)

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id")
    name: str
    verifier: str
    """Written by `access.scram`. Those of one mailbox have one salt, since nobody can know with which of them somebody
    is about to log in."""
    created_at: datetime = Field(sa_type=Utc)
    used_at: datetime | None = Field(sa_type=Utc)
    """About when somebody last logged in with it."""


class ClientCertificateRow(SQLModel, table=True):
    """What a machine shows in the TLS handshake in a mailbox's place (`bridge.types.ClientCertificate`)."""

    __tablename__ = "client_certificate"
    __table_args__ = (UniqueConstraint("mailbox_id", "name"),)

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id")
    name: str
    fingerprint: str = Field(unique=True)
    """SHA-256 over its DER."""
    pem: str
    until: datetime = Field(sa_type=Utc)
    """Not valid any more after this."""
    created_at: datetime = Field(sa_type=Utc)
    used_at: datetime | None = Field(sa_type=Utc)
    """About when it was last shown."""


class Contact(SQLModel, table=True):
    """A name in an organisation's address book: of a phone, or of a group when it has no number."""

    __table_args__ = (UniqueConstraint("organisation_id", "key"),)

    id: str = Field(primary_key=True)
    organisation_id: str = Field(foreign_key="organisation.id")
    name: str = Field(sa_type=Private)
    key: str = Field(sa_type=Private)
    """The name as it is compared (`reading.names`)."""
    number: str | None = Field(sa_type=Private)
    created_at: datetime = Field(sa_type=Utc)


class Membership(SQLModel, table=True):
    """A contact in a group."""

    group_id: str = Field(primary_key=True, foreign_key="contact.id")
    contact_id: str = Field(primary_key=True, foreign_key="contact.id", index=True)


class SignatureRow(SQLModel, table=True):
    """What ends the mails of a mailbox again and again; from some time on it is its signature and is cut."""

    __tablename__ = "signature"
    __table_args__ = (UniqueConstraint("mailbox_id", "digest"),)

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id")
    digest: str
    """Keyed hash of the text."""
    text: str = Field(sa_type=Private)
    seen: int
    """Mails since then with different words above it."""
    since: datetime = Field(sa_type=Utc)
    above: str
    """Keyed hash of the whole text of the last of them."""
    seen_at: datetime = Field(sa_type=Utc)
    """When the last of them came."""
    learned_at: datetime | None = Field(sa_type=Utc)
    forgotten_at: datetime | None = Field(sa_type=Utc)
    """Somebody said that it is none; it is not learned again."""


class KeywordRow(SQLModel, table=True):
    """A word of a mailbox, and what is done with an SMS that begins with it (`bridge.types.Keyword`)."""

    __tablename__ = "keyword"
    __table_args__ = (UniqueConstraint("mailbox_id", "key"),)

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id")
    key: str
    """The word as it is compared (`meaning.keywords`)."""
    word: str
    reply: str
    forward: list[str] = Field(sa_type=JSON)
    tag: str
    webhook: str
    """Where the SMS is posted to; empty for nowhere."""
    created_at: datetime = Field(sa_type=Utc)


class Usage(SQLModel, table=True):
    """Messages a mailbox sent on one day of its own time zone; the daily cap is judged by it."""

    mailbox_id: str = Field(primary_key=True, foreign_key="mailbox.id")
    day: str = Field(primary_key=True)
    messages: int


class Digest(SQLModel, table=True):
    """A day of a mailbox, in its own time zone, whose digest was composed, or on which there was nothing to tell."""

    mailbox_id: str = Field(primary_key=True, foreign_key="mailbox.id")
    day: str = Field(primary_key=True)
    composed_at: datetime = Field(sa_type=Utc)


class OptOut(SQLModel, table=True):
    """A phone that asked one sender number for no more texts."""

    __tablename__ = "opt_out"
    __table_args__ = (UniqueConstraint("organisation_id", "sender", "number_hash"),)

    id: str = Field(primary_key=True)
    organisation_id: str = Field(foreign_key="organisation.id")
    sender: str
    number: str = Field(sa_type=Private)
    number_hash: str
    inbound_id: str | None
    since: datetime = Field(sa_type=Utc)
    wish: bool
    """It asked in words of its own, and its mailbox may text it again; else it was an order (STOP)."""


class Installation(SQLModel, table=True):
    """What holds for the database as a whole: the mark of the key that its number hashes were made with."""

    name: str = Field(primary_key=True)
    value: str


class Revision(SQLModel, table=True):
    """A counter that every change of mailboxes or opt-outs moves; running bridges watch it and read again."""

    name: str = Field(primary_key=True)
    value: int


organisations = table("organisation")
mailboxes = table("mailbox")
app_passwords = table("app_password")
client_certificates = table("client_certificate")
keywords = table("keyword")
usages = table("usage")
digests = table("digest")
opt_outs = table("opt_out")
contacts = table("contact")
memberships = table("membership")
signatures = table("signature")
installations = table("installation")
revisions = table("revision")
