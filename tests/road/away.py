"""Answers that nobody wrote, as mail servers and mail programs send them while somebody is away: the fields they have.

`{id}` is the Message-ID of the mail that is answered, `{subject}` its subject. All fields besides those of every mail:
From, To, Date, Message-ID.
"""

from __future__ import annotations

AWAY: dict[str, str] = {
    "Exchange Online": """\
Subject: Automatic reply: {subject}
In-Reply-To: {id}
References: {id}
Auto-Submitted: auto-generated
X-Auto-Response-Suppress: All
X-MS-Exchange-Parent-Message-Id: {id}
X-MS-TNEF-Correlator:
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
""",
    "Exchange in Italian": """\
Subject: =?utf-8?B?UmlzcG9zdGEgYXV0b21hdGljYTog?= {subject}
In-Reply-To: {id}
Auto-Submitted: auto-generated
X-Auto-Response-Suppress: All
""",
    "Exchange in Spanish, whose subject is folded": """\
Subject: =?iso-8859-1?Q?Respuesta_autom=E1tica:?=
 {subject}
In-Reply-To: {id}
Auto-Submitted: auto-generated
""",
    "Exchange in Dutch, which says no more than what not to send back": """\
Subject: Automatisch antwoord: {subject}
In-Reply-To: {id}
X-Auto-Response-Suppress: DR, OOF, AutoReply
""",
    "Exchange 2003": """\
Subject: Out of Office AutoReply: {subject}
X-MimeOLE: Produced By Microsoft Exchange V6.5
Thread-Topic: {subject}
""",
    "Exchange whose marks a filter has taken away": """\
Subject: Automatic reply: {subject}
In-Reply-To: {id}
""",
    "Outlook: a rule has the server answer": """\
Subject: Thank you for your message
In-Reply-To: {id}
References: {id}
X-MS-Exchange-Inbox-Rules-Loop: clinic@example.test
X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent
""",
    "Gmail": """\
Subject: Re: {subject}
In-Reply-To: {id}
References: {id}
Precedence: bulk
X-Autoreply: yes
""",
    "Gmail, since it follows RFC 3834": """\
Subject: Away until Monday Re: {subject}
In-Reply-To: {id}
References: {id}
Precedence: bulk
X-Autoreply: yes
Auto-Submitted: auto-replied
""",
    "Sieve": """\
Subject: Auto: {subject}
In-Reply-To: {id}
Auto-Submitted: auto-replied (vacation)
Precedence: bulk
X-Sieve: Pigeonhole Sieve
""",
    "Zimbra": """\
Subject: Out of Office: {subject}
In-Reply-To: {id}
Auto-Submitted: auto-replied (zimbra; vacation)
Precedence: bulk
""",
    "iCloud": """\
Subject: Re: {subject}
In-Reply-To: {id}
Auto-Submitted: auto-replied; owner-email=clinic@example.test
""",
    "Domino": """\
Subject: AUTO: Anna Rossi is out of the office (returning 05/12/2026)
In-Reply-To: {id}
Auto-Submitted: auto-generated
""",
    "an old responder": """\
Subject: Re: {subject}
Precedence: auto_reply
""",
    "a hosting panel": """\
Subject: We got your mail
X-Autorespond: {subject}
""",
}

WORDS = "I am out of the office until Monday.\nIn urgent cases call the front desk.\n"


def away(form: str, sender: str, recipient: str, answered: str, subject: str) -> bytes:
    """An answer in one of these forms to the mail with the Message-ID `answered`."""
    fields = AWAY[form].format(id=answered, subject=subject)
    number = list(AWAY).index(form)
    return (
        (
            f"From: Anna Rossi <{sender}>\nTo: <{recipient}>\nDate: Sun, 22 Nov 2026 09:30:00 +0100\n"
            f"Message-ID: <away-{number}@mail.example.test>\n{fields}\n{WORDS}"
        )
        .replace("\n", "\r\n")
        .encode()
    )
