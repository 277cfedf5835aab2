"""Consent with a code: the operator reads a short one here and types it in at the provider's page, on any device.

The device authorization grant (RFC 8628). The provider is asked again and again what came of it, as seldom as it wants.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.consent.application import Application
from bridge.consent.endpoint import Away, Granted, Refused, ask, granted, seconds
from bridge.errors import NotPossible
from bridge.settings.forms import is_secure

LEAST_INTERVAL = 1.0
INTERVAL = 5.0
"""Seconds between two questions where the provider does not say (RFC 8628 section 3.2)."""
SLOWER = 5.0
"""Seconds more after `slow_down` (section 3.5)."""
LONGEST = 3600.0
"""Seconds that anybody is waited for, whatever the provider says."""

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_CODE = re.compile(r"[\x20-\x7e]{1,40}")
_DEVICE_CODE = re.compile(r"[\x21-\x7e]{1,4096}")
_URL = re.compile(r"[\x21-\x7e]{1,500}")


@dataclass(frozen=True, slots=True)
class Code:
    """What somebody types in, and where."""

    page: str
    user_code: str
    seconds: float
    """For which it is good."""
    device_code: str = field(repr=False)
    """What the provider knows us by."""
    interval: float
    """Seconds between two questions."""


async def begin(app: Application) -> Code:
    """Have a code made. Raises Refused and Away."""
    said = await ask(app.device_url, app.identified(scope=app.scope))
    page = said.get("verification_uri", said.get("verification_url"))  # the second is what Google wrote before RFC 8628
    user, device = said.get("user_code"), said.get("device_code")
    if not isinstance(page, str) or not _URL.fullmatch(page) or not is_secure(page):
        raise Away("it names no page to go to")
    if not isinstance(user, str) or not isinstance(device, str):
        raise Away("it gives no code")
    if not _CODE.fullmatch(user) or not _DEVICE_CODE.fullmatch(device):
        raise Away("its code is none")
    interval = max(seconds(said.get("interval"), INTERVAL), LEAST_INTERVAL)
    return Code(page, user, min(seconds(said.get("expires_in"), 900.0), LONGEST), device, interval)


async def wait(app: Application, code: Code, waiting: Callable[[float], None]) -> Granted:
    """What came of it, once somebody has decided; `waiting` hears after each question how many seconds are left.

    Raises NotPossible when nobody has, or has said no, and Refused.
    """
    until, interval = time.monotonic() + code.seconds, code.interval
    form = app.identified(grant_type=_GRANT, device_code=code.device_code)
    while time.monotonic() + interval < until:
        await asyncio.sleep(interval)
        try:
            return await granted(app.token_url, form)
        except Away:
            interval = min(interval * 2, LONGEST)  # section 3.5: fewer questions, not none
        except Refused as refused:
            match refused.code:
                case "authorization_pending":
                    pass
                case "slow_down":
                    interval += SLOWER
                case "access_denied" | "authorization_declined":  # the second is Microsoft's
                    raise NotPossible("The page was answered with no, so nothing is kept.") from None
                case "expired_token" | "bad_verification_code":
                    break
                case _:
                    raise
        waiting(until - time.monotonic())
    raise NotPossible("Nobody has consented in time, and the code is over. Run the command again for a new one.")
