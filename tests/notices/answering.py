"""Answers to a reply mail as mail programs write them: the new words above, and below them the whole mail, each in the
form of its program."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import parseaddr

from tests.notices.samples import parts, words

Program = Callable[[str, Message], EmailMessage]


def _mail(answered: Message, text: str, subtype: str) -> EmailMessage:
    """A mail of the receptionist's to the phone."""
    mail = EmailMessage()
    mail["From"] = "Segreteria <clinic@example.test>"
    mail["To"] = answered["Reply-To"].replace("\r", "").replace("\n", "")
    mail["Subject"] = "Re: Visita"
    mail["Message-ID"] = "<answer@example.test>"
    mail["In-Reply-To"] = answered["Message-ID"]
    mail.set_content(text, subtype=subtype, cte="quoted-printable")
    return mail


def _who(answered: Message) -> tuple[str, str]:
    phrase, address = parseaddr(answered["From"])
    return str(make_header(decode_header(phrase))), address


def _plain(answered: Message) -> str:
    return words(parts(answered)[0]).rstrip("\n")


def _body(answered: Message) -> str:
    """What stands in the body of the HTML part: mail programs drop the rest, or keep it in a head of their own."""
    found = re.search(r"<body>\n(.*)</body>", words(parts(answered)[1]), re.DOTALL)
    assert found is not None
    return found[1]


def _marked(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() if not line.startswith(">") else f">{line}" for line in text.split("\n"))


def outlook_plain(new: str, answered: Message) -> EmailMessage:
    name, address = _who(answered)
    block = (
        f"-----Messaggio originale-----\nDa: {name} <{address}> \nInviato: giovedì 12 novembre 2026 09:15\n"
        "A: clinic@example.test\nOggetto: Re: Visita"
    )
    return _mail(answered, f"{new}\n\n{block}\n\n{_plain(answered)}\n", "plain")


def new_outlook_plain(new: str, answered: Message) -> EmailMessage:
    name, address = _who(answered)
    block = (
        f"{'_' * 32}\nFrom: {name} <{address}>\nSent: Thursday, November 12, 2026 9:15 AM\n"
        "To: clinic@example.test <clinic@example.test>\nSubject: Re: Visita"
    )
    return _mail(answered, f"{new}\n\n{block}\n\n{_plain(answered)}\n", "plain")


def gmail_plain(new: str, answered: Message) -> EmailMessage:
    name, address = _who(answered)
    above = f"Il giorno gio 12 nov 2026 alle ore 09:15 {name} <\n{address}> ha scritto:"
    return _mail(answered, f"{new}\n\n{above}\n\n{_marked(_plain(answered))}\n", "plain")


def apple_plain(new: str, answered: Message) -> EmailMessage:
    name, address = _who(answered)
    above = f"On 12 Nov 2026, at 09:15, {name} <{address}> wrote:"
    return _mail(answered, f"{new}\n\n{_marked(f'{above}' + chr(10) * 2 + _plain(answered))}\n", "plain")


def thunderbird_plain(new: str, answered: Message) -> EmailMessage:
    """It leaves out what stands below `-- `."""
    name, _ = _who(answered)
    kept = _plain(answered).partition("\n-- \n")[0].rstrip()
    return _mail(answered, f"{new}\n\nIl 12/11/26 09:15, {name} ha scritto:\n{_marked(kept)}\n", "plain")


def thunderbird_plain_whole(new: str, answered: Message) -> EmailMessage:
    """As it quotes what it takes for no signature."""
    name, _ = _who(answered)
    return _mail(answered, f"{new}\n\nOn 12/11/2026 09:15, {name} wrote:\n{_marked(_plain(answered))}\n", "plain")


