"""The schema: every table of the bridge, as SQLModel classes that the Core statements of this room use.

Rules that hold for all of them:

* every row belongs to an organisation, its own or that of the row it hangs on;
* a telephone number stands beside its keyed hash, and only the hash is searched, so that the number's own
  column can be encrypted later without touching a query (`Private` marks such columns);
* what people wrote stands in a table of its own (`…_content`), so that retention and erasure can take the words
  and leave the skeleton of what happened;
* times are UTC; ids are ULIDs of `bridge.clock`, so they sort by time.
"""

from bridge.store.tables.columns import FILING, HIGH, QUEUED, RELAY, SENDING, UNKNOWN, WEBHOOK, Private, Utc
from bridge.store.tables.heard import conversations, inbound_contents, inbound_parts, inbounds, poll_cursors, receipts
from bridge.store.tables.outbound import (
    attempts,
    automatic_texts,
    fingerprints,
    message_contents,
    messages,
    paces,
    segments,
    submission_contents,
    submissions,
)
from bridge.store.tables.people import (
    app_passwords,
    client_certificates,
    contacts,
    digests,
    installations,
    keywords,
    mailboxes,
    memberships,
    opt_outs,
    organisations,
    revisions,
    signatures,
    usages,
)
from bridge.store.tables.watched import watched_mails, watches
from bridge.store.tables.way_back import mail_contents, mails

__all__ = [
    "FILING",
    "HIGH",
    "QUEUED",
    "RELAY",
    "SENDING",
    "UNKNOWN",
    "WEBHOOK",
    "Private",
    "Utc",
    "app_passwords",
    "attempts",
    "automatic_texts",
    "client_certificates",
    "contacts",
    "conversations",
    "digests",
    "fingerprints",
    "inbound_contents",
    "inbound_parts",
    "inbounds",
    "installations",
    "keywords",
    "mail_contents",
    "mailboxes",
    "mails",
    "memberships",
    "message_contents",
    "messages",
    "opt_outs",
    "organisations",
    "paces",
    "poll_cursors",
    "receipts",
    "revisions",
    "segments",
    "signatures",
    "submission_contents",
    "submissions",
    "usages",
    "watched_mails",
    "watches",
]
