"""A mail client that writes down every 250 it gets, for tests that kill the bridge under it."""

from __future__ import annotations

import smtplib
import threading
import time
from collections.abc import Callable

from tests.road.demo_process import DOMAIN, LOGIN, compose


class Client(threading.Thread):
    """Sends mails one after another. Without an answer it sends the same mail again, as any mail client would."""

    def __init__(self, connect: Callable[[], smtplib.SMTP], numbers: list[str]) -> None:
        super().__init__(daemon=True)
        self.connect = connect
        self.numbers = numbers
        self.taken: list[str] = []
        """The phones of mails that were answered 250, in the order of the answers."""
        self.stop = False

    def run(self) -> None:
        connection: smtplib.SMTP | None = None
        for number in self.numbers:
            address = f"{number}@{DOMAIN}"
            mail = compose(LOGIN, [address], f"Reminder for {number[-7:]}.")
            while not self.stop:
                try:
                    connection = connection or self.connect()
                    connection.send_message(mail, LOGIN, [address])
                except (smtplib.SMTPException, OSError):
                    if connection is not None:
                        connection.close()
                    connection = None
                    time.sleep(0.05)  # the bridge is down; a client would wait minutes
                else:
                    self.taken.append(number)
                    break
        if connection is not None:
            connection.close()
