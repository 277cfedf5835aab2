"""The bridge: a mail server on one side, a client of the phone network on the other."""

__version__ = "0.1.0"
