"""How each mail program writes a mail: its plain text, and the HTML beside it; used by `make`.

A program is told by what stands around the words: its attribution, its header block, its marks in the HTML, its order,
its wrapping. The wording in each language is in `languages.toml`.
"""

from __future__ import annotations

import abc
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

CLINIC = "Clinic <clinic@practice.example>"


@dataclass(frozen=True, slots=True)
class Piece:
    """The same thing twice: as plain text, and as HTML."""

    plain: str
    html: str


NOTHING = Piece("", "")


class Client(abc.ABC):
    """What most programs do; each one below says what it does otherwise."""

    name = ""
    mailer = ("User-Agent", "")
    charset = "utf-8"
    encoding = "quoted-printable"
    flowed = False
    quotes_marked = True
    """Whether the plain text marks quoted lines, so that words can stand below and between them."""
    signature_marked = True
    """Whether the HTML or a line of two dashes says where the signature begins."""
    device = ""
    """Which line of a language it puts under the words, if it is a phone's."""

    def __init__(self, says: Mapping[str, Any]) -> None:
        self.says = says

    def own(self, paragraphs: list[str]) -> Piece:
        """The author's paragraphs."""
        return Piece("\n\n".join(map(self.wrapped, paragraphs)), "<div><br></div>".join(map(self._div, paragraphs)))

    def signature(self, lines: list[str]) -> Piece:
        """A signature as the program inserts it."""
        return Piece("-- \n" + "\n".join(lines), "<div>-- <br>" + "<br>".join(map(escape, lines)) + "</div>")

    def device_line(self) -> Piece:
        line = self.says[self.device]
        return Piece(line, f"<div>{escape(line)}</div>")

    def attribution(self) -> str:
        """The line above a quotation; empty where the program puts a header block there."""
        return ""

    def quotation(self, paragraphs: list[str], attributed: bool = True) -> Piece:
        """The mail that is answered, in whole or (`attributed` once) in parts."""
        above = self.attribution() + "\n\n" if attributed else ""
        html = f"<div>{escape(self.attribution())}</div>" if attributed else ""
        body = "<br><br>".join(map(escape, paragraphs))
        return Piece(above + self.marked(paragraphs), f'{html}<blockquote type="cite"><div>{body}</div></blockquote>')

    @abc.abstractmethod
    def forward(self) -> Piece:
        """A mail that is passed on; only its words, "quoted", are to be texted when nothing is written above."""

    def page(self, html: str) -> str:
        return f'<html><head><meta charset="utf-8"></head><body>{html}</body></html>\n'

    def wrapped(self, paragraph: str) -> str:
        return "\n".join(
            textwrap.fill(line, 76, break_long_words=False, break_on_hyphens=False) for line in paragraph.split("\n")
        )

    def marked(self, paragraphs: list[str]) -> str:
        lines = "\n\n".join(map(self.wrapped, paragraphs)).split("\n")
        return "\n".join(f"> {line}" if line else ">" for line in lines)

    def fill(self, pattern: str) -> str:
        says: str = self.says[pattern]
        return says.format(name=self.says["name"], address=self.says["address"])

    def sender(self) -> str:
        return f"{self.says['name']} <{self.says['address']}>"

    def block(self, labels: list[str], *values: str) -> str:
        return "\n".join(f"{label} {value}" for label, value in zip(labels, values, strict=True))

    def bold_block(self, labels: list[str], *values: str) -> str:
        pairs = zip(labels, values, strict=True)
        return "<br>".join(f"<b>{escape(label)}</b> {escape(value)}" for label, value in pairs)

    def _div(self, paragraph: str) -> str:
        return f"<div>{escape(paragraph).replace(chr(10), '<br>')}</div>"

    def quoted_html(self) -> str:
        return "<div><br></div>".join(map(self._div, self.says["quoted"]))


