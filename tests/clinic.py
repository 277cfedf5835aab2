"""The mailbox that most tests begin with: a clinic in Italy."""

from __future__ import annotations

from bridge.types import Language, Mailbox

CLINIC = Mailbox(
    id="clinic",
    organisation_id="main",
    login="clinic@example.test",
    addresses=("@example.test",),
    region="IT",
    countries=("IT",),
    language=Language.ENGLISH,
    timezone="Europe/Rome",
    sender="+390200000001",
)
