"""The mails the bridge writes, composed from values alone; the last room on the way back before the postman's queue.

`report` says what became of a mail's text messages (RFC 3464), `reply` brings a phone's answer. Both are pure: the
same values give the same bytes, so that a notice made again after doubt is recognised by its Message-ID.
"""

from bridge.notices.answer import reply
from bridge.notices.delivery import report

__all__ = ["reply", "report"]
