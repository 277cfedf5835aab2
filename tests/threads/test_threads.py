"""Threads as a mail client sees them: departments text the same phones from three numbers, over weeks and restarts.

Every phone has ten exchanges: a mail that texts it, and its answer to the number that this came from. In half of the
conversations a mail answers the phone's last answer, so that the threads grow long; in the other half each is a new
mail, and all have one subject. A phone that more than three departments text hears from two through one number: there
the answer goes to the one that wrote last, and names the others.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import make_msgid
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import pytest

from bridge.types import Match
from tests.replies.phone import Phone
from tests.road.demo_process import DOMAIN, LOGIN, eventually
from tests.servers.dovecot import DovecotServer
from tests.threads.client import Client, Mail
from tests.threads.departments import NUMBERS, Departments

EXCHANGES = 10
WAVES = 10
LATER = {5: 25}
"""Before which waves how many days pass, for which everything is stopped; the long form adds some."""
LATER_TOO = {2: 5, 8: 6}
KILLED, STOPPED = 6, 3
"""In which wave the bridge is killed while answers come in, and, in the long form, stopped between two mails."""
SUBJECT = "Visita di controllo in via Papi – è ancora possibile venire, o preferisce un altro giorno? (Ambulatorio 2)"


@dataclass(frozen=True)
class Exchange:
    """A mail to a phone."""

    number: int
    """Stands in the words of the mail and of its answer."""
    wave: int
    login: str
    phone: str


@dataclass
class Ledger:
    """What was sent, and who must have the answers."""

    mails: dict[int, EmailMessage] = field(default_factory=dict)
    """By the number of the exchange."""
    heard: dict[int, tuple[int, list[str]]] = field(default_factory=dict)
    """By the exchange whose words it has: the exchange that the answer must stand under, and who asked, last first."""
    phones: dict[str, Phone] = field(default_factory=dict)


def plan(logins: list[str], phones: int) -> list[Exchange]:
    """Ten exchanges with each phone, spread over the waves; in one wave no department texts a phone twice."""
    numbers, found = iter(range(1, phones * EXCHANGES + 1)), []
    for place, team in zip(range(phones), cycle([1, 2, 3, min(5, len(logins)), 3, 2, len(logins), 3])):
        members = [logins[(place + n) % len(logins)] for n in range(team)]
        writers = list(islice(cycle(members), EXCHANGES))
        rounds = [writers[start : start + team] for start in range(0, EXCHANGES, team)]
        for turn, wrote in enumerate(rounds):
            wave = turn * WAVES // len(rounds)
            found += [Exchange(next(numbers), wave, login, f"+39347{place:04}000") for login in wrote]
    return found


@pytest.mark.timeout(900)
def test_every_answer_stands_under_its_mail(tmp_path: Path, dovecot: DovecotServer, long: bool) -> None:
    """Eight phones and four departments in a moment; fifty and eight in the long form."""
    began = time.monotonic()
    logins = [f"department{n}@example.test" for n in range(8 if long else 4)]
    exchanges = plan(logins, 50 if long else 8)
    office = Office(tmp_path, dovecot, logins, long=long)
    try:
        for wave in range(WAVES):
            office.live(wave, [each for each in exchanges if each.wave == wave])
        found = office.judge(exchanges)
    finally:
        office.close()
    assert found[Match.NUMBER] + found[Match.AMBIGUOUS] + found[Match.LATEST] == len(exchanges)
    assert found[Match.AMBIGUOUS] > 0
    shared = sum(phone.shared for phone in office.ledger.phones.values())
    print(
        f"{len(exchanges)} mails and answers, {len(logins)} mailboxes, {len(office.ledger.phones)} phones, "
        f"{office.restarts} restarts (1 kill), {office.days:g} days in {time.monotonic() - began:.0f} s: "
        f"{', '.join(f'{count} {match}' for match, count in sorted(found.items()))}; "
        f"{shared} texts shared a number, {office.twice} mails came twice"
    )


class Office:
    """The departments, their mail programs and the phones."""

    def __init__(self, folder: Path, dovecot: DovecotServer, logins: list[str], *, long: bool) -> None:
        self.ledger = Ledger()
        self._long = long
        self._later = LATER | LATER_TOO if long else LATER
        self.restarts = 0
        self.twice = 0
        """Mails that Dovecot was given a second time, since the bridge was killed before it could note the first."""
        self._chance = random.Random(20261122)
        self._clients = {login: Client(dovecot, login.partition("@")[0]) for login in logins}
        self._served = Departments.before(dovecot, Departments(folder, folder / "data", logins=logins))

    @property
    def days(self) -> float:
        """How many days have passed."""
        return self._served.days

    def close(self) -> None:
        """Stop everything."""
        for client in self._clients.values():
            client.close()
        self._served.close()

    def live(self, wave: int, exchanges: list[Exchange]) -> None:
        """The mails of a wave, in any order; once they are there, the answers of the phones, in any order."""
        if wave in self._later:
            self._served.pass_days(self._later[wave])
            self.restarts += 1
        self._chance.shuffle(exchanges)
        sent_through = self._send(wave, exchanges)
        self._chance.shuffle(exchanges)
        for place, each in enumerate(exchanges):
            if wave == KILLED and place == len(exchanges) // 2:
                self._served.kill()
                self.restarts += 1
            self._answer(each, sent_through[each.number])
        eventually(lambda: self._arrived() >= set(self.ledger.heard), patience=120)

    def _send(self, wave: int, exchanges: list[Exchange]) -> dict[int, str]:
        """Send the mails; the numbers that their texts came from."""
        for place, each in enumerate(exchanges):
            if self._long and wave == STOPPED and place == len(exchanges) // 2:
                self._served.restart()
                self.restarts += 1
            mail = self._mail(each)
            self._served.mail(each.login, mail)
            self._clients[each.login].keep(mail)
            self.ledger.mails[each.number] = mail
        through: dict[int, str] = {}
        for each in exchanges:
            through[each.number] = eventually(partial(self._came_from, each), patience=60)
        for each in exchanges:
            phone = self.ledger.phones.setdefault(each.phone, Phone(NUMBERS, LOGIN))
            phone.texted(each.login, through[each.number], self._now(), chosen=True)
        return through

    def _mail(self, exchange: Exchange) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = exchange.login, f"{exchange.phone}@{DOMAIN}"
        mail["Message-ID"] = make_msgid(domain="client.example.test")
        mail["Subject"] = SUBJECT
        before = self._last_answer(exchange)
        if before is not None and int(exchange.phone[6:10]) % 2:
            mail.replace_header("Subject", before.subject)
            mail["In-Reply-To"] = before.message_id
            mail["References"] = f"{before.references} {before.message_id}"
        mail.set_content(f"Domanda {exchange.number}: può venire?")
        return mail

    def _last_answer(self, exchange: Exchange) -> Mail | None:
        mails = reversed(self._clients[exchange.login].mails)
        return next((mail for mail in mails if mail.phone == exchange.phone), None)

    def _came_from(self, exchange: Exchange) -> str | None:
        texts = self._served.phone(exchange.phone)
        found = [sender for sender, text in texts if text == f"Domanda {exchange.number}: può venire?"]
        assert len(found) < 2, "nobody is texted twice"
        return found[0] if found else None

    def _answer(self, exchange: Exchange, number: str) -> None:
        """The phone answers a text; it can name no other than the last one that came from this number."""
        asked = self.ledger.phones[exchange.phone].asked(number, self._now())
        ends = (f"{exchange.phone}@{DOMAIN}", asked[0])
        last = max(number for number, mail in self.ledger.mails.items() if (mail["To"], mail["From"]) == ends)
        self.ledger.heard[exchange.number] = (last, asked)
        self._served.answers(exchange.phone, number, f"Risposta {exchange.number}: sì, vengo.")

    def _arrived(self) -> set[int]:
        """Which answers are in the mailboxes."""
        return {_exchange(mail) for client in self._clients.values() for mail in client.look() if mail.match}

    def _now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=self.days)

    def judge(self, exchanges: list[Exchange]) -> Counter[str]:
        """Every mailbox as its client shows it; how often an answer was found in which way."""
        found: Counter[str] = Counter()
        by_number = {each.number: each for each in exchanges}
        seen: dict[int, str] = {}
        for login, client in self._clients.items():
            mails, parents = client.look(), client.parents()
            assert len(parents) == len(mails)
            for place, mail in enumerate(mails):
                if not mail.match:
                    assert mail.sender == login, "there are answers and one's own mails, and nothing else"
                    continue
                number = _exchange(mail)
                above, asked = self.ledger.heard[number]
                asks = self.ledger.mails[above]
                assert (login, mail.phone) == (asks["From"], by_number[number].phone), "the right mailbox"
                parent = parents[place]
                assert parent is not None, "it begins no thread"
                assert mails[parent].message_id == asks["Message-ID"], "it stands under the mail that it answers"
                assert mail.subject == f"Re: {SUBJECT}"
                if number in seen:
                    assert seen[number] == mail.message_id, "the same mail, and no other"
                    self.twice += 1
                    continue
                seen[number] = mail.message_id
                found[mail.match] += 1
                assert (mail.match == Match.AMBIGUOUS) == (len(asked) > 1)
                named = {other for other in self._clients if other in mail.words} - {login}
                assert named == set(asked) - {login}, "who else it may be for is named, and nobody else"
        assert seen.keys() == by_number.keys(), "every answer is there"
        return found


def _exchange(mail: Mail) -> int:
    """The number of the exchange that an answer belongs to."""
    found = re.search(r"^Risposta (\d+): sì, vengo\.", mail.words, re.MULTILINE)
    assert found is not None, mail.words
    return int(found[1])
