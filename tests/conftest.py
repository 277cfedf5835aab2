"""What all tests share: Hypothesis without deadlines, since the machines that run them do other things too."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("bridge", deadline=None)
settings.load_profile("bridge")
