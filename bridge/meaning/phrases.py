"""Phrases of one language, found in a message in one walk; between its words and what they mean.

A phrase is written as it is said, with four signs:

    word*       any word that begins so (`disd*`: disdire, disdico, disdetta)
    (a|b c|)    one of these, or nothing
    {name}      one of those that the language names in its table `groups`; also as one of the alternatives in a bracket
    ...         up to four words that do not matter

A word of a message is looked up once among all first words, and then in the few phrases that are open: the time grows
with the length of the message and no faster, whatever it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.meaning.spoken import folded

_GAP_WORDS = 4
_GAP = "..."
_PIECE = re.compile(r"\(([^()]*)\)|(\{\w+\}|[^\s(){}|]+)")
_GROUP = re.compile(r"\{(\w+)\}")
_UMLAUTS = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"))


class Kind(StrEnum):
    """What a phrase is for; the names of the lists in a language's file."""

    FILLER = "filler"
    YES = "yes"
    YES_HERE = "yes_here"
    CANCEL_ALONE = "cancel_alone"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    MOVE = "move"
    OBJECTION = "objection"
    NOT_NOW = "not_now"
    LASTING = "lasting"
    NOTHING = "nothing"


POLITE = frozenset({Kind.YES, Kind.YES_HERE, Kind.FILLER, Kind.CANCEL_ALONE})
"""Phrases that count only where a message is made of nothing else."""
_RANK = {kind: rank for rank, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase in a clause: `words[start:end]`."""

    start: int
    end: int
    kind: Kind


@dataclass(slots=True)
class _Node:
    """A place in phrases, and the words that lead on from it."""

    words: dict[str, list[_Node]] = field(default_factory=dict)
    stems: dict[str, list[_Node]] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()
    """Lengths of the stems."""
    gaps: list[_Node] = field(default_factory=list)
    kind: Kind | None = None
    """Of the phrase that ends here."""

    def lead(self, word: str, target: _Node) -> None:
        if word == _GAP:
            self.gaps.append(target)
        elif word.endswith("*"):
            self.stems.setdefault(word[:-1], []).append(target)
            self.lengths = tuple(sorted({*self.lengths, len(word) - 1}))
        else:
            self.words.setdefault(word, []).append(target)


class Phrases:
    """Phrases of one language; built once, never changed."""

    def __init__(self, phrases: Mapping[Kind, Sequence[str]], groups: Mapping[str, str]) -> None:
        """Raises ValueError for a phrase that is not written well."""
        self._root = _Node()
        for kind, written in phrases.items():
            for phrase in written:
                self._add(phrase, kind, groups)

    def _add(self, phrase: str, kind: Kind, groups: Mapping[str, str]) -> None:
        """The ways to say a piece part at the places it can begin at, and meet again where it ends."""
        if phrase.split()[0] == _GAP or phrase.split()[-1] == _GAP:
            raise ValueError(f'"{phrase}" begins or ends with a gap')
        at = [self._root]
        for ways in _pieces(phrase, groups):
            meeting = _Node()
            for words in filter(None, ways):
                for node in at:
                    for word in words[:-1]:
                        following = _Node()
                        node.lead(word, following)
                        node = following
                    node.lead(words[-1], meeting)
            at = [*(at if () in ways else ()), meeting]
        if self._root in at:
            raise ValueError(f'"{phrase}" can be said with no words')
        for node in at:
            node.kind = kind

    def at(self, words: Sequence[str], start: int) -> Found | None:
        """The longest phrase that begins at word `start`; of several that long, the kind that comes last in `Kind`."""
        best: Found | None = None
        open_nodes = [(self._root, start)]
        while open_nodes:
            node, at = open_nodes.pop()
            if node.kind is not None and (best is None or (at, _RANK[node.kind]) > (best.end, _RANK[best.kind])):
                best = Found(start, at, node.kind)
            for after in node.gaps:
                open_nodes.extend((after, at + skipped) for skipped in range(_GAP_WORDS + 1))
            if at >= len(words):
                continue
            word = words[at]
            open_nodes.extend((after, at + 1) for after in node.words.get(word, ()))
            for length in node.lengths:
                open_nodes.extend((after, at + 1) for after in node.stems.get(word[:length], ()))
        return best

    def all(self, words: Sequence[str]) -> Iterator[Found]:
        """The phrases in `words` from left to right; where several begin the longest, and none inside another."""
        start = 0
        while start < len(words):
            found = self.at(words, start)
            if found is not None:
                yield found
            start = found.end if found is not None else start + 1


def _pieces(phrase: str, groups: Mapping[str, str]) -> Iterator[list[tuple[str, ...]]]:
    """The pieces of a phrase; of each the ways to say it, an empty one if it may be left out."""
    end = 0
    for match in _PIECE.finditer(phrase):
        if phrase[end : match.start()].strip():
            break
        end = match.end()
        bracket, alone = match.groups()
        said = _alternatives(bracket if alone is None else alone, groups)
        yield [way for alternative in said for way in _spellings(alternative)]
    if phrase[end:].strip():
        raise ValueError(f'"{phrase}" has a bracket without its other half')


def _alternatives(said: str, groups: Mapping[str, str]) -> Iterator[str]:
    for alternative in said.split("|"):
        group = _GROUP.fullmatch(alternative)
        if group is not None and group[1] in groups:
            yield from groups[group[1]].split("|")
        elif "{" in alternative:
            raise ValueError(f'"{alternative}" is no group of this language, or a group among other words')
        else:
            yield alternative


def _spellings(said: str) -> Iterator[tuple[str, ...]]:
    """`said` as words that compare; with an umlaut also in the spelling without one (`ä` as `ae`)."""
    plain = said
    for umlaut, letters in _UMLAUTS:
        plain = plain.replace(umlaut, letters)
    for spelling in dict.fromkeys((said, plain)):
        words: list[str] = []
        for word in spelling.split():
            if word == _GAP:
                words.append(word)
                continue
            words += folded(word)
            if word.endswith("*"):
                words[-1] += "*"
        yield tuple(words)
