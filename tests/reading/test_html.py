"""What a person sees in an HTML mail."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.reading.html import MAX_TAGS, to_text
from bridge.types import Cut, CutRule


@pytest.mark.parametrize(
    ("html", "text"),
    [
        pytest.param("<p>Ciao</p><p>Mario</p>", "Ciao\nMario", id="paragraphs"),
        pytest.param("<div>a</div><div><br></div><div>b</div>", "a\n\nb", id="Gmail's blank line"),
        pytest.param("<p>a</p><p>&nbsp;</p><p>b</p>", "a\n \nb", id="Outlook's blank line"),
        pytest.param("a<br>b<br/>c", "a\nb\nc", id="breaks"),
        pytest.param("  molti \n\n spazi  ", "molti spazi", id="spaces"),
        pytest.param("a <b>b</b> <i>c</i>d", "a b cd", id="inline"),
        pytest.param("<ul><li>uno<li>due</ul>dopo", "- uno\n- due\ndopo", id="list"),
        pytest.param("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc", id="table"),
        pytest.param('vedi <a href="https://x.test/?t=1">il sito</a>', "vedi il sito", id="link"),
        pytest.param("<pre>a\n  b</pre>", "a\n  b", id="preformatted"),
        pytest.param("5 &lt; 6 &amp; &euro; &#232;", "5 < 6 & € è", id="entities"),
        pytest.param("<style>p{}</style><script>x()</script><title>t</title>a<!-- c -->", "a", id="not words"),
        pytest.param("<span style='display: none'>x</span>a<p hidden>y</p>", "a", id="hidden"),
        pytest.param("<div style='max-height:0;overflow:hidden'>x</div>a", "a", id="preheader"),
        pytest.param(
            "<table><td style='font-size:0px'>x<p style='font-size:13px'>a</p></table>", "a", id="size 0 against gaps"
        ),
        pytest.param("<p style='opacity:0.9;font-size:0.8em'>a</p>", "a", id="small but visible"),
        pytest.param("<b><i>mal</b> annidato</i>", "mal annidato", id="misnested"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_visible_text(html: str, text: str) -> None:
    found, quotes = to_text(html)
    assert found.strip("\n") == text
    assert quotes == ()


@pytest.mark.parametrize(
    ("html", "text", "quote"),
    [
        pytest.param(
            '<div>Sì</div><div class="gmail_quote gmail_quote_container"><div class="gmail_attr">Il giorno…</div>'
            "<blockquote>prima</blockquote></div>",
            "Sì",
            "Il giorno…\nprima",
            id="Gmail",
        ),
        pytest.param(
            '<p>Sì</p><div class="moz-cite-prefix">Il 3…</div><blockquote type="cite">prima</blockquote><p>ciao</p>',
            "Sì\nciao",
            "Il 3…\nprima",
            id="Thunderbird, answered below",
        ),
        pytest.param(
            '<div>Sì</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">Da: x</div><div>prima</div>',
            "Sì",
            "Da: x\nprima",
            id="Outlook on the web",
        ),
        pytest.param('<div>Sì</div><div class="yahoo_quoted">prima</div>', "Sì", "prima", id="Yahoo"),
        pytest.param(
            "<p>Sì</p><p>Il 3/3/2026 M ha scritto:</p><blockquote>prima</blockquote><p>ciao</p>",
            "Sì\nIl 3/3/2026 M ha scritto:\nciao",
            "prima",
            id="plain blockquote below an attribution",
        ),
        pytest.param(
            '<div>Eccomi</div><div class="gmail_quote"><div class="gmail_attr">Il giorno…</div>'
            '<blockquote class="gmail_quote">a digiuno?</blockquote><div>No.</div>'
            '<blockquote class="gmail_quote">quando?</blockquote><div>Alle 9.</div></div>',
            "Eccomi\nNo.\nAlle 9.",
            "Il giorno…\na digiuno?\nquando?",
            id="Gmail, answered point by point",
        ),
        pytest.param(
            '<div class="gmail_extra"><div class="gmail_quote">Il giorno…<blockquote>prima</blockquote></div>Sì</div>',
            "Sì",
            "Il giorno…\nprima",
            id="Gmail of 2014, answered below",
        ),
        pytest.param(
            '<div>Sì<div class="gmail_quote">prima</div>e dopo</div>', "Sì\ne dopo", "prima", id="words around a quote"
        ),
        pytest.param(
            '<div>Sì</div><hr><div data-marker="__HEADERS__">Da: x</div><div data-marker="__QUOTED_TEXT__">prima</div>',
            "Sì",
            "Da: x\nprima",
            id="Zimbra",
        ),
        pytest.param(
            "<p>Sì</p><blockquote style='border:none; border-left:solid #CCC 1pt'>prima</blockquote>",
            "Sì",
            "prima",
            id="Outlook's blockquote with a bar",
        ),
        pytest.param("<p>Sì</p><div name='quote' style='margin: 10px'>prima</div>", "Sì", "prima", id="GMX"),
        pytest.param(
            "<div name='messageBodySection'>Sì</div><div name='messageReplySection'>prima</div>",
            "Sì",
            "prima",
            id="Spark",
        ),
        pytest.param("<p>Sì</p><div class='protonmail_quote'>prima</div>", "Sì", "prima", id="Proton"),
        pytest.param("<p>Sì</p><div class='zmail_extra'>prima</div>", "Sì", "prima", id="Zoho"),
        pytest.param(
            "Sì<p id='reply-intro'>Il 3/3/2026 M ha scritto:</p>", "Sì", "Il 3/3/2026 M ha scritto:", id="Roundcube"
        ),
        pytest.param("<p>Sì</p><span id='OLK_SRC_BODY_SECTION'>prima</span>", "Sì", "prima", id="Outlook for the Mac"),
    ],
)
def test_quoted_mails_are_set_apart(html: str, text: str, quote: str) -> None:
    found, quotes = to_text(html)
    assert found.strip() == text
    assert [(cut.rule, cut.text) for cut in quotes] == [("quote", quote)]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Terapia:</p><blockquote><p>Eutirox 75</p></blockquote><p>Saluti</p>", "Terapia:\nEutirox 75\nSaluti"),
        ("<p>Sì</p><blockquote dir=ltr>alle 9</blockquote>", "Sì\nalle 9"),
        ("<blockquote>alle 9</blockquote>", "alle 9"),
    ],
)
def test_a_blockquote_that_says_nothing_of_itself_is_its_authors_own(html: str, text: str) -> None:
    found, cuts = to_text(html)
    assert (found.strip(), cuts) == (text, ())


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<ol><li>uno<li>due</ol><ul><li>tre</ul>", "1. uno\n2. due\n- tre"),
        ('<ol start="9"><li>uno<ul><li>a</ul><li>due</ol>', "9. uno\n- a\n10. due"),
        ('<ol start="x"><li>uno</ol>', "1. uno"),
    ],
)
def test_a_list_keeps_its_numbers(html: str, text: str) -> None:
    assert to_text(html)[0].strip() == text


def test_the_indent_button_is_no_quotation() -> None:
    html = '<blockquote style="margin: 0 0 0 40px; border: none; padding: 0px">rientrato</blockquote>'
    assert to_text(html) == ("rientrato\n", ())


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<div>" * MAX_TAGS + "x", id="deep"),
        pytest.param(
            "<div>" + "".join(f"<b id={n}>" for n in range(9_000)) + "x</div>" + "<div>x</div>" * 5_000, id="unclosed"
        ),
        pytest.param("<table>" * 10_000 + "x", id="tables"),
        pytest.param("<a " + "x=1 " * 100_000 + ">x", id="attributes"),
        pytest.param("< " * MAX_TAGS + "x", id="open brackets"),
    ],
)
def test_hostile_trees_are_walked_in_time(html: str) -> None:
    before = time.process_time()
    assert "x" in to_text(html)[0]
    assert time.process_time() - before < 3


@given(
    st.lists(st.sampled_from(["<p>", "</p>", "<b>", "</div>", "<td", "<!--", "-->", "<li>", "a", "&", "<br>", "\0"]))
)
def test_any_markup_is_text(pieces: list[str]) -> None:
    assert isinstance(to_text("".join(pieces))[0], str)


@pytest.mark.parametrize(
    ("html", "text", "cuts"),
    [
        ("<p>Sì</p><div id='Signature'>Mario</div>", "Sì", (Cut(CutRule.SIGNATURE, "Mario"),)),
        ("<p>Sì</p><div id='ms-outlook-mobile-signature'>Scarica</div>", "Sì", (Cut(CutRule.SIGNATURE, "Scarica"),)),
        ("<p>Sì</p><div class='x gmail_signature'>Mario</div>dopo", "Sì\ndopo", (Cut(CutRule.SIGNATURE, "Mario"),)),
        ("<p>Sì</p><div name='messageSignatureSection'>Mario</div>", "Sì", (Cut(CutRule.SIGNATURE, "Mario"),)),
        ("<p>Sì</p><div class='k9mail-signature'>Mario</div>", "Sì", (Cut(CutRule.SIGNATURE, "Mario"),)),
        ("<div id='Signature'>Sì, vengo<br>Mario</div>", "Sì, vengo\nMario", ()),
    ],
    ids=["Outlook", "Outlook on a phone", "Gmail, words below", "Spark", "K-9", "words only in its frame"],
)
def test_a_signature_that_the_mail_program_marks_is_cut(html: str, text: str, cuts: tuple[Cut, ...]) -> None:
    found, cut = to_text(html)
    assert (found.strip("\n"), cut) == (text, cuts)


@pytest.mark.parametrize(
    ("kept", "text", "cut"),
    [
        (frozenset(), "Sì", {CutRule.QUOTE, CutRule.SIGNATURE}),
        (frozenset({CutRule.QUOTE}), "Sì\nprima", {CutRule.SIGNATURE}),
        (frozenset({CutRule.SIGNATURE}), "Sì\nMario", {CutRule.QUOTE}),
        (frozenset({CutRule.QUOTE, CutRule.SIGNATURE}), "Sì\nMario\nprima", set()),
    ],
    ids=["none", "quote", "signature", "both"],
)
def test_what_is_marked_can_be_kept(kept: frozenset[CutRule], text: str, cut: set[CutRule]) -> None:
    html = "<p>Sì</p><div id='Signature'>Mario</div><blockquote type='cite'>prima</blockquote>"
    found, cuts = to_text(html, kept)
    assert found.strip() == text
    assert {each.rule for each in cuts} == cut
