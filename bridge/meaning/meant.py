"""What one message of a phone means, decided from the words of all languages; the door of this room.

What a person reads is never decided here: an intent is a header of the mail; an objection suspends texts until a person
has decided. So wherever a message can be read in two ways it means nothing, and only the message that is an order and
nothing else is one. A wish for no more texts must stand alone in its clause: whatever follows it and is not known to
leave it as it is may limit it to a time, a place or a subject.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bridge.meaning.phrases import Found, Kind
from bridge.meaning.spoken import LONGEST, Clause, clauses, folded
from bridge.meaning.vocabulary import COMMANDS, VOCABULARIES, Command, Vocabulary
from bridge.types import Intent

_DENIED_WITHIN = 3
"""Words before a phrase among which a denial counts."""
_DENIED_AFTER = 2
_SUPPOSED_WITHIN = 12
"""Words before a phrase among which an "if" makes a condition of it."""
_LIMITED_WITHIN = 3
"""Words after a phrase among which a time limits it."""
_SINCE_WITHIN = 2
"""Words before a time among which one makes a beginning of it: "as of today", "a partir de hoy"."""
_BESIDE = 6
"""Words after a phrase that still belong to what it speaks of."""
_NAME_WORDS = 4
"""Words of a name below a greeting: "Dott.ssa Anna De Luca"."""
_LONGEST_CURT = 40
"""Words of an answer that is nothing but a yes, or "cancel", and politeness."""
_SAID = {Kind.CONFIRM: Intent.CONFIRM, Kind.CANCEL: Intent.CANCEL, Kind.MOVE: Intent.MOVE}
_WISHES = {Kind.OBJECTION, Kind.NOT_NOW}
_JUDGED = {*_SAID, *_WISHES}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a message means; it can be an order and be about an appointment at once (CANCEL)."""

    command: Command | None = None
    objection: bool = False
    """It asks for no more texts in a sentence: they rest until its mailbox decides."""
    intent: Intent | None = None
    """What it wants of an appointment; None when that is not clear, or when it says two things."""
    language: str = ""
    """ISO 639-1, of the word that is the order; empty for one that counts in every language."""


def meaning(text: str, languages: Collection[str]) -> Meaning:
    """What `text` means, where `languages` (ISO 639-1) are those its mailboxes use.

    Only the whole message is an order, whatever its case, accents, punctuation, emoji and spaces, and even if it says
    the word several times. Sentences are understood in every language; `languages` limit what could be an ordinary
    answer in another one: single words other than STOP, START and HELP, and a yes such as "fine".
    """
    command, language = _command(text, languages)
    said = clauses(text)
    standing = [_standing(clause, said[at - 1] if at else None) for at, clause in enumerate(said)]
    intents = {_SAID[kind] for kinds in standing for kind in kinds if kind in _SAID}
    objection = any(Kind.OBJECTION in kinds for kinds in standing)
    if any(Kind.NOT_NOW in kinds for kinds in standing):
        # Who writes nothing else means it for good; who gives a reason perhaps not ("Don't text me. I am driving").
        objection = objection or all(
            Kind.NOT_NOW in kinds or _is_polite(clause) for kinds, clause in zip(standing, said, strict=True)
        )
    # Who cannot come and asks for another day wants another day. Any other two contradict each other.
    intent = None
    if intents in ({Intent.MOVE, Intent.CANCEL}, {Intent.MOVE}):
        intent = Intent.MOVE
    elif len(intents) == 1:
        intent = intents.pop()
    elif not intents and not objection:
        intent = next(filter(None, (_curt(said, one, languages) for one in VOCABULARIES.values())), None)
    return Meaning(command, objection and command is not Command.STOP, intent, language)


def _command(text: str, languages: Collection[str]) -> tuple[Command | None, str]:
    """The order that a message is, and the language that its word belongs to."""
    if len(text) > LONGEST:
        return None, ""
    words = folded(text)
    if len(set(words)) == 1:
        words = words[:1]
    phrase = " ".join(words)
    if phrase in COMMANDS:
        return COMMANDS[phrase], ""
    spoken = (code for code in VOCABULARIES if code in languages and phrase in VOCABULARIES[code].commands)
    code = next(spoken, "")
    return (VOCABULARIES[code].commands[phrase] if code else None), code


def _standing(clause: Clause, before: Clause | None) -> set[Kind]:
    """What the phrases of a clause say, without those that are denied, only supposed, asked or limited; `before` is the
    clause before it.

    Languages share words ("confirmo", "annuler"), and a denial may belong to one of them only: it counts for all.
    """
    said: set[tuple[Kind, int]] = set()
    taken_back: set[tuple[Kind, int]] = set()
    for vocabulary in VOCABULARIES.values():
        found = list(vocabulary.telling.all(clause.words))
        for place, phrase in enumerate(found):
            if phrase.kind in _WISHES and _is_limited(clause, phrase, vocabulary, before):
                continue
            if phrase.kind in _JUDGED:
                judged = taken_back if _taken_back(clause, found, place, vocabulary) else said
                judged.add((phrase.kind, phrase.start))
    return {kind for kind, _ in said - taken_back}


