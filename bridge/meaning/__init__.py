"""What a phone's answer means: an order to stop or to start, a wish for no more texts, an appointment. Pure.

Intake asks it of every message, before the mail is composed. The words stand in `languages/*.toml`, and whoever adds
to them adds an answer that needs them to `tests/replies/answers.toml`.
"""

from bridge.meaning.meant import Meaning, meaning
from bridge.meaning.vocabulary import Command

__all__ = ["Command", "Meaning", "meaning"]