class Gmail(Client):
    """Wraps its plain text; two nested gmail_quote; of a forward's labels only the first speaks the user's language."""

    name = "gmail"
    mailer = ("X-Gm-Features", "none")

    def attribution(self) -> str:
        return self.wrapped(self.fill("gmail"))

    def own(self, paragraphs: list[str]) -> Piece:
        piece = super().own(paragraphs)
        return Piece(piece.plain, f'<div dir="ltr">{piece.html}</div>')

    def signature(self, lines: list[str]) -> Piece:
        html = "<br>".join(map(escape, lines))
        return Piece(
            "-- \n" + "\n".join(lines),
            '<div><br></div><span class="gmail_signature_prefix">-- </span><br>'
            '<div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature">'
            f'<div dir="ltr">{html}</div></div>',
        )

    def quotation(self, paragraphs: list[str], attributed: bool = True) -> Piece:
        style = "margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"
        body = "<br><br>".join(map(escape, paragraphs))
        quote = f'<blockquote class="gmail_quote" style="{style}">{body}</blockquote>'
        if not attributed:
            return Piece(self.marked(paragraphs), quote)
        above = escape(self.fill("gmail"))
        return Piece(
            f"{self.attribution()}\n\n{self.marked(paragraphs)}",
            '<br><div class="gmail_quote gmail_quote_container">'
            f'<div dir="ltr" class="gmail_attr">{above}<br></div>{quote}</div>',
        )

    def forward(self) -> Piece:
        labels = [self.says["gmail_from"], "Date:", "Subject:", "To:"]
        block = self.block(labels, self.sender(), self.says["gmail_date"], self.says["subject"], f"{CLINIC}")
        line = "---------- Forwarded message ---------"
        plain = f"{line}\n{block}\n\n\n" + "\n\n".join(map(self.wrapped, self.says["quoted"]))
        html = (
            f'<div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">{line}<br>'
            f"{escape(block).replace(chr(10), '<br>')}<br></div><br><br>{self.quoted_html()}</div>"
        )
        return Piece(plain, html)


class OutlookDesktop(Client):
    """Word writes the HTML; a header block under a grey line, for answers and forwards alike; signatures unmarked."""

    name = "outlook"
    mailer = ("X-Mailer", "Microsoft Outlook 16.0")
    charset = "windows-1252"
    quotes_marked = False
    signature_marked = False

    def own(self, paragraphs: list[str]) -> Piece:
        lines = "\n\n".join(paragraphs).split("\n")
        return Piece("\n".join(lines), "".join(map(self._normal, lines)))

    def signature(self, lines: list[str]) -> Piece:
        return Piece("\n".join(lines), "".join(map(self._normal, lines)))

    def _normal(self, line: str) -> str:
        inner = f"<span>{escape(line)}<o:p></o:p></span>" if line else "<o:p>&nbsp;</o:p>"
        return f'<p class="MsoNormal">{inner}</p>\n'

    def quotation(self, paragraphs: list[str], attributed: bool = True) -> Piece:
        labels = self.says["outlook_labels"]
        values = (self.sender(), self.says["sent"], CLINIC, self.says["subject"])
        text = "\n\n".join(paragraphs)
        rule = "border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"
        return Piece(
            f"{self.block(labels, *values)}\n\n{text}\n",
            f'<p class="MsoNormal"><o:p>&nbsp;</o:p></p>\n<div><div style="{rule}"><p class="MsoNormal">'
            f"{self.bold_block(labels, *values)}<o:p></o:p></p></div></div>\n"
            '<p class="MsoNormal"><o:p>&nbsp;</o:p></p>\n' + "".join(map(self._normal, text.split("\n"))),
        )

    def forward(self) -> Piece:
        return self.quotation(self.says["quoted"])

    def page(self, html: str) -> str:
        return (
            '<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40">\n<head>'
            '<meta name="Generator" content="Microsoft Word 15 (filtered medium)">\n<style><!--\n'
            'p.MsoNormal {margin:0cm; font-size:11.0pt; font-family:"Calibri",sans-serif;}\n--></style></head>\n'
            f'<body lang="EN" link="#0563C1"><div class="WordSection1">\n{html}</div></body></html>\n'
        )


class OutlookWeb(OutlookDesktop):
    """The new Outlook is the same program as the one in the browser."""

    name = "outlook-web"
    signature_marked = True
    mailer = ("X-MS-Has-Attach", "")
    labels = "outlook_web_labels"

    def own(self, paragraphs: list[str]) -> Piece:
        lines = "\n\n".join(paragraphs).split("\n")
        style = "font-family: Aptos, Calibri, sans-serif; font-size: 12pt; color: rgb(0, 0, 0);"
        html = "".join(
            f'<div class="elementToProof" style="{style}">{escape(line) or "<br>"}</div>\n' for line in lines
        )
        return Piece("\n".join(lines), html)

    def signature(self, lines: list[str]) -> Piece:
        html = "".join(f"<div>{escape(line)}</div>" for line in lines)
        return Piece("\n".join(lines), f'<div id="Signature" class="elementToProof">{html}</div>\n')

    def quotation(self, paragraphs: list[str], attributed: bool = True) -> Piece:
        labels = self.says[self.labels]
        values = (self.sender(), self.says["sent"], CLINIC, self.says["subject"])
        body = "<div><br></div>".join(map(self._div, paragraphs))
        return Piece(
            "_" * 32 + f"\n{self.block(labels, *values)}\n\n" + "\n\n".join(paragraphs) + "\n",
            '<div id="appendonsend"></div>\n<hr style="display:inline-block;width:98%" tabindex="-1">\n'
            '<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt">'
            f"{self.bold_block(labels, *values)}</font><div>&nbsp;</div></div>\n<div>{body}</div>\n",
        )

    def page(self, html: str) -> str:
        return (
            '<html><head>\n<meta http-equiv="Content-Type" content="text/html; charset=Windows-1252">\n'
            '<style type="text/css" style="display:none;"> P {margin-top:0;margin-bottom:0;} </style>\n</head>\n'
            f'<body dir="ltr">\n{html}</body></html>\n'
        )


