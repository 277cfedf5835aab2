"""A plain text that only stands in for the HTML beside it is told from one that somebody wrote."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from bridge.reading import headers
from bridge.reading.mime import read_body
from bridge.reading.stubs import breaks_off, is_beginning, is_stub

STUBS = {
    "en format": "This is a message in HTML format. Your mail program cannot display HTML messages.",
    "en viewer": "To view the message, please use an HTML compatible email viewer!",
    "en MIME": "This is a multi-part message in MIME format.",
    "en link": "View this email in your browser:\nhttps://example.test/m/1?a=b",
    "it": "Questo messaggio è in formato HTML.\nPer vedere la mail nel browser apra https://example.test/m/1",
    "es": "Este mensaje está en formato HTML. Si no puede ver este correo, puede abrirlo en el navegador.",
    "nl": "Dit bericht is in HTML-formaat. Bekijk deze e-mail in uw browser: https://example.test/",
    "fr": "Ce message est au format HTML. Pour voir ce courriel en ligne, https://example.test/",
    "de": "Diese Nachricht ist im HTML-Format. Diese E-Mail im Browser ansehen: https://example.test/",
    "pt": "Esta mensagem está em formato HTML. Para ver este e-mail no navegador, https://example.test/",
    "en, two sentences": "This email was sent in HTML format. If you see this text your mail reader cannot display it.",
    "it click": "Se non visualizzi correttamente questa email, clicca qui: https://example.test/",
    "es click": "Si no visualiza correctamente este mensaje, pulse aquí https://example.test/",
    "nl online": "Als u deze e-mail niet goed kunt lezen, bekijk dan de online versie: https://example.test/",
    "fr program": "Votre logiciel de messagerie ne supporte pas le format HTML. Ce message est en HTML.",
    "de program": "Ihr E-Mail-Programm unterstützt keine HTML-Nachrichten.",
    "pt online": "Se não consegue visualizar este e-mail, veja a versão online https://example.test/",
    "lone link": "https://example.test/m/1",
    "a long link": "https://example.test/" + "a" * 3_000,
    "link in brackets": "<https://example.test/m/1>",
    "nothing": "  \n",
}
MEANT = {
    "a word more": "View this email in your browser. Your visit is at nine.",
    "about a browser": "Does the page open in your browser?",
    "about HTML": "The HTML is ready, have a look.",
    "a link and a word": "Domani: https://example.test/m/1",
    "a name": "Mario",
    "about this mail": "Please read this message today.",
    "an answer": "I can open the mail now.\n\nSee you tomorrow, and bring the card.",
    "long": "This message is in HTML format. " * 40,
}


@pytest.mark.parametrize("text", STUBS.values(), ids=STUBS.keys())
def test_stubs(text: str) -> None:
    assert is_stub(text)


@pytest.mark.parametrize("text", MEANT.values(), ids=MEANT.keys())
def test_words_that_were_meant(text: str) -> None:
    assert not is_stub(text)


def read(plain: str, html: str, *, html_first: bool = False) -> str:
    mail = EmailMessage()
    mail.set_content(html if html_first else plain, subtype="html" if html_first else "plain", charset="utf-8")
    mail.add_alternative(plain if html_first else html, subtype="plain" if html_first else "html", charset="utf-8")
    raw = mail.as_bytes()
    fields, _, start = headers.split(raw, 0, len(raw))
    return read_body(raw[start:], fields).text.strip()


@pytest.mark.parametrize("html_first", [False, True], ids=["as usual", "the wrong way round"])
def test_html_is_read_where_the_plain_text_is_a_stub(html_first: bool) -> None:
    assert read(STUBS["it"], "<p>La visita è alle 9</p>", html_first=html_first) == "La visita è alle 9"
    assert read(MEANT["a word more"], "<p>La visita</p>", html_first=html_first) == MEANT["a word more"]


def test_a_stub_is_texted_where_the_html_says_nothing() -> None:
    assert read(STUBS["lone link"], "<img src=x>") == STUBS["lone link"]


WHOLE = "La visita di controllo è confermata per lunedì alle 10:15. " + "Porti con sé la tessera e gli esami. " * 8


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        pytest.param("La visita di controllo è confermata ...", WHOLE.strip(), id="breaks off"),
        pytest.param(
            "La visita di controllo è... Leggi tutto: https://example.test/1", WHOLE.strip(), id="with a link"
        ),
        pytest.param(
            "La visita di controllo è confermata", "La visita di controllo è confermata", id="does not say so"
        ),
        pytest.param("Venga martedì ...", "Venga martedì ...", id="says something else"),
        pytest.param(WHOLE[:140] + "...", WHOLE[:140] + "...", id="not much is missing"),
    ],
)
def test_html_is_read_where_the_plain_text_breaks_off_and_nothing_can_be_lost(plain: str, text: str) -> None:
    assert read(plain, f"<p>{WHOLE}</p>") == text


def test_what_a_beginning_is() -> None:
    assert breaks_off("Ciao…")
    assert not breaks_off("Ciao... a domani, alle nove in punto, ciao")
    assert is_beginning("uno due ...", "uno due tre quattro cinque sei sette otto nove dieci undici")
    assert not is_beginning("due uno ...", "uno due tre quattro cinque sei sette otto nove dieci undici")
    assert not is_beginning("uno due ...", "uno due tre quattro cinque sei sette otto nove dieci")
