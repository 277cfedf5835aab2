"""The forms in which other services take mail, one small table each, so that a system that was made for one of them
changes its mail server and nothing else.

A mailbox has at most one. Its addresses are asked `Grammar.address` first, its mails are read by `read_order`; what
these leave open is read as in every mail. docs/moving-here.md tells the people who have such systems.
"""

from collections.abc import Mapping
from types import MappingProxyType

from bridge.reading.grammars import aspsms, clickatell, lox24, ovh, seven, sms_partner, textanywhere, textlocal
from bridge.reading.grammars.order import Evidence, Grammar, LegacyMail, Order, read_order
from bridge.reading.grammars.redaction import redacted, redacted_address, redacted_headers
from bridge.types import GrammarName

__all__ = [
    "GRAMMARS",
    "Evidence",
    "Grammar",
    "LegacyMail",
    "Order",
    "read_order",
    "redacted",
    "redacted_address",
    "redacted_headers",
]

GRAMMARS: Mapping[GrammarName, Grammar] = MappingProxyType(
    {
        GrammarName.CLICKATELL: clickatell.GRAMMAR,
        GrammarName.OVH: ovh.GRAMMAR,
        GrammarName.ASPSMS: aspsms.GRAMMAR,
        GrammarName.TEXTLOCAL: textlocal.GRAMMAR,
        GrammarName.TEXTANYWHERE: textanywhere.GRAMMAR,
        GrammarName.SEVEN: seven.GRAMMAR,
        GrammarName.SMS_PARTNER: sms_partner.GRAMMAR,
        GrammarName.LOX24: lox24.GRAMMAR,
    }
)