class OutlookPhone(OutlookWeb):
    """Outlook for iOS and Android; the line above its rule is an advertisement."""

    name = "outlook-phone"
    device = "outlook_phone"

    def device_line(self) -> Piece:
        line, link = self.says[self.device], "https://aka.ms/o0ukef"
        return Piece(
            f"{line}<{link}>",
            f'<div id="ms-outlook-mobile-signature" dir="ltr"><a href="{link}">{escape(line)}</a></div>\n',
        )

    def quotation(self, paragraphs: list[str], attributed: bool = True) -> Piece:
        piece = super().quotation(paragraphs, attributed)
        where = '<div id="mail-editor-reference-message-container" class="ms-outlook-mobile-reference-message">'
        return Piece(piece.plain, where + piece.html.removeprefix('<div id="appendonsend"></div>\n') + "</div>\n")


class AppleMail(Client):
    """Puts the attribution into the quotation; unwrapped; a forward is quoted, under a line above it."""

    name = "apple-mail"
    mailer = ("X-Mailer", "Apple Mail (2.3826.400.131)")

    def wrapped(self, paragraph: str) -> str:
        return paragraph

    def attribution(self) -> str:
        return self.fill("apple")

    def signature(self, lines: list[str]) -> Piece:
        html = "".join(f"<div>{escape(line)}</div>" for line in lines)
        return Piece("\n".join(lines), f'<div id="AppleMailSignature" dir="ltr">{html}</div>')

    def quotation(self, paragraphs: list[str], attributed: bool = True) -> Piece:
        above = [self.attribution()] if attributed else []
        line = f'<div>{escape(above[0])}</div><br class="Apple-interchange-newline">' if above else ""
        body = "<div><br></div>".join(map(self._div, paragraphs))
        return Piece(
            self.marked([*above, *paragraphs]),
            f'<div><br><blockquote type="cite">{line}<div>{body}</div></blockquote></div>',
        )

    def forward(self) -> Piece:
        labels = self.says["apple_labels"]
        values = (self.sender(), self.says["subject"], self.says["sent"], CLINIC)
        line = self.says["apple_forward"]
        block = "".join(
            f'<div style="margin: 0px;"><span><b>{escape(label)} </b></span><span>{escape(value)}<br></span></div>'
            for label, value in zip(labels, values, strict=True)
        )
        return Piece(
            f"{line}\n\n" + self.marked([self.block(labels, *values), *self.says["quoted"]]),
            f'<div><br><blockquote type="cite"><div>{escape(line)}</div><br class="Apple-interchange-newline">'
            f"{block}<br><div>{self.quoted_html()}</div></blockquote></div>",
        )

    def page(self, html: str) -> str:
        return (
            '<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head>'
            '<body style="overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;">'
            f"{html}</body></html>"
        )


class IPhone(AppleMail):
    name = "iphone"
    mailer = ("X-Mailer", "iPhone Mail (22D82)")
    device = "iphone"

    def device_line(self) -> Piece:
        line = self.says[self.device]
        return Piece(line, f'<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">{escape(line)}</div>')


