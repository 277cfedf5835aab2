"""HTML to the text a person reads in it, with the quoted mails set apart; used by `mime` where there is no plain text.

The tree comes from lexbor (WHATWG HTML), the walk is our own and keeps its own stack, so that no depth can exhaust
Python's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bridge.reading.layouts import ADDRESS, DAY, WROTE, ends_attribution
from bridge.types import Cut, CutRule

MAX_TAGS = 20_000
"""Most tags in all the HTML of a mail, as `weight` counts them. Building the tree takes time in proportion to tags
times depth: a third of a second when hostile, at this number."""
MAX_ATTRIBUTES = 100
"""Of one tag; the tree's maker compares each with all those before it, half a minute long for 100,000."""
LONGEST_ATTRIBUTE = 10_000
"""Characters of a style or class that are looked at."""
_FEW, _SOME = 20_000, 60_000
"""Characters of HTML in which there can be no tag with so many attributes that they take time; the same where none is
long, as far as a glance tells."""

# HTML's formatting elements are opened again in every block that follows an unclosed one: 70 kB of them become nine
# million nodes. A span is not, and says the same to us.
_FORMATTING = re.compile(
    r"<(/?)(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])",
    re.IGNORECASE,
)
# WHATWG HTML, sections 13.2.5.32 to 13.2.5.40, for what a tag ends and where an attribute does.
_ATTRIBUTE = (
    r"[ \t\n\r\f/]*+[^ \t\n\r\f/>][^ \t\n\r\f/>=]*+"
    r"(?:[ \t\n\r\f]*+=[ \t\n\r\f]*+(?:\"[^\"]*+\"|'[^']*+'|[^ \t\n\r\f>\"'][^ \t\n\r\f>]*+)?+)?+"
)
_LONG_TAG = re.compile(r"<[^>]{2000}")
_TAG = re.compile(
    rf"(<[a-zA-Z][^ \t\n\r\f/>]*+(?:{_ATTRIBUTE}){{0,{MAX_ATTRIBUTES}}}+)(?:{_ATTRIBUTE})*+",
)
_SPACES = re.compile(r"[ \t\n\r\f]+")
_HIDDEN = re.compile(r"display:none|visibility:hidden|mso-hide:all|opacity:0(?:\.0*)?(?:[;%!]|$)", re.IGNORECASE)
_NO_HEIGHT = re.compile(r"max-height:0(?:px|pt|em|%)?(?:[;!]|$)", re.IGNORECASE)
_FONT_SIZE = re.compile(r"font-size:([0-9.]+)", re.IGNORECASE)
_INDENT = re.compile(r"margin:0(?:px)?0(?:px)?0(?:px)?40px|border:none", re.IGNORECASE)

_DROPPED = frozenset(
    {"script", "style", "head", "title", "template", "noscript", "iframe", "object", "audio", "video", "svg", "math"}
    | {"select", "textarea", "button"}
)
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figcaption"}
    | {"figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav"}
    | {"ol", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul"}
)
_CELLS = frozenset({"td", "th"})
_QUOTE_CLASSES = frozenset(
    {"gmail_quote", "gmail_quote_container", "gmail_extra", "gmail_attr", "moz-cite-prefix", "moz-forward-container"}
    | {"yahoo_quoted", "protonmail_quote", "tutanota_quote", "zmail_extra", "nylas-quote", "missive_quote"}
)
_FRAMES = frozenset({"gmail_quote", "gmail_quote_container", "gmail_extra", "protonmail_quote", "zmail_extra"})
"""Of these, those that stand around a blockquote and the line above it: what is written below it is the author's."""
_QUOTE_NAMES = frozenset({"quote", "messagereplysection"})
"""What GMX, WEB.DE and Spark name the block that holds a quoted mail."""
_QUOTE_IDS = frozenset({"olk_src_body_section", "mail-editor-reference-message-container", "reply-intro"})
"""Outlook for the Mac, and Roundcube above the quotation."""
SIGNATURE_CLASSES = frozenset(
    {"gmail_signature", "moz-signature", "protonmail_signature_block", "k9mail-signature", "sh-signature"}
    | {"io-ox-signature"}
)
SIGNATURE_IDS = frozenset({"signature", "applemailsignature", "ms-outlook-mobile-signature"})
"""What mail programs set around the signature that they insert; the new Outlook says `<div id="Signature">`."""
SIGNATURE_NAMES = frozenset({"messagesignaturesection"})
_ZIMBRA = {"__sig_pre__": True, "__sig_post__": True, "__headers__": False, "__quoted_text__": False}
"""Values of `data-marker`, and whether they mark a signature; else what is quoted."""
_PLAIN_ATTRIBUTES = frozenset({"dir", "lang", "align"})
"""What a blockquote may have that says nothing of it."""
_LONGEST_ATTRIBUTION = 400
_MOST_PIECES = 40
"""Of a line, in which it is written."""
_LONGEST_NUMBER = 6
_QUOTE_REST_IDS = frozenset({"appendonsend", "divrplyfwdmsg"})
"""Outlook on the web marks where the quoted mail begins and puts it into the siblings that follow."""


