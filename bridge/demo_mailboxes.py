"""The users of the demo and the phone it proposes, as plain values: for the demo itself, and for preview."""

from __future__ import annotations

from bridge.types import Language, Mailbox

DOMAIN = "sms.example.test"
"""Mail domain of the demo's phones, which is the default of `Settings.domain`."""

SAMPLE_NUMBER = "+393470000123"
"""The phone that the demo proposes to text."""

PASSWORDS = {"clinic@example.test": "clinic-demo", "front-desk@example.test": "desk-demo"}
"""Logins of the demo, the one it proposes first. They are public, and work on loopback only."""


def demo_mailbox(login: str, password_hash: str = "") -> Mailbox:
    """A mailbox of the demo, for any of its logins."""
    return Mailbox(
        id="demo",
        organisation_id="demo",
        login=login,
        addresses=("@example.test",),
        region="IT",
        countries=("IT",),
        language=Language.ENGLISH,
        timezone="Europe/Rome",
        sender="+390200000001",
        password_hash=password_hash,
    )