class Thunderbird(Client):
    """format=flowed; only the name in its attribution; the subject comes first in its header block."""

    name = "thunderbird"
    mailer = ("User-Agent", "Mozilla Thunderbird")
    encoding = "8bit"
    flowed = True

    def attribution(self) -> str:
        return self.fill("thunderbird")

    def wrapped(self, paragraph: str) -> str:
        filled = (
            textwrap.wrap(line, 71, break_long_words=False, break_on_hyphens=False) for line in paragraph.split("\n")
        )
        return "\n".join(" \n".join(lines) for lines in filled)

    def signature(self, lines: list[str]) -> Piece:
        html = "<br>\n".join(map(escape, lines))
        return Piece("-- \n" + "\n".join(lines), f'<div class="moz-signature">-- <br>\n{html}</div>')

    def quotation(self, paragraphs: list[str], attributed: bool = True) -> Piece:
        body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
        above, prefix = "", ""
        if attributed:
            above = self.attribution() + "\n"
            prefix = f'<div class="moz-cite-prefix">{escape(self.attribution())}<br></div>'
        quote = f'<blockquote type="cite" cite="mid:visit-1@mail.example">{body}</blockquote>'
        return Piece(above + self.marked(paragraphs), prefix + quote)

    def forward(self) -> Piece:
        labels = self.says["thunderbird_labels"]
        values = (self.says["subject"], "Tue, 3 Mar 2026 10:15:00 +0100", self.sender(), CLINIC)
        line = f"-------- {self.says['thunderbird_forward']} --------"
        padded = "\n".join(f"{label} \t{value}" for label, value in zip(labels, values, strict=True))
        rows = "".join(
            f'<tr><th valign="BASELINE" nowrap="nowrap">{escape(label)} </th><td>{escape(value)}</td></tr>'
            for label, value in zip(labels, values, strict=True)
        )
        return Piece(
            f"{line}\n{padded}\n\n\n\n" + "\n\n".join(map(self.wrapped, self.says["quoted"])),
            f'<div class="moz-forward-container"><br><br>{line}<table class="moz-email-headers-table" cellspacing="0" '
            f'cellpadding="0" border="0"><tbody>{rows}</tbody></table><br><br>{self.quoted_html()}</div>',
        )


class Yahoo(Client):
    """Its plain text is made of the HTML, with spaces before each line and no marks."""

    name = "yahoo"
    mailer = ("X-Mailer", "WebService/1.1.23369 YMailNovation")
    quotes_marked = False
    signature_marked = False
    says_when = "yahoo"

    def wrapped(self, paragraph: str) -> str:
        return paragraph

    def attribution(self) -> str:
        return self.fill(self.says_when)

    def own(self, paragraphs: list[str]) -> Piece:
        piece = super().own(paragraphs)
        return Piece(piece.plain, f'<div class="yahoo-style-wrap" dir="ltr" data-setdir="false">{piece.html}</div>')

    def signature(self, lines: list[str]) -> Piece:
        html = "<br>".join(map(escape, lines))
        return Piece("\n".join(lines), f'<div class="ydp3f2a1c5esignature">{html}</div>')

    def quotation(self, paragraphs: list[str], attributed: bool = True) -> Piece:
        body = "<div><br></div>".join(map(self._div, paragraphs))
        return Piece(
            f"    {self.attribution()}  \n \n " + "\n\n".join(paragraphs).replace("\n", "\n ") + "\n   ",
            '<div class="yahoo_quoted" id="yahoo_quoted_6414121447"><div style="font-size:13px;color:#26282a;"><div>\n'
            f"{escape(self.attribution())}\n</div><div><br></div><div><br></div>"
            f'<div><div id="yiv5869272306">{body}</div></div></div></div>',
        )

    def forward(self) -> Piece:
        line, *labels = self.says["yahoo_forward"]
        values = (self.sender(), CLINIC, self.says["sent"], self.says["subject"])
        joined = "".join(f"{label} {value}" for label, value in zip(labels, values, strict=True))
        return Piece(
            f"   ----- {line} ----- {joined}\n \n " + "\n\n".join(self.says["quoted"]).replace("\n", "\n "),
            '<div class="yahoo_quoted" id="yahoo_quoted_6414121447"><div style="font-size:13px;color:#26282a;">'
            f"<div>----- {line} -----</div><div>{self.bold_block(labels, *values)}</div><div><br></div>"
            f'<div><div id="yiv5869272306">{self.quoted_html()}</div></div></div></div>',
        )


