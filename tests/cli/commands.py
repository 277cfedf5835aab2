"""A command of `bridge` run inside the test: its arguments in; exit code, standard output and standard error out."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from bridge.cli import main


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What it complained of, which is one line and nothing else."""
        assert self.out == ""
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        return self.err.removesuffix("\n")

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        assert self.err == ""
        assert self.out.count("\n") == 1
        return json.loads(self.out)


class _Keyboard(io.TextIOWrapper):
    """Standard input as a terminal has it."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def run(
    *arguments: object, stdin: bytes = b"", terminal: bool = False, environ: Mapping[str, str] | None = None
) -> Done:
    """Run `bridge ARGUMENTS`, with no other `BRIDGE_…` variables than those of `environ`."""
    out, err = _stream(), _stream()
    root = logging.getLogger()
    handlers, level, chain = root.handlers[:], root.level, structlog.get_config()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("BRIDGE_")]:
            patch.delenv(name)
        for name, value in (environ or {}).items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["bridge", *map(str, arguments)])
        keyboard = _Keyboard if terminal else io.TextIOWrapper
        patch.setattr(sys, "stdin", keyboard(io.BytesIO(stdin), encoding="utf-8"))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with ThreadPoolExecutor(1) as thread:  # where no test's event loop runs
            code = thread.submit(_code).result()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**chain)
    return Done(code, _text(out), _text(err))


def _code() -> int:
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    assert code is None or isinstance(code, int)
    return code or 0


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8")


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