def outlook_html(new: str, answered: Message) -> EmailMessage:
    """Word writes all paragraphs anew; frames and their classes are lost."""
    name, address = _who(answered)
    quoted = re.sub(r"<p [^>]*>", '<p class="MsoNormal">', _body(answered)).replace(' class="gmail_quote"', "")
    quoted = quoted.replace(' type="cite"', "")
    text = (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal {margin:0cm}</style></head>'
        f'<body lang="IT" link="#0563C1"><div class="WordSection1"><p class="MsoNormal">{html.escape(new)}<o:p></o:p>'
        '</p><p class="MsoNormal"><o:p>&nbsp;</o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;'
        'padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b>Da:</b> '
        f"{html.escape(name)} &lt;{address}&gt; <br><b>Inviato:</b> giovedì 12 novembre 2026 09:15<br><b>A:</b> "
        "clinic@example.test<br><b>Oggetto:</b> Re: Visita<o:p></o:p></p></div></div>"
        f'<p class="MsoNormal"><o:p>&nbsp;</o:p></p>{quoted}</div></body></html>'
    )
    return _mail(answered, text, "html")


def new_outlook_html(new: str, answered: Message) -> EmailMessage:
    name, address = _who(answered)
    text = (
        f'<html><body dir="ltr"><div class="elementToProof">{html.escape(new)}</div><div id="appendonsend"></div>'
        '<hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri"><b>From:'
        f"</b> {html.escape(name)} &lt;{address}&gt;<br><b>Sent:</b> Thursday, November 12, 2026 9:15 AM<br><b>To:</b>"
        " clinic@example.test<br><b>Subject:</b> Re: Visita</font><div>&nbsp;</div></div>"
        f"<div>{_body(answered)}</div></body></html>"
    )
    return _mail(answered, text, "html")


def gmail_html(new: str, answered: Message) -> EmailMessage:
    name, address = _who(answered)
    text = (
        f'<div dir="ltr">{html.escape(new)}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" '
        f'class="gmail_attr">Il giorno gio 12 nov 2026 alle ore 09:15 {html.escape(name)} &lt;<a href="mailto:'
        f'{address}">{address}</a>&gt; ha scritto:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px '
        f'0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">{_body(answered)}</blockquote></div>'
    )
    return _mail(answered, text, "html")


def apple_html(new: str, answered: Message) -> EmailMessage:
    name, address = _who(answered)
    text = (
        '<html><body style="overflow-wrap: break-word; -webkit-nbsp-mode: space;">'
        f'<div dir="ltr">{html.escape(new)}</div><div dir="ltr"><br><blockquote type="cite">Il giorno 12 nov 2026, '
        f"alle ore 09:15, {html.escape(name)} &lt;{address}&gt; ha scritto:<br><br></blockquote></div>"
        f'<blockquote type="cite"><div dir="ltr">{_body(answered)}</div></blockquote></body></html>'
    )
    return _mail(answered, text, "html")


def thunderbird_html(new: str, answered: Message) -> EmailMessage:
    name, _ = _who(answered)
    text = (
        f'<!DOCTYPE html><html><body><p>{html.escape(new)}</p><div class="moz-cite-prefix">Il 12/11/26 09:15, '
        f'{html.escape(name)} ha scritto:<br></div><blockquote type="cite" cite="mid:{answered["Message-ID"][1:-1]}">'
        f"{_body(answered)}</blockquote></body></html>"
    )
    return _mail(answered, text, "html")


PROGRAMS: Mapping[str, Program] = {
    "Outlook, plain": outlook_plain,
    "new Outlook, plain": new_outlook_plain,
    "Gmail, plain": gmail_plain,
    "Apple Mail, plain": apple_plain,
    "Thunderbird, plain": thunderbird_plain,
    "Thunderbird, plain, all of it": thunderbird_plain_whole,
    "Outlook, HTML": outlook_html,
    "new Outlook, HTML": new_outlook_html,
    "Gmail, HTML": gmail_html,
    "Apple Mail, HTML": apple_html,
    "Thunderbird, HTML": thunderbird_html,
}
