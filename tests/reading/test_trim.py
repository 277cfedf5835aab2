"""What is cut from a mail, what stays, and that doubt keeps a line."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.reading.trim import normalise, trim
from bridge.types import Cut

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


DISCLAIMER_EN = """This e-mail and any attachments are confidential and intended solely for the addressee. If you have
received it in error, please notify the sender and delete it."""
DISCLAIMER_IT = """AVVISO DI RISERVATEZZA

Le informazioni contenute in questo messaggio sono riservate e destinate esclusivamente al destinatario. Chi lo avesse
ricevuto per errore è pregato di cancellarlo, ai sensi del Regolamento UE 2016/679."""
DISCLAIMER_ES = """Este mensaje es confidencial y se dirige exclusivamente a su destinatario. Si lo ha recibido
por error, le rogamos que lo elimine y avise al remitente."""
DISCLAIMER_NL = """Dit bericht is vertrouwelijk en uitsluitend bestemd voor de geadresseerde. Hebt u het ten onrechte
ontvangen, verwijder het dan en waarschuw de afzender."""
DISCLAIMER_FR = """Ce message est confidentiel et destiné exclusivement à son destinataire. Si vous l'avez reçu
par erreur, merci de le supprimer et d'en avertir l'expéditeur."""
DISCLAIMER_DE = """Diese E-Mail ist vertraulich und nur für den Empfänger bestimmt. Haben Sie sie irrtümlich erhalten,
so benachrichtigen Sie bitte den Absender und löschen Sie sie."""


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
        pytest.param("Le lun. 3 mars 2025 à 10:15, Mario <m@x.test> a écrit :\n\n> prima", id="Gmail fr"),
        pytest.param("Le 03/03/2025 à 10:15, Mario Rossi a écrit :\n> prima", id="Thunderbird fr"),
        pytest.param(
            "Am Mo., 3. März 2025 um 10:15 Uhr schrieb Mario <\nm@x.test>:\n\n> prima", id="Gmail de, wrapped"
        ),
        pytest.param("Mario <m@x.test> schrieb am Mo., 3. März 2025 um 10:15:\n> prima", id="Gmail de, another"),
        pytest.param("Em seg., 3 de mar. de 2025 às 10:15, Mario <m@x.test> escreveu:\n\n> prima", id="Gmail pt"),
        pytest.param("Den mån 3 mars 2025 kl 10:15 skrev Mario <m@x.test>:\n> prima", id="Gmail sv"),
        pytest.param("pon., 3 mar 2025 o 10:15 Mario <m@x.test> napisał(a):\n> prima", id="Gmail pl"),
        pytest.param("пн, 3 мар. 2025 г. в 10:15, Mario <m@x.test>:\n> prima", id="Gmail ru"),
        pytest.param("Mario <m@x.test> 于2025年3月3日周一 10:15写道：\n> prima", id="Gmail zh"),
        pytest.param("Mario Rossi <m@x.test> wrote:\n\nprima", id="name and address, not marked"),
        pytest.param("2025/3/3 Mario Rossi <m@x.test>\n\n| prima\n| ancora", id="marked with bars"),
        pytest.param("---- On Mon, 3 Mar 2025 10:15 Mario<m@x.test> wrote ----\n\nprima", id="Zoho"),
        pytest.param("-----Message d'origine-----\nDe : Mario\nEnvoyé : lundi 3 mars", id="Outlook fr, old"),
        pytest.param("De : Mario <m@x.test>\nEnvoyé : lundi\nÀ : Clinique\nObjet : Visite\n\nprima", id="Outlook fr"),
        pytest.param("Von: Mario <m@x.test>\nGesendet: Montag\nAn: Klinik\nBetreff: Termin\n\nprima", id="Outlook de"),
        pytest.param("De: Mario <m@x.test>\nEnviada em: segunda\nPara: C\nAssunto: Consulta\n\nprima", id="Outlook pt"),
        pytest.param("发件人: Mario\n发送时间: 2025年3月3日 10:15\n收件人: C\n主题: V\n\nprima", id="Outlook zh"),
        pytest.param("Zitat von Mario <m@x.test>:\n\n> prima", id="Horde"),
        pytest.param("Am 2025-03-03 10:15, schrieb Mario:\n> prima", id="Roundcube de"),
        pytest.param("On Mar 3, 2025, 10:15 +0100, Mario <m@x.test>, wrote:\n> prima", id="Spark"),
        pytest.param(
            "Gesendet mit Proton Mail sicherer E-Mail.\n\nm@x.test schrieb am Montag, 3. März 2025 um 10:15:\n> prima",
            id="Proton de",
        ),
        pytest.param(
            "Gesendet: Montag, 3. März 2025 um 10:15 Uhr\nVon: Mario <m@x.test>\nAn: C\nBetreff: V\n\nprima", id="GMX"
        ),
        pytest.param(
            "Inviato da Libero Mail per Android\nLunedì, 03 Marzo 2025, 10:15 +0100 da M <m@x.test>:\n> prima",
            id="Libero",
        ),
        pytest.param("De: M <m@x.test>\nÀ: C\nEnvoyé: Lundi 3 Mars 2025 10:15\nObjet: V\n\nprima", id="Zimbra fr"),
        pytest.param("> Message du 03/03/25 10:15\n> De : M <m@x.test>\n> A : C\n> \n> prima", id="Orange"),
        pytest.param(
            "**From:** M\n**Sent:** Monday 10:15\n**To:** C\n**Subject:** V\n\nprima", id="labels in Markdown"
        ),
        pytest.param("Lundi 3 mars 2025 10:15, M <m@x.test>:", id="nothing is left below an attribution"),
        pytest.param("> prima\n> ancora", id="quotation alone"),
        pytest.param("> prima\n> ancora\n\n--\nMario", id="signature below a quotation"),
        pytest.param("-- \nClinica Example\nTel. 02 1234", id="signature"),
        pytest.param("--\nClinica Example", id="signature without its space"),
        pytest.param("Sent from my iPhone", id="iPhone en"),
        pytest.param("Inviato da iPhone", id="iPhone it"),
        pytest.param("Enviado desde mi iPhone", id="iPhone es"),
        pytest.param("Verstuurd vanaf mijn iPhone", id="iPhone nl"),
        pytest.param("Envoyé de mon iPhone", id="iPhone fr"),
        pytest.param("Von meinem iPhone gesendet", id="iPhone de"),
        pytest.param("Enviado do meu iPhone", id="iPhone pt"),
        pytest.param("Get Outlook for iOS<https://aka.ms/o0ukef>", id="Outlook on a phone"),
        pytest.param("Get [Outlook for Android](https://aka.ms/ghei36)", id="Outlook on a phone, as Markdown"),
        pytest.param("Sent from my iPhone\n\nGet Outlook for iOS", id="two device lines"),
        pytest.param("Da: M <m@x.test>\nInviato: lunedì 10:15\nA: C\nOggetto: V", id="a mail without words"),
        pytest.param("_____\nDa: M\nInviato: lunedì 10:15\nA: C\nOggetto: V", id="a mail without words, ruled off"),
        pytest.param("[cid:image001.png@01DB8C2E]", id="a picture"),
        pytest.param("ᐧ", id="a tracker's mark"),
        pytest.param(DISCLAIMER_EN, id="disclaimer en"),
        pytest.param(DISCLAIMER_IT, id="disclaimer it, under a heading"),
        pytest.param(DISCLAIMER_ES, id="disclaimer es"),
        pytest.param(DISCLAIMER_NL, id="disclaimer nl"),
        pytest.param(DISCLAIMER_FR, id="disclaimer fr"),
        pytest.param(DISCLAIMER_DE, id="disclaimer de"),
        pytest.param(DISCLAIMER_IT + "\n\n" + DISCLAIMER_EN, id="disclaimers in two languages"),
        pytest.param("Please consider the environment before printing this e-mail.", id="printing en"),
        pytest.param("Prima di stampare questa mail, pensa all'ambiente", id="printing it"),
        pytest.param("Mail priva di virus. www.avast.com", id="scanner"),
        pytest.param("$$\nStudio Rossi\nTel. 02 1234", id="end mark $$"),
        pytest.param("##\nStudio Rossi", id="end mark ##"),
        pytest.param("--end\nStudio Rossi", id="end mark --end"),
        pytest.param("{End SMS}\nStudio Rossi", id="end mark in braces"),
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
        pytest.param("Cordiali saluti\nMario Rossi", id="sign-off and name"),
        pytest.param("A domani.\n\nCordiali saluti\nMario Rossi\nTel. 02 123456", id="a number to call"),
        pytest.param("I dati sono riservati.\n\nA domani", id="one word of a disclaimer"),
        pytest.param(DISCLAIMER_EN.replace("\n", " "), id="a disclaimer is all there is"),
        pytest.param("ATTENZIONE: la visita è annullata.\n\nLo Studio", id="a warning of their own"),
        pytest.param("Il 3/3/2025 Mario ha scritto:\nvengo alle 10", id="attribution without a time"),
        pytest.param("La visita è il 03/03/2025 alle 10:15, mi scrive:\nsì o no", id="a date before a colon"),
        pytest.param("#### Referto ####\npronto", id="four hashes"),
        pytest.param("### ALERT ###\nHost web1 is down", id="a heading between three hashes"),
        pytest.param("###\nBackup\n###\nfailed", id="a frame of hashes"),
        pytest.param("$$\nIl conto è pronto", id="nothing above a mark"),
        pytest.param("Porti\n--\nla tessera sanitaria", id="words below two dashes"),
        pytest.param("Porti\n--\nTutti gli esami.", id="a sentence below two dashes"),
        pytest.param(
            "Messaggio vocale\n\nDa: 055 010 0000\nData: 03/03/2026 10:15\nOggetto: voce\nA: 204\nDurata: 12 s",
            id="a switchboard, with a subject",
        ),
        pytest.param("Costa 50 $$$\nall'anno", id="three dollars"),
        pytest.param("Premere ## per confermare\no # per uscire", id="hashes in a sentence"),
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


def test_a_quotation_that_words_stand_around_stays() -> None:
    """It may be what they answer; only who wrote it and when is cut."""
    mail = "Veda qui sotto.\n\nIl 03/03/2025 10:15, Mario ha scritto:\n> Alle 10?\n> O alle 11?\n\nAlle 11."
    text, cuts = trim(mail)
    assert text == "Veda qui sotto.\n\n> Alle 10?\n> O alle 11?\n\nAlle 11."
    assert [cut.text for cut in cuts] == ["Il 03/03/2025 10:15, Mario ha scritto:"]


def test_an_answer_below_the_quotation_is_texted_alone() -> None:
    text, _ = trim("On 03/03/2025 10:15, +39 333 123 4567 wrote:\n> Alle 10?\n\nSì, alle 10.")
    assert text == "Sì, alle 10."


def test_the_words_between_two_hash_marks_are_texted() -> None:
    text, cuts = trim("##Visita domani\nalle 10##\nStudio Rossi")
    assert text == "Visita domani\nalle 10"
    assert [cut.rule for cut in cuts] == ["end mark"]


def test_details_below_the_name_are_cut() -> None:
    text, cuts = trim(
        "La visita è domani.\n\nCordiali saluti,\nMario Rossi\n\nClinica Example srl\n"
        "Via Roma 1, 20100 Milano\nTel. +39 02 1234567\nwww.example.it"
    )
    assert text == "La visita è domani.\n\nCordiali saluti,\nMario Rossi"
    assert [cut.rule for cut in cuts] == ["contact details"]


@pytest.mark.parametrize(
    "banner",
    [
        "[EXTERNAL] CAUTION: This email originated from outside of the organization. Do not click links.",
        "ATTENZIONE: questa mail proviene dall'esterno. Non cliccare sui link.",
        "LET OP: deze e-mail komt van buiten de organisatie.",
        "You don't often get email from m@x.test. Learn why this is important",
    ],
)
def test_a_banner_of_the_mail_server_is_cut(banner: str) -> None:
    assert trim(f"{banner}\n\nDomani alle 10.") == ("Domani alle 10.", (Cut("banner", banner),))


def test_a_mail_that_only_passes_another_on_texts_that() -> None:
    text, cuts = trim(
        "---------- Messaggio inoltrato ---------\nDa: Mario <m@x.test>\nDate: lun 3 mar 2025\nOggetto: Visita\n"
        "A: <c@x.test>\n\n\nLa visita è domani.\n"
    )
    assert text == "La visita è domani."
    assert [cut.rule for cut in cuts] == ["quoted mail"]


FORWARDED = "From: Mario <m@x.test>\nSent: Monday\nTo: C\nSubject: Visit\n\nYour visit is at ten."


@pytest.mark.parametrize(
    ("subject", "written", "texted"),
    [
        pytest.param("FW: Visit", FORWARDED, "Your visit is at ten.", id="Outlook passes a mail on"),
        pytest.param("WG: Termin", FORWARDED, "Your visit is at ten.", id="Outlook in German"),
        pytest.param("I: Visita", FORWARDED, "Your visit is at ten.", id="Outlook in Italian"),
        pytest.param("Re: Visit", FORWARDED, "", id="an answer in which nothing is written"),
        pytest.param("Visit", FORWARDED, FORWARDED, id="a form of its own"),
        pytest.param(
            "Fwd: x",
            "-- \nStudio\n\n---------- Forwarded message ---------\nFrom: M <m@x.test>\nTo: C\n\nAt ten.",
            "At ten.",
            id="under a signature that came by itself",
        ),
        pytest.param("Re: x", "> On 3 Mar 2026, at 10:15, M <m@x.test> wrote:\n> \n> x", "", id="only quoted lines"),
    ],
)
def test_the_subject_tells_a_mail_that_is_passed_on(subject: str, written: str, texted: str) -> None:
    assert trim(written, subject)[0] == texted


@pytest.mark.parametrize(
    ("written", "texted"),
    [
        pytest.param(
            "Yes. On Wed, Apr 4, 2012 at 3:59 PM, bob@x.test wrote:\n> Hi", "Yes.", id="before an attribution"
        ),
        pytest.param(
            "Yes.\n\nBegin forwarded message:\n\n> From: M <m@x.test>\n> To: C\n>\n> old\n\nAnd no.",
            "Yes.\n\nAnd no.",
            id="below what Apple passes on",
        ),
        pytest.param(
            "Yes.\n\nOn Tue, Mar 3, 2026 at 10:15, M<m@x.test> wrote:   old words\nmore of them",
            "Yes.",
            id="quoted words on the line of the attribution",
        ),
        pytest.param("Yes.\n\n---- Mario Rossi wrote ----\n\n> old\n> words", "Yes.", id="an attribution in dashes"),
        pytest.param(
            "Yes.\nDate: Monday\nFrom: M <m@x.test>\nTo: C\nSubject: x\n\nold",
            "Yes.",
            id="a block that begins with the day",
        ),
        pytest.param(
            "Yes.\n\n> one line that is quoted or not", "Yes.\n\n> one line that is quoted or not", id="doubt"
        ),
    ],
)
def test_words_beside_a_quotation_are_texted(written: str, texted: str) -> None:
    assert trim(written)[0] == texted


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
        "a.\n" * 100_000,
        "On 1:  " * 50_000,
        "a On 10:15 wrote:\n" * 20_000,
        "> 1\n" * 100_000 + "x",
        "> 1\nx\n" * 60_000,
        "> a\nx\n" * 60_000,
        "From: a@b\nTo: c\nx\n" * 30_000,
        "Begin forwarded message:\n\n> a\n\nb\n" * 20_000,
        "this message is confidential in error. " * 10_000,
        "Grazie\nMario\nTel. 1\n" * 30_000,
        "#" * 300_000 + " ##",
    ],
    ids=[
        "blank",
        "spaces",
        "quotes",
        "half attributions",
        "labels",
        "long line",
        "marks",
        "dashes",
        "rule",
        "joiners",
        "sentences",
        "lines that go on",
        "words before attributions",
        "comparisons",
        "choices",
        "quotes and words",
        "blocks",
        "forwards",
        "disclaimers",
        "sign-offs",
        "hashes",
    ],
)
def test_hostile_texts_are_trimmed_in_time(text: str) -> None:
    before = time.process_time()
    trim(text)
    assert time.process_time() - before < 3


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not part of the checkout")
def test_the_collected_replies_are_read_as_their_authors_meant() -> None:
    """62 of 64 equal but for spaces (one has lines marked "C>", one many device lines in a row); no word is lost."""
    same = 0
    for mail in sorted((CORPUS / "emails").iterdir()):
        expected = (CORPUS / "trimmed" / mail.name).read_text(encoding="utf-8").split()
        found = trim(mail.read_text(encoding="utf-8"))[0].split()
        same += found == expected
        assert not Counter(expected) - Counter(found), mail.name
    assert same >= 62


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", []),
        ("[cid:logo.png]", ["picture"]),
        ("-- \nMario", ["signature"]),
        ("Inviato da iPhone", ["device line"]),
    ],
    ids=["nothing", "a picture", "a signature", "a device line"],
)
def test_a_mail_may_have_no_words(text: str, rules: list[str]) -> None:
    kept, cuts = trim(text)
    assert kept == ""
    assert [cut.rule for cut in cuts] == rules
