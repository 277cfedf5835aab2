"""What is cut from a mail, what stays, and that doubt keeps a line."""

from __future__ import annotations

import time
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.reading.trim import normalise, trim

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "replies"

OUTLOOK_IT = """
Da: Mario Rossi <mario@example.test>
Inviato: lunedì 3 marzo 2025 10:15
A: Clinica <clinic@example.test>
Oggetto: Visita

testo citato
"""
OUTLOOK_EN = """
________________________________
From: Mario Rossi <mario@example.test>
Sent: Monday, March 3, 2025 10:15 AM
To: Clinic <clinic@example.test>
Subject: Visit

quoted text
"""
OUTLOOK_ES = """
De: Mario <mario@example.test>
Enviado el: lunes, 3 de marzo de 2025 10:15
Para: Clínica <clinic@example.test>
Asunto: Visita

texto citado
"""
OUTLOOK_NL = """
Van: Mario <mario@example.test>
Verzonden: maandag 3 maart 2025 10:15
Aan: Kliniek <clinic@example.test>
Onderwerp: Afspraak

geciteerd
"""
BOLD = """
*From:* Mario <mario@example.test>
*Sent:* Monday, March 3, 2025 10:15 AM
*To:* Clinic
*Subject:* Visit
"""


@pytest.mark.parametrize(
    "below",
    [
        pytest.param(
            "On Mon, Mar 3, 2025 at 10:15 AM Mario Rossi <m@x.test> wrote:\n\n> prima\n>\n> ancora", id="Gmail en"
        ),
        pytest.param(
            "Il giorno lun 3 mar 2025 alle ore 10:15 Mario Rossi <m@x.test>\nha scritto:\n\n> prima",
            id="Gmail it, wrapped",
        ),
        pytest.param("El lun, 3 mar 2025 a las 10:15, Mario (<m@x.test>) escribió:\n\n> prima", id="Gmail es"),
        pytest.param("Op ma 3 mrt 2025 om 10:15 schreef Mario Rossi <m@x.test>:\n\n> prima", id="Gmail nl"),
        pytest.param("2025-03-03 10:15 GMT+01:00 Mario Rossi <\nm@x.test>:\n\n> prima", id="Gmail, no words"),
        pytest.param("On 3 Mar 2025, at 10:15, Mario Rossi <m@x.test> wrote:\n\n> prima", id="Apple en"),
        pytest.param("Il giorno 3 mar 2025, alle ore 10:15, Mario <m@x.test> ha scritto:\n\n> prima", id="Apple it"),
        pytest.param("Op 3 mrt 2025, om 10:15 heeft Mario <m@x.test> het volgende geschreven:\n> prima", id="Apple nl"),
        pytest.param("Il 03/03/2025 10:15, Mario Rossi ha scritto:\n> prima", id="Thunderbird it"),
        pytest.param("On 03/03/2025 10:15, Mario Rossi wrote:\n> prima", id="Thunderbird en"),
        pytest.param("Am 03.03.2025 um 10:15 schrieb Mario <m@x.test>:\n> prima", id="a language without a row"),
        pytest.param(
            "On Mon, 3 Mar 2025 at 10:15, Mario <m@x.test> wrote:\nprima\n\nancora", id="quotation not marked"
        ),
        pytest.param("Il 03/03/2025 10:15, Mario Rossi ha scritto:", id="the HTML quotation is gone already"),
        pytest.param(OUTLOOK_IT, id="Outlook it"),
        pytest.param(OUTLOOK_EN, id="Outlook en"),
        pytest.param(OUTLOOK_ES, id="Outlook es"),
        pytest.param(OUTLOOK_NL, id="Outlook nl"),
        pytest.param(BOLD, id="Outlook through Gmail"),
        pytest.param("-----Messaggio originale-----\nDa: Mario\nInviato: lunedì", id="Outlook it, old"),
        pytest.param("---------- Forwarded message ---------\nFrom: Mario <m@x.test>\nprima", id="forwarded by Gmail"),
        pytest.param("Begin forwarded message:\n\nFrom: Mario", id="forwarded by Apple"),
        pytest.param("> prima\n> ancora", id="quotation alone"),
        pytest.param("-- \nClinica Example\nTel. 02 1234", id="signature"),
        pytest.param("--\nClinica Example", id="signature without its space"),
        pytest.param("Sent from my iPhone", id="iPhone en"),
        pytest.param("Inviato da iPhone", id="iPhone it"),
        pytest.param("Enviado desde mi iPhone", id="iPhone es"),
        pytest.param("Verstuurd vanaf mijn iPhone", id="iPhone nl"),
        pytest.param("Get Outlook for iOS<https://aka.ms/o0ukef>", id="Outlook on a phone"),
        pytest.param(
            "Inviato da iPhone\n\n> Il giorno 3 mar 2025, alle 10:15, M <m@x.test> ha scritto:\n> \n> p", id="both"
        ),
        pytest.param("Inviato dal mio Galaxy\n" + OUTLOOK_IT, id="device line above a header block"),
        pytest.param(
            "-- \nClinica\n\nIl 03/03/2025 10:15, Mario ha scritto:\n> prima", id="signature above a quotation"
        ),
    ],
)
def test_only_the_words_above_are_texted(below: str) -> None:
    text, cuts = trim(f"Sì, va bene alle 10.\nA domani\n\n{below}\n")
    assert text == "Sì, va bene alle 10.\nA domani"
    assert cuts
    kept = "".join((text + "".join(cut.text for cut in cuts)).split())
    assert sorted(kept) == sorted("".join(f"Sì, va bene alle 10. A domani {below}".split()))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Il medico ha scritto: prenda due pastiglie", id="ha scritto in a sentence"),
        pytest.param("On Monday at 10:00 come to us.\nYour doctor wrote:\n- two pills", id="a list after wrote:"),
        pytest.param("Il dottore ha scritto:\nriposo", id="attribution without a date"),
        pytest.param("Da: Milano\nA: Roma\npartenza alle 9", id="two labels"),
        pytest.param("From: 10\nTo: 12", id="opening hours"),
        pytest.param("> 50 anni: controllo gratuito", id="greater than"),
        pytest.param("primo -- secondo", id="dashes in a sentence"),
        pytest.param("Menù\n--\n" + "\n".join(f"piatto {n}" for n in range(20)), id="dashes above a long text"),
        pytest.param("Inviato da iPhone? No, da Android", id="device in a sentence"),
        pytest.param("Sent from my iPhone\nis what it says", id="device line not at the end"),
        pytest.param("-----\nURGENTE\n-----", id="ruled off"),
        pytest.param("Oggetto: visita\nAlle 10", id="a label"),
    ],
)
def test_in_doubt_a_line_is_kept(text: str) -> None:
    assert trim(text) == (text, ())


