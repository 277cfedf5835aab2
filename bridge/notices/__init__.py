"""The mails the bridge writes, composed from values alone; the last room on the way back before the postman's queue.

`report` says what became of a mail's text messages (RFC 3464), `reply` brings a phone's answer, `phone_mail` is a mail
that a phone wrote to others, `previewed` tells what a mail would send, `learned` which lines are no longer texted,
`digest` what became of all texts of a mailbox, `ruling` what it decided about a phone, `turned_away` why a mail in a
watched mailbox was not texted; `filed_copy` is the record of a text in the mailbox's folders. All are pure: the same
values give the same bytes, so that a notice made again after doubt is recognised by its Message-ID.
"""

from bridge.notices.answer import reply
from bridge.notices.copy import copy_id, filed_copy
from bridge.notices.delivery import report
from bridge.notices.digest import digest
from bridge.notices.enclosed import files_of
from bridge.notices.learned import learned
from bridge.notices.phone_mail import phone_mail
from bridge.notices.preview import previewed
from bridge.notices.ruling import ruling
from bridge.notices.turned_away import turned_away

__all__ = [
    "copy_id",
    "digest",
    "filed_copy",
    "files_of",
    "learned",
    "phone_mail",
    "previewed",
    "reply",
    "report",
    "ruling",
    "turned_away",
]
