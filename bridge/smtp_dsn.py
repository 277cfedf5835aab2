"""What a client asks of delivery reports in MAIL and RCPT (DSN, RFC 3461): values of parameters in, values out.

Offered as `DSN`. ENVID and ORCPT are given back in reports as they came, so they are decoded here once and keep
their case. A value that is not exactly as the RFC says is refused: a report that never comes, or comes unasked, is
found out too late.
"""

from __future__ import annotations

import re

from bridge.smtp_syntax import BadCommand, decode_xtext
from bridge.types import Notify, Ret

MAX_ENVID = 100
"""Characters of an encoded ENVID (RFC 3461 section 4.4)."""
MAX_ORCPT = 500
"""Characters of an encoded ORCPT (RFC 3461 section 4.2)."""

_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\Z")
_UNITEXT = re.compile("(?:[!-*,-<>-\\[\\]-~\u0080-\U0010ffff]|\\\\x\\{[0-9A-F]{2,6}\\})+\\Z")
_NOTIFIES = frozenset(notify.value for notify in Notify if notify is not Notify.RELAYED)
_RETS = frozenset(ret.value for ret in Ret)


def read_notify(value: str) -> frozenset[Notify]:
    """`NOTIFY=` of RCPT (section 4.1): NEVER stands alone, the others may be combined. Raises `BadCommand`."""
    words = value.upper().split(",")
    if any(word not in _NOTIFIES for word in words):
        raise BadCommand("501 5.5.4 NOTIFY is NEVER, or a list of SUCCESS, FAILURE and DELAY.")
    wanted = frozenset(Notify(word) for word in words)
    if Notify.NEVER in wanted and len(words) > 1:
        raise BadCommand("501 5.5.4 NOTIFY=NEVER stands alone.")
    return wanted


def read_original_recipient(value: str, *, smtputf8: bool) -> str:
    """`ORCPT=` of RCPT (section 4.2): `type;xtext`, given back as `type;address`. Raises `BadCommand`.

    An address of type `utf-8` may come unencoded in a mail that asks for SMTPUTF8 (RFC 6533 section 3).
    """
    address_type, separator, encoded = value.partition(";")
    if not separator or not encoded or len(value) > MAX_ORCPT or not _ADDRESS_TYPE.match(address_type):
        raise BadCommand(
            f"501 5.5.4 ORCPT is type;address with at most {MAX_ORCPT} characters, as in rfc822;a@b.example."
        )
    if smtputf8 and address_type.lower() == "utf-8" and not encoded.isascii() and _UNITEXT.match(encoded):
        return value
    return f"{address_type};{decode_xtext(encoded)}"


def read_ret(value: str) -> Ret:
    """`RET=` of MAIL (section 4.3). Raises `BadCommand`."""
    if value.upper() not in _RETS:
        raise BadCommand("501 5.5.4 RET is FULL or HDRS.")
    return Ret(value.upper())


def read_envid(value: str) -> str:
    """`ENVID=` of MAIL (section 4.4), decoded, its case kept. Raises `BadCommand`."""
    if not value or len(value) > MAX_ENVID:
        raise BadCommand(f"501 5.5.4 ENVID holds 1 to {MAX_ENVID} characters.")
    return decode_xtext(value)