@dataclass(slots=True)
class _Writer:
    """Text in the making: collapses spaces and starts a line where a browser would."""

    pieces: list[str] = field(default_factory=list)
    at_line_start: bool = True
    space: bool = False

    def words(self, text: str) -> None:
        text = _SPACES.sub(" ", text)
        bare = text.strip(" ")
        if not bare:
            self.space = self.space or bool(text)
            return
        if (self.space or text[0] == " ") and not self.at_line_start:
            self.pieces.append(" ")
        self.pieces.append(bare)
        self.at_line_start = False
        self.space = text[-1] == " "

    def preformatted(self, text: str) -> None:
        self.pieces.append(text)
        self.at_line_start = text.endswith("\n")
        self.space = False

    def block(self) -> None:
        if not self.at_line_start:
            self.line_break()

    def line_break(self) -> None:
        self.pieces.append("\n")
        self.at_line_start = True
        self.space = False

    def last_line(self) -> str:
        """The end of the last line that has words, as far back as an attribution may go."""
        found = ""
        for piece in reversed(self.pieces[-_MOST_PIECES:]):
            found = piece[-_LONGEST_ATTRIBUTION:] + found
            if len(found) > _LONGEST_ATTRIBUTION or ("\n" in found and found.strip()):
                break
        return found.rstrip().rpartition("\n")[2]

    def text(self) -> str:
        return "".join(self.pieces).replace("\N{NO-BREAK SPACE}", " ")