def test_answers_between_and_below_quoted_lines_stay() -> None:
    mail = dedent("""
        On Mon, Mar 3, 2025 at 10:15 AM Mario <m@x.test> wrote:
        > Alle 10?
        > Va bene?

        Sì.

        > E il referto?
        > Lo porto?

        Sì, grazie.
        """)
    text, cuts = trim(mail)
    assert text.split() == ["Sì.", "Sì,", "grazie."]
    assert [cut.rule for cut in cuts] == ["quote"]


@pytest.mark.parametrize(
    ("written", "texted"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("a   \n\n\n\n\nb \t", "a\n\n\nb"),
        ("perche\u0301", "perché"),
        ("a\u200bb\u00adc\u202ed\ufeff", "abcd"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\x00b\x1bc\x07", "abc"),
        ("a\tb", "a b"),
        ("a\ud800b", "a\ufffdb"),
    ],
    ids=["line ends", "blank lines", "NFC", "invisible", "family", "Persian", "controls", "tab", "half a character"],
)
def test_the_same_words_in_ordinary_characters(written: str, texted: str) -> None:
    assert trim(written) == (texted, ())


@given(st.text(st.sampled_from("aà>:\n -_Il1On\u0301\u200d@<. ") | st.characters(), max_size=300))
def test_nothing_is_lost_or_invented(text: str) -> None:
    kept, cuts = trim(text)
    handed_on = kept + "".join(cut.text for cut in cuts)
    assert sorted("".join(handed_on.split())) == sorted("".join(normalise(text).split()))
    handed_on.encode()


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 300_000,
        " " * 300_000 + "x",
        "> \n\n" * 100_000,
        "Il 10:15 a@b\n" * 30_000,
        "Da: a\n" * 30_000,
        "On 10:15 " + "wrote on " * 40_000 + ":",
        "a" + "\u0301\u0316" * 200_000,
        "--\n" * 100_000,
        "-" * 300_000,
        "\u200d" * 300_000,
    ],
    ids=["blank", "spaces", "quotes", "half attributions", "labels", "long line", "marks", "dashes", "rule", "joiners"],
)
def test_hostile_texts_are_trimmed_in_time(text: str) -> None:
    before = time.process_time()
    trim(text)
    assert time.process_time() - before < 3


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not part of the checkout")
def test_the_collected_replies_are_read_as_well_as_before() -> None:
    """A floor under what was measured: 38 of 64 equal but for spaces, most others in languages without a row."""
    same = 0
    for mail in sorted((CORPUS / "emails").iterdir()):
        expected = (CORPUS / "trimmed" / mail.name).read_text(encoding="utf-8")
        same += trim(mail.read_text(encoding="utf-8"))[0].split() == expected.split()
    assert same >= 36
