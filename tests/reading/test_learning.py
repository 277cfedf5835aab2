"""What may be a signature, and what is a word to the patient although every mail ends with it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.reading.learning import candidate
from bridge.reading.trim import trim
from bridge.types import Cut, CutRule, Habits


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("Northside Clinic\nTel. 555 0100", id="en, name and telephone"),
        pytest.param("Front desk\nNorthside Clinic\n+44 20 7946 0100", id="en, an office"),
        pytest.param("Anna Bell, Head of Nursing\nNorthside Clinic\nanna@northside.example", id="en, a title"),
        pytest.param("Northside Clinic\nwww.northside.example", id="en, web"),
        pytest.param("Northside Corp.\nHART LTD.\nTel. 555 0100", id="en, companies"),
        pytest.param("Northside | 555 0100 | desk@northside.example\nwww.northside.example", id="en, in one line"),
        pytest.param("Anna Bell\nPhone: 555 0100 Fax: 555 0101", id="en, two numbers on a line"),
        pytest.param("Studio Rossi\nTel. 02 1234567", id="it, name and telephone"),
        pytest.param(
            "Dott.ssa Anna Bianchi\nMedico chirurgo\nVia Roma 12, 20121 Milano\nTel. 02 1234567", id="it, a doctor"
        ),
        pytest.param("Studio Dentistico Bianchi\nVia del Corso 3\nP.IVA: 01234567890", id="it, street and tax number"),
        pytest.param("Segreteria\nStudio Rossi s.r.l.\nCell. 333 1234567", id="it, a company"),
        pytest.param("Anna\nVia della Libertà 1, Roma\nsegreteria@studio.example", id="it, street and mail"),
        pytest.param("Clínica Norte\nCalle Mayor 4, 28013 Madrid\nTeléfono: 912 345 678", id="es, street"),
        pytest.param("Dra. Ana Ruiz\nMóvil: +34 612 345 678", id="es, mobile"),
        pytest.param("Recepción\nClínica de la Paz\nAvenida de la Paz 3\nTel. 912 345 678", id="es, avenue"),
        pytest.param("Huisartsenpraktijk Noord\nTelefoon: 020 123 4567", id="nl, telephone"),
        pytest.param("Anna de Vries\nPraktijkassistente\n1012 AB Amsterdam\nT 020 1234567", id="nl, postal code"),
        pytest.param("Cabinet Martin\n12 rue de la Paix, 75002 Paris\nTél. 01 23 45 67 89", id="fr, street"),
        pytest.param("Dr Anne Martin\nMédecin généraliste\n01 23 45 67 89", id="fr, a bare number"),
        pytest.param("Praxis Dr. Weber\nHauptstraße 1, 10115 Berlin\nTelefon: 030 123456", id="de, street"),
        pytest.param("Anna Weber\nMedizinische Fachangestellte\nTel.: +49 30 123456", id="de, a title"),
        pytest.param("Clínica Sul\nRua das Flores 3, 1200 Lisboa\nTelemóvel: 912 345 678", id="pt, street"),
        pytest.param("Ana Sousa\nRececionista\nwww.clinica.example", id="pt, web"),
        pytest.param("Clínica do Jardim\nRua do Moinho 12, 1100-001 Lisboa\nTel.: 210 000 100", id="pt, a garden"),
        pytest.param("Anna\nBea\nCarla\nDora\nElsa\nFranca\nGina\nTel. 02 1234567", id="eight lines"),
    ],
)
@pytest.mark.parametrize("above", ["La visita è domani alle 10.\n\n", "Le confermo la visita.\n\nCordiali saluti,\n"])
def test_names_and_ways_to_reach_somebody_may_be_a_signature(above: str, signature: str) -> None:
    assert candidate(above + signature + "\n") == signature


@pytest.mark.parametrize(
    "end",
    [
        pytest.param("Studio Rossi\nVia Roma 1, 20121 Milano", id="it, where to go"),
        pytest.param("Clínica Sol\nCalle Mayor 1", id="es, where to go"),
        pytest.param("Prenotazioni\nhttps://studio.example/prenota", id="it, a page to book"),
        pytest.param("Studio Rossi\nhttps://maps.app.goo.gl/x1\nTel. 02 1234567", id="it, a map"),
        pytest.param("Studio Rossi\nPer disdire: 02 1234567", id="it, how to cancel"),
        pytest.param("Per disdire\n02 1234567", id="it, how to cancel, on two lines"),
        pytest.param("Studio Rossi\nPer info chiamare 02 1234567", id="it, a call"),
        pytest.param("Portare la tessera sanitaria\nTel. 02 1234567", id="it, what to bring"),
        pytest.param("Porti esami recenti\nStudio Rossi\nTel. 02 1234567", id="it, what to bring, briefly"),
        pytest.param("Si presenti a digiuno\nVia Roma 1, 20121 Milano", id="it, how to come"),
        pytest.param("Visita il 3/3/2026\nVia Roma 1, 20121 Milano", id="it, when and where"),
        pytest.param("Studio Rossi\nVia Roma 1, 20121 Milano\nore 10:15", id="it, an hour"),
        pytest.param("Studio Rossi\nTel. 02 1234567\nOrari 9-18", id="it, opening hours"),
        pytest.param("Studio Rossi\nTel. 02 1234567 dalle 9 alle 18, solo il lunedì", id="it, hours behind a number"),
        pytest.param("To cancel: 555 0100\nNorthside Clinic", id="en, how to cancel"),
        pytest.param("Northside Clinic\nCall 555 0100 to confirm", id="en, a call"),
        pytest.param("Northside Clinic\nReply STOP to opt out\nwww.northside.example", id="en, STOP"),
        pytest.param("Your results are ready\nwww.northside.example/results", id="en, a link that is meant"),
        pytest.param("Join here\nwww.meet.example/123", id="en, a meeting"),
        pytest.param("Track your parcel\nhttps://parcel.example/1", id="en, a parcel"),
        pytest.param("Northside Clinic\nDo not reply to this message.\nwww.northside.example", id="en, a footer"),
        pytest.param("Host web1\nAddress 10.0.0.1\nState CRITICAL since 10:15", id="en, a monitor"),
        pytest.param("Clínica Norte\nPara anular: 912 345 678", id="es, how to cancel"),
        pytest.param("Clínica Norte\nLlame al 912 345 678", id="es, a call"),
        pytest.param("Traiga su tarjeta\nCalle Mayor 4, 28013 Madrid", id="es, what to bring"),
        pytest.param("Praktijk Noord\nAfzeggen: 020 1234567", id="nl, how to cancel"),
        pytest.param("Praktijk Noord\nBel ons op 020 1234567", id="nl, a call"),
        pytest.param("Cabinet Martin\nPour annuler : 01 23 45 67 89", id="fr, how to cancel"),
        pytest.param("Cabinet Martin\nAppelez le 01 23 45 67 89", id="fr, a call"),
        pytest.param("Praxis Weber\nAbsagen unter 030 123456", id="de, how to cancel"),
        pytest.param("Bringen Sie Ihre Karte\nHauptstraße 1, 10115 Berlin", id="de, what to bring"),
        pytest.param("Clínica Sul\nPara desmarcar: 212 345 678", id="pt, how to cancel"),
        pytest.param("Clínica Sul\nLigue 212 345 678", id="pt, a call"),
        pytest.param("Studio Rossi\nDott.ssa Anna Bianchi", id="no way to reach anybody"),
        pytest.param("Tel. 02 1234567", id="one line"),
        pytest.param("Anna\nBea\nCarla\nDora\nElsa\nFranca\nGina\nIda\nTel. 02 1234567", id="nine lines"),
        pytest.param("la sala è la 3\nStudio Rossi\nTel. 02 1234567", id="words and no blank line"),
        pytest.param("Codice 4411\nwww.northside.example", id="a code"),
    ],
)
def test_words_to_the_reader_are_no_signature(end: str) -> None:
    assert candidate(f"La visita è domani alle 10.\n\n{end}") is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("Studio Rossi\nTel. 02 1234567", id="nothing above"),
        pytest.param("Cordiali saluti\nStudio Rossi\nTel. 02 1234567", id="nothing but a greeting above"),
        pytest.param("\n\nStudio Rossi\nTel. 02 1234567", id="blank lines above"),
    ],
)
def test_what_is_all_there_is_is_no_signature(text: str) -> None:
    assert candidate(text) is None


SIGNATURE = "Studio Rossi\nTel. 02 1234567"


def test_a_learned_signature_is_cut() -> None:
    habits = Habits(signatures=(SIGNATURE,))
    text, cuts = trim("La visita è domani.\n\nStudio  Rossi \n\nTel. 02 1234567\n", habits=habits)
    assert text == "La visita è domani."
    assert cuts == (Cut(CutRule.LEARNED_SIGNATURE, "Studio  Rossi \n\nTel. 02 1234567"),)
    assert trim(f"Sì.\n\n{SIGNATURE}\n\nIl 03/03/2026 10:15, M ha scritto:\n> x", habits=habits)[0] == "Sì."


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SIGNATURE, id="nothing above"),
        pytest.param(f"Sì.\n\n{SIGNATURE} int. 3", id="another line"),
        pytest.param(f"{SIGNATURE}\n\nSì.", id="not at the end"),
        pytest.param("Sì.\n\nTel. 02 1234567", id="half of it"),
    ],
)
def test_what_is_not_quite_the_learned_signature_stays(text: str) -> None:
    assert trim(text, habits=Habits(signatures=(SIGNATURE, " \n"))) == (text, ())


@given(st.text(st.sampled_from("Tel. 02 1234567\nAb@c.d:x ") | st.characters(), max_size=200))
def test_a_candidate_ends_the_text_and_leaves_words(text: str) -> None:
    found = candidate(text)
    if found is not None:
        words = text.split()
        assert words[len(words) - len(found.split()) :] == found.split()
        assert len(found.split()) < len(words)


@pytest.mark.parametrize("text", ["A\n" * 100_000, "Tel " * 100_000, "1 " * 200_000, "a." * 200_000, "A " * 200_000])
def test_hostile_texts_are_looked_at_in_time(text: str) -> None:
    before = time.process_time()
    candidate(f"x\n\n{text}\nTel. 02 1234567")
    assert time.process_time() - before < 1


BLOCK = "Studio Rossi\nVia Roma 1, 20121 Milano\nTel. 02 1234567"


@pytest.mark.parametrize(
    "leads",
    [
        "La visita è martedì alle 10 presso:",
        "La visita è martedì alle 10 presso",
        "Dove:",
        "Il nuovo indirizzo è",
        "Per la ricetta chiamate",
        "See you on Tuesday at",
        "La cita es el martes en",
        "U wordt verwacht bij",
        "Rendez-vous mardi chez",
        "Bitte kommen Sie am Dienstag zu:",
        "A consulta é na",
    ],
)
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_what_a_line_leads_on_to_is_texted_although_it_is_the_signature(leads: str, between: str) -> None:
    text = f"Gentile signora,\n{leads}{between}{BLOCK}"
    assert candidate(text) is None
    assert trim(text, "", Habits(signatures=(BLOCK,))) == (text, ())


def test_below_a_whole_sentence_it_is_cut() -> None:
    kept, cuts = trim(f"La aspettiamo martedì alle 10.\n\n{BLOCK}", "", Habits(signatures=(BLOCK,)))
    assert kept == "La aspettiamo martedì alle 10."
    assert cuts == (Cut(CutRule.LEARNED_SIGNATURE, BLOCK),)
