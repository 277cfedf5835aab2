"""The mails the bridge writes, composed from values alone; the last room on the way back before the postman's queue.

`report` says what became of a mail's text messages (RFC 3464), `reply` brings a phone's answer, `previewed` tells what
a mail would send, `learned` which lines are no longer texted, `digest` what became of all texts of a mailbox;
`filed_copy` is the record of a text in the mailbox's folders. All are pure: the same values give the same bytes, so
that a notice made again after doubt is recognised by its Message-ID.
"""

from bridge.notices.answer import reply
from bridge.notices.copy import copy_id, filed_copy
from bridge.notices.delivery import report
from bridge.notices.digest import digest
from bridge.notices.learned import learned
from bridge.notices.preview import previewed

__all__ = ["copy_id", "digest", "filed_copy", "learned", "previewed", "reply", "report"]
