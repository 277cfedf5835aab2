"""How long a mail takes to its phone in the demo: from the first byte of MAIL to the SMS on the simulated phone.

Run it from the checkout: `.venv/bin/python -m bench.mail_to_phone`. It starts a demo of its own and stops it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.road.demo_process import DOMAIN, LOGIN, DemoProcess, compose

MAILS = 200


def main() -> None:
    """Measure, and print the figures in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        demo = DemoProcess(Path(folder)).start()
        try:
            times = sorted(_measure(demo))
        finally:
            demo.stop()
    median, p95 = statistics.median(times), times[len(times) * 95 // 100]
    print(
        f"{MAILS} mails one after another: median {median:.0f} ms, 95 % under {p95:.0f} ms, longest {times[-1]:.0f} ms"
    )


def _measure(demo: DemoProcess) -> list[float]:
    times = []
    with demo.smtp() as client:
        for n in range(MAILS):
            number = f"+39350{n:04}000"
            mail = compose(LOGIN, [f"{number}@{DOMAIN}"], "How long does this take?")
            start = time.perf_counter()
            client.send_message(mail)
            while not demo.phone(number):
                time.sleep(0.002)
            times.append((time.perf_counter() - start) * 1000)
    return times


if __name__ == "__main__":
    main()
