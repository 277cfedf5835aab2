"""The one error of the simulator's calls: what its HTTP answer is made of."""

from __future__ import annotations


class CallRefused(Exception):
    """A call that cannot be carried out: the HTTP status, and a sentence that says what to change."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
