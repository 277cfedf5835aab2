"""What becomes of characters that mail programs put in by themselves, and of letters that come in two pieces."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sms import gsm7
from bridge.sms.encoding import encode
from bridge.sms.look_alikes import composed, plain
from bridge.types import Encoding, UnicodePolicy

ALLOW, TRANSLITERATE, REFUSE = UnicodePolicy.ALLOW, UnicodePolicy.TRANSLITERATE, UnicodePolicy.REFUSE


@pytest.mark.parametrize(
    ("written", "texted"),
    [
        pytest.param("“Ciao” – l’ora…", '"Ciao" - l\'ora...', id="what Word makes of it"),
        pytest.param("«Oui», dit-il ‚à part‘ ″", '"Oui", dit-il \'à part\' "', id="quotes of other languages"),
        pytest.param("10\u00a0h\u202f30\u2003ok\u3000", "10 h 30 ok ", id="spaces"),
        pytest.param("a\u2028b\u2029c\u0085d", "a\nb\nc\nd", id="line ends"),
        pytest.param("a\u200bb\u00adc\ufeffd\u2060e\u200cf\u200dg", "abcdefg", id="invisible"),
        pytest.param("\u202aRoma\u202c \u2066via\u2069\u200e 1\u200f\u061c", "Roma via 1", id="marks of direction"),
        pytest.param("ﬁne ﬂuss oﬀen aﬃn cœur Ĳssel", "fine fluss offen affin coeur IJssel", id="ligatures"),
        pytest.param("3‑5 − 1 — 2 ― –", "3-5 - 1 - 2 - -", id="dashes"),
        pytest.param("• a\n·\u00a0b\n▪ c\n\uf0b7\td", "* a\n* b\n* c\n* d", id="list marks, Word's too"),
        pytest.param("2 × 3 ⁄ 4", "2 x 3 / 4", id="signs"),
        pytest.param("20 \N{KELVIN SIGN}, 5 \N{OHM SIGN}, \N{ANGSTROM SIGN}", "20 K, 5 Ω, Å", id="letters as signs"),
        pytest.param("\N{VICTORY HAND}\ufe0e"[1:] + "1\ufe0f", "1", id="variation selectors"),
        pytest.param("perché è così, Åsa Øre ñ ß", "perché è così, Åsa Øre ñ ß", id="accents stay"),
        pytest.param("perche\u0301 e\u0300 cosi\u0300", "perché è così", id="accents written apart"),
        pytest.param("A\u030asa “ok”", 'Åsa "ok"', id="both at once"),
        pytest.param("ça va “bien”", "ça va “bien”", id="left as written when unicode is needed anyway"),
        pytest.param("😀 “ciao”…", "😀 “ciao”…", id="an emoji"),
        pytest.param("…" * 54, "…" * 54, id="three dots for one, where that would cost a second SMS"),
        pytest.param("…" * 53, "..." * 53, id="three dots for one, where it does not"),
        pytest.param("γειά “σου”", "γειά “σου”", id="a Greek accent"),
        pytest.param("ž\u00ad\u200b\ufeff", "ž", id="what nobody sees goes in unicode too"),
        pytest.param(
            "می\u200cخواهم 👨\u200d👩\u200d👧",
            "می\u200cخواهم 👨\u200d👩\u200d👧",
            id="joiners that mean something stay",
        ),
        pytest.param("a\u0328 z\u030c", "ą ž", id="composed in unicode too"),
        pytest.param("\u0958", "\u0958", id="nothing is taken apart"),
    ],
)
def test_transliteration(written: str, texted: str) -> None:
    assert encode(written, TRANSLITERATE).text == texted


GSM, UNICODE = Encoding.GSM7, Encoding.UCS2


@pytest.mark.parametrize(
    ("written", "texted", "encoding"),
    [
        pytest.param("Sig.ra D’Angelo, è per le 9…", "Sig.ra D'Angelo, è per le 9...", GSM, id="Italian"),
        pytest.param("È alle 9 – D’Angelo", "È alle 9 – D’Angelo", UNICODE, id="Italian, a capital with its accent"),
        pytest.param("¿Qué tal? – ¡Mañana!", "¿Qué tal? - ¡Mañana!", GSM, id="Spanish"),
        pytest.param("¿Cómo está? – “Sí”", "¿Cómo está? – “Sí”", UNICODE, id="Spanish, accents that GSM lacks"),
        pytest.param("’s Middags één ĳsje – ’t", "'s Middags één ijsje - 't", GSM, id="Dutch"),
        pytest.param("Patiënt ’s", "Patiënt ’s", UNICODE, id="Dutch, an accent that GSM lacks"),
        pytest.param("Consulta amanhã – “9h”", "Consulta amanhã – “9h”", UNICODE, id="Portuguese"),
        pytest.param("À 14\u202fh\u202f30\u00a0?", "À 14\u202fh\u202f30\u00a0?", UNICODE, id="French, a capital"),
        pytest.param("Dr Lœb\u00a0: 25\u202f€, l’été", "Dr Loeb : 25 €, l'été", GSM, id="French"),
        pytest.param("„Grüße“ – Straße", '"Grüße" - Straße', GSM, id="German"),
        pytest.param("Şubat’ta", "Şubat’ta", UNICODE, id="Turkish"),
        pytest.param("„Zażółć” – gęś", "„Zażółć” – gęś", UNICODE, id="Polish"),
        pytest.param("ΑΥΡΙΟ – 9", "ΑΥΡΙΟ – 9", UNICODE, id="Greek capitals are not Latin ones"),
        pytest.param("مرحبا – ‎9", "مرحبا – ‎9", UNICODE, id="Arabic, with its marks of direction"),
        pytest.param("🦷 “ore 9”", "🦷 “ore 9”", UNICODE, id="emoji"),
        pytest.param("il·lusió", "il·lusió", UNICODE, id="Catalan"),
    ],
)
def test_meaning_and_accents_stay(written: str, texted: str, encoding: Encoding) -> None:
    encoded = encode(written, TRANSLITERATE)
    assert (encoded.text, encoded.encoding) == (texted, encoding)


@pytest.mark.parametrize(
    ("written", "texted"),
    [
        pytest.param("ore 9–10, 14 — 16", "ore 9-10, 14 - 16", id="from, to"),
        pytest.param("a −5 o –5", "a -5 o -5", id="below zero"),
        pytest.param("•5 mg", "*5 mg", id="a list mark is no minus"),
        pytest.param("ore 9 · 12 • 15", "ore 9 * 12 * 15", id="a list is no range"),
        pytest.param("2·5 mg", "2·5 mg", id="a British decimal point"),
        pytest.param("2×500 mg", "2x500 mg", id="times"),
        pytest.param("1\u202f000 €", "1 000 €", id="thousands"),
        pytest.param("1’500 Fr.", "1'500 Fr.", id="Swiss thousands"),
        pytest.param("1½ cp – ¼", "1½ cp – ¼", id="fractions"),
        pytest.param("1 1⁄2 cp", "1 1/2 cp", id="a fraction of three characters"),
        pytest.param("10² – 10⁻³", "10² – 10⁻³", id="raised digits"),
        pytest.param("37,5° – 500 µg – 5‰", "37,5° – 500 µg – 5‰", id="degrees, micro, per mille"),
        pytest.param("→ n.\u00a05 № 3™", "→ n.\u00a05 № 3™", id="arrows and signs"),
    ],
)
def test_numbers_stay_what_they_are(written: str, texted: str) -> None:
    assert encode(written, TRANSLITERATE).text == texted


@given(st.text(st.sampled_from("0123456789.,:/+-·•–−×½²°⁄\u00a0’… amg")))
def test_no_number_changes_its_digits_or_its_sign(text: str) -> None:
    def numbers(written: str) -> list[str]:
        found = re.findall(r"[-–−]?[0-9½²]+(?:·[0-9½²]+)*", written)
        return [number.translate({ord("–"): "-", ord("−"): "-"}) for number in found]

    assert numbers(plain(text)) == numbers(text)


@pytest.mark.parametrize("policy", [ALLOW, TRANSLITERATE, REFUSE])
def test_letters_and_their_marks_are_put_together_whatever_the_policy(policy: UnicodePolicy) -> None:
    assert encode("e\u0300", policy).text == "è"
    assert encode("Ciao", policy).text == "Ciao"


@pytest.mark.parametrize("text", ["“Ciao” – l’ora…", "a\u200bb", "\N{OHM SIGN}"])
def test_nothing_is_replaced_where_that_is_not_wanted(text: str) -> None:
    assert encode(text, ALLOW).text == text


@given(st.text())
def test_a_composed_text_means_the_same_and_is_no_longer(text: str) -> None:
    found = composed(text)
    assert unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", text)
    assert len(found) <= len(text)
    assert composed(found) == found


def test_endless_marks_are_left_alone() -> None:
    zalgo = "a" + "\u0301\u0323" * 40
    assert composed(zalgo) == zalgo
    assert composed("a\u0301" * 40) == "á" * 40


@given(st.text())
def test_letters_of_the_alphabet_are_never_touched(text: str) -> None:
    kept = "".join(char for char in text if gsm7.fits(char) and char not in "`")
    assert plain(kept) == kept
