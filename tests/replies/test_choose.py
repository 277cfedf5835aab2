"""Whose reply it is: every line of the table of situations, and what holds in all others."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.replies import NEVER, Candidate, Facts, choose
from bridge.types import Match
from tests.replies.situations import NOW, WINDOW, Situation, situations

SITUATIONS = situations()


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.name)
def test_a_reply_finds_its_mailbox(situation: Situation) -> None:
    assert choose(situation.facts) == situation.verdict


def test_the_table_is_a_table() -> None:
    """Nothing stands in it twice; every match is there, with a conversation to continue and, where it can, without."""
    assert len(SITUATIONS) >= 80
    assert len({each.name for each in SITUATIONS}) == len(SITUATIONS)
    facts = [each.facts for each in SITUATIONS]
    twice = [each.name for place, each in enumerate(SITUATIONS) if each.facts in facts[:place]]
    assert twice == []
    found = {(each.verdict.match, each.verdict.conversation_id is None) for each in SITUATIONS}
    new = {(Match.NUMBER, True), (Match.NONE, True)}
    assert found == {(match, False) for match in Match} | new


def _moments() -> st.SearchStrategy[datetime]:
    """Around now and around the edge of the window, often the same."""
    seconds = st.sampled_from([0, 1, -1, 60, 86_400, 14 * 86_400 - 1, 14 * 86_400, 14 * 86_400 + 1, 30 * 86_400])
    return seconds.map(lambda ago: NOW - timedelta(seconds=ago))


@st.composite
def _facts(draw: st.DrawFn) -> Facts:
    """Any facts: at most one conversation of a mailbox through the number, and perhaps a linked one through another."""
    letters = st.sampled_from("ABCDE")
    candidates = [
        Candidate(
            mailbox,
            f"{mailbox.lower()}@example.test",
            mailbox,
            last_written_at=draw(_moments() | st.just(NEVER)),
            last_heard_at=draw(st.none() | _moments()),
            held_at=draw(st.none() | _moments()),
        )
        for mailbox in draw(st.lists(letters, unique=True))
    ]
    linked = draw(st.none() | st.sampled_from([*(each.conversation_id for each in candidates), "gone", "elsewhere"]))
    if linked == "elsewhere":
        mailbox = draw(letters)
        written = draw(_moments())
        candidates.append(Candidate(mailbox, f"{mailbox.lower()}@example.test", linked, written))
    return Facts(
        owners=tuple(draw(st.lists(letters, unique=True))),
        candidates=tuple(draw(st.permutations(candidates))),
        fallback=draw(st.none() | st.sampled_from("ABF")),
        now=NOW,
        window=WINDOW,
        linked=linked,
    )


@given(_facts(), st.randoms(use_true_random=False))
def test_the_order_of_the_facts_never_matters(facts: Facts, chance: Random) -> None:
    owners, candidates = list(facts.owners), list(facts.candidates)
    chance.shuffle(owners)
    chance.shuffle(candidates)
    assert choose(replace(facts, owners=tuple(owners), candidates=tuple(candidates))) == choose(facts)


@given(_facts())
def test_the_link_of_the_provider_always_wins(facts: Facts) -> None:
    verdict = choose(facts)
    linked = [each for each in facts.candidates if each.conversation_id == facts.linked]
    assert (verdict.match is Match.PROVIDER) == bool(linked)
    if linked:
        assert (verdict.mailbox_id, verdict.conversation_id) == (linked[0].mailbox_id, linked[0].conversation_id)


@given(_facts())
def test_nobody_gets_it_who_never_wrote_unless_owner_or_fallback(facts: Facts) -> None:
    verdict = choose(facts)
    wrote = {each.mailbox_id for each in facts.candidates if each.last_written_at > NEVER}
    match verdict.match:
        case Match.PROVIDER:
            pass
        case Match.NUMBER:
            assert verdict.mailbox_id in facts.owners
            assert len(facts.owners) == 1 or verdict.mailbox_id in {one.mailbox_id for one in facts.candidates}
        case Match.LATEST | Match.AMBIGUOUS:
            assert verdict.mailbox_id in wrote
        case Match.NONE:
            assert verdict.mailbox_id == facts.fallback


@given(_facts())
def test_what_a_verdict_says_fits_together(facts: Facts) -> None:
    verdict = choose(facts)
    threads = {each.conversation_id: each.mailbox_id for each in facts.candidates}
    if verdict.conversation_id is not None:
        assert threads[verdict.conversation_id] == verdict.mailbox_id, "a mailbox continues its own conversation"
    elif verdict.mailbox_id is not None:
        assert verdict.mailbox_id not in {owner for thread, owner in threads.items() if thread != "elsewhere"}
    assert (len(verdict.candidates) > 1) == (verdict.match is Match.AMBIGUOUS)
    assert len({each.mailbox_id for each in verdict.candidates}) == len(verdict.candidates)
    if verdict.candidates:
        assert verdict.candidates[0].mailbox_id == verdict.mailbox_id
        written = [each.last_written_at for each in verdict.candidates]
        assert written == sorted(written, reverse=True)
        assert all(facts.now - each.alive_at <= facts.window for each in verdict.candidates)


@given(_facts(), st.integers(1, 3650))
def test_who_owns_a_number_alone_has_it_for_ever(facts: Facts, days: int) -> None:
    alone = replace(facts, owners=("A",), linked=None, now=NOW + timedelta(days=days))
    verdict = choose(alone)
    assert (verdict.mailbox_id, verdict.match) == ("A", Match.NUMBER)
