"""How mail programs ask for delivery receipts, and what their mails then ask of reports, through whatever door."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True)
class Request:
    """The way of one program."""

    fields: tuple[str, ...] = ()
    """Of the mail's header."""
    notify: str = ""
    """NOTIFY at RCPT; only where the program itself speaks to the bridge, or a server passes it on."""
    wants: str = "DELAY,FAILURE"
    """Which outcomes are reported; the default is that of a mailbox."""


REQUESTS = {
    "none": Request(),
    "Outlook's delivery receipt": Request(("Return-Receipt-To: <clinic@example.test>",), wants="DELAY,FAILURE,SUCCESS"),
    "Outlook's read receipt": Request(('Disposition-Notification-To: "Clinic" <clinic@example.test>',)),
    "both of Outlook": Request(
        ("Return-Receipt-To: <clinic@example.test>", "Disposition-Notification-To: <clinic@example.test>"),
        wants="DELAY,FAILURE,SUCCESS",
    ),
    "Thunderbird's return receipt, for reading": Request(
        ("Disposition-Notification-To: Clinic <clinic@example.test>",)
    ),
}
"""What is in the mail itself, and so comes through every door."""

NOTIFIED = {
    "Thunderbird's delivery status": Request(notify="SUCCESS,FAILURE", wants="FAILURE,SUCCESS"),
    "with delays": Request(notify="SUCCESS,FAILURE,DELAY", wants="DELAY,FAILURE,SUCCESS"),
    "never": Request(notify="NEVER", wants=""),
    "never, whatever the header says": Request(("Return-Receipt-To: <clinic@example.test>",), "NEVER", ""),
    "delays alone": Request(notify="DELAY", wants="DELAY"),
}
"""What is in the envelope."""


async def wanted(engine: AsyncEngine) -> list[str]:
    """Which outcomes of each message are reported."""
    async with engine.connect() as connection:
        return list((await connection.exec_driver_sql("SELECT report_on FROM message")).scalars())
