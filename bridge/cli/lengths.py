"""How long a text is that the bridge is to send by itself; commands that take such texts ask for it."""

from __future__ import annotations

from bridge.errors import MailRefusal, UsageError
from bridge.types import Mailbox


def count(mailbox: Mailbox, text: str) -> int:
    """How many SMS a text of the mailbox takes. Raises MailRefusal for one that no number of them can hold."""
    from bridge.answering import spelling
    from bridge.sms.encoding import encode

    return len(encode(text, spelling(mailbox)).segments)


def check(mailbox: Mailbox, text: str, name: str) -> int:
    """The same. Raises UsageError when these are too many; `name` is what the sentence calls the text."""
    try:
        needed = count(mailbox, text)
    except MailRefusal as refusal:
        raise UsageError(refusal.sentence) from refusal
    if needed > mailbox.max_segments:
        raise UsageError(f"{name} takes {needed} SMS; those of {mailbox.login} may take {mailbox.max_segments}.")
    return needed
