"""`bridge serve --workers N`: one process that keeps N bridges running, for the cores of one machine.

The workers share their ports, and the kernel spreads the connections over them; what they have in common is the
database, and a folder in which they count for `/metrics`. A worker that dies is started again, a little later each
time it dies young.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence

import structlog

from bridge import clock
from bridge.metrics import SHARED

SHARED_PORTS = "SMS_BRIDGE_WORKER"
"""Environment variable that tells a process that it is one of several on the same ports."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
OLD_ENOUGH = 60.0
"""Seconds after which a worker's death is no longer put down to its start."""

log = structlog.get_logger("bridge.workers")


async def keep_running(arguments: Sequence[str], number: int) -> None:
    """Run `python -m bridge` with `arguments` in `number` processes until SIGTERM or SIGINT; then end them likewise."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, told.set)
    with tempfile.TemporaryDirectory(prefix="bridge-metrics-") as counted:
        async with asyncio.TaskGroup() as group:
            for index in range(number):
                variables = {SHARED_PORTS: str(index), SHARED: counted}
                group.create_task(_keep(arguments, index, variables, told))


async def _keep(arguments: Sequence[str], index: int, variables: Mapping[str, str], told: asyncio.Event) -> None:
    pause = FIRST_PAUSE
    while not told.is_set():
        started = clock.now()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bridge", *arguments, env={**os.environ, **variables}
        )
        log.info("worker.started", worker=index, pid=process.pid)
        ended, asked = asyncio.ensure_future(process.wait()), asyncio.ensure_future(told.wait())
        await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if told.is_set():
            if process.returncode is None:
                process.terminate()
            await ended
            return
        log.error("worker.died", worker=index, status=process.returncode)
        if (clock.now() - started).total_seconds() > OLD_ENOUGH:
            pause = FIRST_PAUSE
        try:
            async with asyncio.timeout(clock.jitter(pause)):
                await told.wait()
        except TimeoutError:
            pause = min(pause * 2, LONGEST_PAUSE)