class YahooPhone(Yahoo):
    """The app puts the first quoted words onto the line of the attribution, and calls nearly everything a signature."""

    name = "yahoo-phone"
    mailer = ("X-Mailer", "WebService/1.1.21096 YahooMailAndroidMobile")
    device = "yahoo_device"
    says_when = "yahoo_phone"

    def own(self, paragraphs: list[str]) -> Piece:
        piece = super(Yahoo, self).own(paragraphs)
        return Piece(piece.plain, piece.html.replace("<div>", '<div id="ymail_android_signature">'))

    def device_line(self) -> Piece:
        line = self.says[self.device]
        link = f'<a id="ymail_android_signature_link" href="https://go.onelink.example/1">{escape(line)}</a>'
        return Piece(f"{line} ", f'<div id="ymail_android_signature">{link}</div>')

    def quotation(self, paragraphs: list[str], attributed: bool = True) -> Piece:
        body = "<div><br></div>".join(map(self._div, paragraphs))
        head = '<div style="font-family:Roboto, sans-serif; color:#6D00F6;">'
        return Piece(
            f"  {self.attribution()}   " + "\n\n".join(paragraphs) + "  ",
            f'<blockquote style="margin: 0 0 20px 0;">{head}<div>{escape(self.attribution())}</div></div>'
            f'<div style="padding: 10px 0 0 20px;">{body}</div></blockquote>',
        )


class K9(Client):
    """K-9 and Thunderbird for Android: mostly plain text; one header block for answers (if asked to) and forwards."""

    name = "k9"
    mailer = ("User-Agent", "K-9 Mail for Android")
    device = "k9_device"

    def attribution(self) -> str:
        return self.fill("k9")

    def device_line(self) -> Piece:
        line = self.says[self.device]
        return Piece(f"-- \n{line}", f'<div class="k9mail-signature">-- <br>{escape(line)}</div>')

    def signature(self, lines: list[str]) -> Piece:
        html = "<br>".join(map(escape, lines))
        return Piece("-- \n" + "\n".join(lines), f'<div class="k9mail-signature">-- <br>{html}</div>')

    def quotation(self, paragraphs: list[str], attributed: bool = True) -> Piece:
        above, prefix = "", ""
        if attributed:
            above, prefix = self.attribution() + "\n", escape(self.attribution())
        body = "<br><br>".join(map(escape, paragraphs))
        style = "margin: 0pt 0pt 0pt 0.8ex; border-left: 1px solid rgb(204, 204, 204); padding-left: 1ex;"
        quote = f'<blockquote class="gmail_quote" style="{style}">{body}</blockquote>'
        return Piece(above + self.marked(paragraphs), f'<div class="gmail_quote">{prefix}{quote}</div>')

    def forward(self) -> Piece:
        labels = self.says["outlook_web_labels"]
        values = (self.sender(), self.says["sent"], CLINIC, self.says["subject"])
        line = f"-------- {self.says['original']} --------"
        return Piece(
            f"{line}\n{self.block(labels, *values)}\n\n" + "\n\n".join(self.says["quoted"]),
            '<br><br><div style="font-size:10.0pt;font-family:sans-serif;padding:3.0pt 0in 0in 0in">'
            f"<hr style='border:none;border-top:solid #E1E1E1 1.0pt'>{self.bold_block(labels, *values)}<br></div><br>"
            f"{self.quoted_html()}",
        )


class Samsung(Client):
    """The mail program of Samsung's phones runs the header block together in its plain text."""

    name = "samsung"
    mailer = ("X-Mailer", "Samsung Email 6.1")
    encoding = "base64"
    quotes_marked = False
    device = "samsung"

    def device_line(self) -> Piece:
        line = self.says[self.device]
        return Piece(line, f'<div id="composer_signature"><div dir="auto">{escape(line)}</div></div>')

    def quotation(self, paragraphs: list[str], attributed: bool = True) -> Piece:
        labels = self.says["phone_labels"]
        values = (self.sender(), "03/03/2026 10:15 (GMT+01:00)", CLINIC, self.says["subject"])
        line = f"-------- {self.says['original_phone']} --------"
        head = "".join(
            f"<div>{escape(label)} {escape(value)} </div>" for label, value in zip(labels, values, strict=True)
        )
        body = "<div><br></div>".join(map(self._div, paragraphs))
        joined = "".join(f"{label} {value} " for label, value in zip(labels, values, strict=True))
        return Piece(
            f"{line}{joined}\n" + "\n".join(paragraphs),
            '<div><br></div><div align="left" dir="auto" style="font-size:100%;color:#000000">'
            f"<div>{line}</div>{head}<div><br></div></div>{body}",
        )

    def forward(self) -> Piece:
        return self.quotation(self.says["quoted"])


CLIENTS: tuple[type[Client], ...] = (
    Gmail,
    OutlookDesktop,
    OutlookWeb,
    AppleMail,
    Thunderbird,
    Yahoo,
    K9,
    IPhone,
    OutlookPhone,
    YahooPhone,
    Samsung,
)