def weight(html: str) -> int:
    """How many tags `html` counts for. One that is never closed lies around all that follow, and counts for more."""
    tags = html.count("<")
    return max(tags, (tags - html.count("</")) * 5 // 3)


def to_text(html: str, kept: AbstractSet[CutRule] = frozenset()) -> tuple[str, tuple[Cut, ...]]:
    """The visible text of `html`, and what it marks as quoted or as a signature unless these rules are `kept`.

    The caller sees to it that there are at most `MAX_TAGS` tags.
    """
    if len(html) > _SOME or (len(html) > _FEW and _LONG_TAG.search(html)):
        html = _TAG.sub(r"\1", html)
    root = LexborHTMLParser(_FORMATTING.sub(r"<\1span", html)).root
    if root is None:
        return "", ()
    writers = _Writers()
    if CutRule.QUOTE in kept:
        writers.quoted = writers.own
    if CutRule.SIGNATURE in kept:
        writers.signature = writers.own
    _walk(root, writers)
    own = writers.own.text()
    quoted, signature = ("" if each is writers.own else each.text() for each in (writers.quoted, writers.signature))
    if not own.strip() and quoted.strip():  # the trimming tells whether it is passed on
        own, quoted = "> " + quoted.replace("\n", "\n> "), ""
    elif not own.strip():  # whoever wrote into the frame of his signature meant it
        own, signature = signature, ""
    cuts = (Cut(CutRule.QUOTE, quoted.strip()), Cut(CutRule.SIGNATURE, signature.strip()))
    return own, tuple(cut for cut in cuts if cut.text)


@dataclass(slots=True)
class _Writers:
    """Where words go: those of the author, what is quoted, the signature."""

    own: _Writer = field(default_factory=_Writer)
    quoted: _Writer = field(default_factory=_Writer)
    signature: _Writer = field(default_factory=_Writer)


@dataclass(slots=True)
class _Step:
    """One node on the stack; visited a second time when its children are done."""

    node: LexborNode
    writer: _Writer
    invisible: bool
    preformatted: bool
    leaving: bool = False
    frames: bool = False
    """It stands around a quotation, below which the author may have written on."""
    mark: str = "- "
    """What an item of a list begins with."""


def _walk(root: LexborNode, writers: _Writers) -> None:
    stack = [_Step(root, writers.own, invisible=False, preformatted=False)]
    while stack:
        step = stack.pop()
        node, tag = step.node, step.node.tag or ""
        writer = step.writer
        if step.leaving:
            if tag in _BLOCKS:
                writer.block()
            elif tag in _CELLS:
                writer.words(" ")
            continue
        if tag == "-text":
            if not step.invisible:
                (writer.preformatted if step.preformatted else writer.words)(node.text_content or "")
            continue
        if tag.startswith(("-", "!")) and node.child is None:
            continue
        if tag == "br":
            writer.line_break()
            continue
        attributes = node.attributes if node.is_element_node else {}
        style = _value(attributes, "style").replace(" ", "")
        if tag in _DROPPED or "hidden" in attributes or _is_hidden(style):
            continue
        if writer is writers.own:
            writer = step.writer = _writer_of(writers, tag, style, attributes)
            if writer is not writers.own and tag in _BLOCKS:
                writers.own.block()
                step.frames = tag == "div" and writer is writers.quoted and not _FRAMES.isdisjoint(_classes(attributes))
        step.preformatted = step.preformatted or tag == "pre"
        size = _FONT_SIZE.search(style) if style else None
        if size is not None:
            # Newsletters set size 0 on a cell against gaps and a real size within: the nearest one counts.
            step.invisible = not size[1].strip("0.")
        if tag in _BLOCKS:
            writer.block()
            if tag == "li":
                writer.pieces.append(step.mark)
        step.leaving = True
        stack.append(step)
        _push_children(stack, step, tag, writers)


def _push_children(stack: list[_Step], parent: _Step, tag: str, writers: _Writers) -> None:
    children: list[_Step] = []
    writer = parent.writer
    number = _first_number(parent.node) if tag == "ol" else None
    is_below = False
    child = parent.node.child
    while child is not None:
        if child.is_element_node and (child.id or "").lower() in _QUOTE_REST_IDS:
            writer = writers.quoted
        step = _Step(child, writer, parent.invisible, parent.preformatted)
        if parent.frames:
            if child.tag == "blockquote" or (child.tag == "div" and "gmail_quote" in _classes(child.attributes)):
                is_below = True
            elif is_below:
                step.writer = writers.own
        if number is not None and child.tag == "li":
            step.mark = f"{number}. "
            number += 1
        children.append(step)
        child = child.next
    stack.extend(reversed(children))


def _first_number(node: LexborNode) -> int:
    """The number of the first item of a list that has numbers."""
    start = (node.attributes.get("start") or "").strip()
    return int(start) if start.isdecimal() and len(start) <= _LONGEST_NUMBER else 1


def _classes(attributes: dict[str, str | None]) -> list[str]:
    return _value(attributes, "class").lower().split()


def _value(attributes: dict[str, str | None], name: str) -> str:
    return (attributes.get(name) or "")[:LONGEST_ATTRIBUTE]


def _is_hidden(style: str) -> bool:
    if not style:
        return False
    return bool(_HIDDEN.search(style)) or ("overflow:hidden" in style and bool(_NO_HEIGHT.search(style)))


def _writer_of(writers: _Writers, tag: str, style: str, attributes: dict[str, str | None]) -> _Writer:
    """Where the words in a node of the author's go."""
    if attributes:
        classes = _classes(attributes)
        ident, name = (attributes.get("id") or "").lower(), (attributes.get("name") or "").lower()
        if ident in _QUOTE_IDS or name in _QUOTE_NAMES or not _QUOTE_CLASSES.isdisjoint(classes):
            return writers.quoted
        if ident in SIGNATURE_IDS or name in SIGNATURE_NAMES or not SIGNATURE_CLASSES.isdisjoint(classes):
            return writers.signature
        marker = _ZIMBRA.get((attributes.get("data-marker") or "").lower())
        if marker is not None:
            return writers.signature if marker else writers.quoted
    if tag != "blockquote" or not _is_quote(style, attributes, writers.own.last_line):
        return writers.own
    return writers.quoted


def _is_quote(style: str, attributes: dict[str, str | None], above: Callable[[], str]) -> bool:
    """Whether a blockquote is a quotation: the indent button of mail programs makes one as well, and only its style
    tells. One that says nothing of itself is an author's, unless the line above it is an attribution.
    """
    if _PLAIN_ATTRIBUTES.issuperset(attributes):
        line = above()
        return ends_attribution(line) and bool(WROTE.search(line) or ADDRESS.search(line) or DAY.search(line))
    indented = bool(_INDENT.search(style)) and "border-left:" not in style
    return attributes.get("type") == "cite" or not indented
