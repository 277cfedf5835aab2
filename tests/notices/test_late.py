"""A report that a text has not arrived yet: what is known, that it must not be sent again, and what will be heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge import notices
from bridge.types import Hindrance, Language, MessageState, ReportLine
from tests.notices import grammar
from tests.notices.samples import DOMAIN, HOSTNAME, SENT, SETTLED, a_report, line, parts, read, report, words

H = Hindrance
TOMORROW = SENT + timedelta(days=1)


def late(hindrance: Hindrance, number: str = "+393331234567", **changes: Any) -> ReportLine:
    """One recipient whose text waits."""
    state = MessageState.SENT if hindrance is H.PHONE else MessageState.QUEUED
    return replace(line(state, number, settled_at=None, hindrance=hindrance), **changes)


@pytest.mark.parametrize(
    ("hindrance", "status"),
    [
        (H.TURN, "4.4.5"),
        (H.AWAY, "4.4.1"),
        (H.BUSY, "4.4.5"),
        (H.PHONE, "4.4.1"),
        (H.UNDECIDED, "4.7.1"),
        (H.PAUSED, "4.2.1"),
    ],
)
def test_for_programs_it_is_delayed(hindrance: Hindrance, status: str) -> None:
    made = notices.report(a_report(late(hindrance, tried_until=TOMORROW)), HOSTNAME, DOMAIN)
    _, (recipient,) = grammar.delivery_status(made.raw)
    assert (recipient["action"], recipient["status"]) == ("delayed", status)
    assert recipient["will-retry-until"] == "Fri, 13 Nov 2026 09:14:03 +0100"
    assert (recipient["x-sms-status"], read(made)["X-SMS-Status"]) == ("delayed", "delayed")
    assert read(made)["From"].startswith("SMS delayed")


def test_when_nobody_knows_until_when_it_is_tried_that_is_left_out() -> None:
    made = notices.report(a_report(late(H.TURN)), HOSTNAME, DOMAIN)
    _, (recipient,) = grammar.delivery_status(made.raw)
    assert "will-retry-until" not in recipient
    assert words(parts(read(made))[0]).startswith(
        "Your text message to +39 333 123 4567 has not arrived yet.\n"
        "\n"
        "It has not left yet: other messages go first, or the phone network cannot be reached. "
        "You need not do anything: it is still being tried. "
        "Please do not send it again meanwhile, or the phone may get it twice. "
        "You get another mail when it has arrived or failed.\n"
    )


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            Language.ENGLISH,
            "The phone network has it, but the phone is switched off or out of reach. "
            "You need not do anything: it is still being tried. "
            "Please do not send it again meanwhile, or the phone may get it twice. "
            "You get another mail when it has arrived or failed. "
            "If you hear nothing more by 13 November 2026, 09:14, please ask the recipient.",
        ),
        (
            Language.ITALIAN,
            "La rete telefonica ha il messaggio, ma il telefono è spento o non raggiungibile. "
            "Non deve fare nulla: i tentativi continuano. "
            "Nel frattempo non lo invii di nuovo, o il telefono potrebbe riceverlo due volte. "
            "Riceverà un'altra email quando sarà arrivato o se non potrà essere consegnato. "
            "Se non ha altre notizie prima del giorno 13 novembre 2026, ore 09:14, chieda al destinatario.",
        ),
        (
            Language.SPANISH,
            "La red telefónica tiene el mensaje, pero el teléfono está apagado o fuera de cobertura. "
            "No tiene que hacer nada: se sigue intentando. "
            "Mientras tanto, no lo envíe de nuevo, porque el teléfono podría recibirlo dos veces. "
            "Recibirá otro correo cuando haya llegado o si no se puede entregar. "
            "Si no tiene más noticias antes del 13 de noviembre de 2026, 09:14, pregunte al destinatario.",
        ),
        (
            Language.DUTCH,
            "Het telefoonnetwerk heeft het bericht, maar de telefoon staat uit of is buiten bereik. "
            "U hoeft niets te doen: er wordt nog geprobeerd het te bezorgen. "
            "Verzend het intussen niet opnieuw, anders komt het misschien twee keer aan. "
            "U krijgt nog een e-mail als het is aangekomen of niet bezorgd kan worden. "
            "Hoort u vóór 13 november 2026, 09:14 uur niets meer, vraag het dan aan de ontvanger.",
        ),
    ],
)
def test_the_person_reads_what_is_known_and_what_not_to_do(language: Language, said: str) -> None:
    letter = words(parts(report(late(H.PHONE, tried_until=TOMORROW), language=language))[0])
    assert letter.split("\n\n")[1] == said


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("hindrance", list(Hindrance))
def test_nobody_is_told_to_do_nothing_who_must_do_something(hindrance: Hindrance, language: Language) -> None:
    nothing = words(parts(report(late(H.AWAY), language=language))[0]).split("\n\n")[1].split(". ")[1]
    letter = words(parts(report(late(hindrance), language=language))[0])
    assert (nothing in letter) is (hindrance not in (H.UNDECIDED, H.PAUSED))


def test_the_moment_of_by_has_a_status_and_a_field_of_its_own() -> None:
    asked = a_report(late(H.AWAY), deliver_by=SENT + timedelta(seconds=60))
    message, (recipient,) = grammar.delivery_status(notices.report(asked, HOSTNAME, DOMAIN).raw)
    assert recipient["status"] == "4.4.7"
    assert message["deliver-by-date"] == "Thu, 12 Nov 2026 09:15:03 +0100"


@pytest.mark.parametrize("asked", ["for;3600", "until;2026-11-12T09:14:03Z"])
def test_how_long_the_mail_was_to_be_held_comes_back(asked: str) -> None:
    message, _ = grammar.delivery_status(notices.report(a_report(release=asked), HOSTNAME, DOMAIN).raw)
    assert message["future-release-request"] == asked


def test_what_the_network_says_of_a_phone_that_is_off_is_translated() -> None:
    heard = late(H.PHONE, gateway="acme", diagnostic="ENROUTE network 3 27", tried_at=SETTLED)
    message, (recipient,) = grammar.delivery_status(notices.report(a_report(heard), HOSTNAME, DOMAIN).raw)
    assert (message["reporting-mta"], message["dsn-gateway"]) == ("x-smsc; acme", f"dns; {HOSTNAME}")
    assert recipient["diagnostic-code"] == "x-sms; ENROUTE network 3 27"


def test_of_several_the_late_stand_between_the_uncertain_and_the_delivered() -> None:
    mail = report(
        line(MessageState.DELIVERED, "+393331234561"),
        late(H.PHONE, "+393331234562"),
        late(H.AWAY, "+393331234563"),
        line(MessageState.UNKNOWN, "+393331234564"),
    )
    assert mail.get_all("X-SMS-Status") == ["unknown", "delayed", "delayed", "delivered"]
    letter = words(parts(mail)[0])
    assert letter.count("Delayed: 1\n") == 2
    assert letter.index("Uncertain: 1") < letter.index("Delayed: 1") < letter.index("Delivered: 1")
