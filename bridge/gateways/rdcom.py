"""RDCOM: what is known of it is settings, in `profiles/rdcom.toml`, and every one of them can be written anew.

Its pages for developers need a login. How to send, and whether and how receipts and answers come back, is what the
operator reads there and writes into the options, as for any API of the kind `http`.
"""

from __future__ import annotations

from bridge.gateways.base import Evidence, Traits
from bridge.gateways.generic import COMMON, GenericHttp


class Rdcom(GenericHttp):
    """A connection to RDCOM; `account` is the code of the account, `secret` a token made in its portal."""

    kind = "rdcom"
    title = "RDCOM"
    needs = ("account", "secret")
    fixed = "rdcom"
    options = COMMON
    traits = Traits(receipts=False, inbound=False, evidence=Evidence.UNVERIFIED)