def _taken_back(clause: Clause, found: Sequence[Found], place: int, vocabulary: Vocabulary) -> bool:
    phrase = found[place]
    words = clause.words
    before = words[max(phrase.start - _SUPPOSED_WITHIN, found[place - 1].end if place else 0) : phrase.start]
    turn = max((at + 1 for at, word in enumerate(before) if word in vocabulary.turns), default=0)
    before = before[turn:]
    after = words[phrase.end : phrase.end + _LIMITED_WITHIN]
    denies_itself = words[phrase.start] in vocabulary.not_before
    if vocabulary.not_before & set(before[-_DENIED_WITHIN:]) and not denies_itself:
        return True
    if vocabulary.if_before & set(before):
        return True
    if vocabulary.not_after & set(after[:_DENIED_AFTER]):
        return True
    if phrase.kind not in _WISHES and vocabulary.elsewhere & set(words[phrase.start : phrase.end + _BESIDE]):
        return True
    if phrase.kind is Kind.CONFIRM:
        return clause.asked or bool(vocabulary.if_before & set(after))
    if phrase.kind in _WISHES:
        return clause.asked and not vocabulary.requests & set(words)
    return phrase.kind is Kind.CANCEL and bool(vocabulary.limits & set(after))


def _is_limited(clause: Clause, wish: Found, vocabulary: Vocabulary, before: Clause | None) -> bool:
    """Whether a wish for no more texts is one for a time, a place or a subject."""
    words, at = clause.words, wish.end
    while at < len(words):
        if wish.kind is Kind.OBJECTION and words[at] in vocabulary.ends:
            # Unless it goes on with a time: "this week", "questo mese", "sono in ferie".
            if _names_a_moment(words[at : at + 1 + _LIMITED_WITHIN], vocabulary):
                return True
            break
        found = vocabulary.lasting.at(words, at)
        if found is None:
            return True
        at = found.end
    return _names_a_moment(words[: wish.start], vocabulary) or (
        before is not None and not clause.begins and _names_a_moment(before.words, vocabulary)
    )


def _names_a_moment(words: Sequence[str], vocabulary: Vocabulary) -> bool:
    return any(
        word in vocabulary.moments and not vocabulary.since & set(words[max(at - _SINCE_WITHIN, 0) : at])
        for at, word in enumerate(words)
    )


def _is_polite(clause: Clause) -> bool:
    """Whether a clause says nothing that matters, or may be the name of who wrote."""
    if all(clause.titled) and len(clause.words) <= _NAME_WORDS:
        return True
    return any(_is_made_of(vocabulary, clause) for vocabulary in VOCABULARIES.values())


def _is_made_of(vocabulary: Vocabulary, clause: Clause) -> bool:
    at = 0
    while at < len(clause.words):
        found = vocabulary.lasting.at(clause.words, at) or vocabulary.polite.at(clause.words, at)
        if found is None or clause.words[at] in vocabulary.moments:
            return False
        at = found.end
    return True


def _curt(said: Sequence[Clause], vocabulary: Vocabulary, languages: Collection[str]) -> Intent | None:
    """What a message says that is a yes or a "cancel", and for the rest politeness, times and a name."""
    if any(clause.asked for clause in said) or sum(len(clause.words) for clause in said) > _LONGEST_CURT:
        return None
    kinds: set[Kind] = set()
    for clause in said:
        at = 0
        while at < len(clause.words):
            found = vocabulary.polite.at(clause.words, at)
            if found is not None and (found.kind is not Kind.YES_HERE or vocabulary.code in languages):
                kinds.add(found.kind)
                at = found.end
            elif clause.words[at][0].isdigit():
                at += 1
            elif clause is said[-1] and Kind.FILLER in kinds and _is_name(clause, at, vocabulary):
                break
            else:
                return None
    if Kind.CANCEL_ALONE in kinds:
        return Intent.CANCEL
    return Intent.CONFIRM if kinds & {Kind.YES, Kind.YES_HERE} else None


def _is_name(clause: Clause, start: int, vocabulary: Vocabulary) -> bool:
    """Whether the words from `start` on may be the name of who wrote."""
    words = clause.words[start:]
    no_name = vocabulary.not_before | vocabulary.elsewhere
    return len(words) <= _NAME_WORDS and all(clause.titled[start:]) and not no_name & set(words)
