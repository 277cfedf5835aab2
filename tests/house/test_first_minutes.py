"""The first minutes with the product: what the README and the demo tell a newcomer to paste does what they say."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.road.demo_process import DemoProcess, eventually

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
SAMPLE = "+393470000123"
LINES = [block for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL) if "2525" in block]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    running = DemoProcess(tmp_path_factory.mktemp("demo")).start()
    yield running
    running.stop()


def paste(line: str) -> None:
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def program(line: str) -> str:
    """Which of the three a line is for."""
    return next(name for name in ("swaks", "curl", "python3") if name in line)


def test_the_readme_has_a_line_for_everybody() -> None:
    assert len(LINES) == 3


@pytest.mark.parametrize("line", LINES, ids=["swaks", "python", "curl"])
def test_what_the_readme_says_to_paste_texts_the_phone(line: str, demo: DemoProcess) -> None:
    program(line)
    before = len(demo.phone(SAMPLE))
    paste(line.replace("2525", str(demo.smtp_port)))
    messages = eventually(lambda: demo.phone(SAMPLE)[before:])
    assert [message["text"] for message in messages] == ["Your appointment is on Tuesday at 10:30. Can you come?"]


def test_what_the_demo_prints_to_paste_texts_the_phone(demo: DemoProcess) -> None:
    printed = (demo.folder / "out").read_text().replace("\\\n", " ")
    lines = [
        line.strip() for line in printed.splitlines() if re.match(r"(?:python3 -c|swaks --server|curl -)", line.strip())
    ]
    assert lines
    for line in lines:
        program(line)
        before = len(demo.phone(SAMPLE))
        paste(line)
        assert len(eventually(lambda before=before: demo.phone(SAMPLE)[before:])) == 1  # type: ignore[misc]
