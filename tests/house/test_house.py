"""The house rules that a machine can check: the import law, the locks, and what must not stand in any file."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
LOCKS = sorted((CHECKOUT / "requirements").glob("*.lock"))
PURE = ["parser.py", "reading", "sms", "policy", "replies.py", "meaning", "conditions.py", "notices"]
IMPURE = re.compile(r"^\s*(?:import|from) (?:asyncio|socket|httpx|random|secrets|sqlite3|time|bridge\.clock)\b", re.M)


def committed() -> list[Path]:
    """Every text file that is, or is about to be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    binary = {".png", ".ico", ".woff2", ".eml", ".bin"}
    paths = [CHECKOUT / name for name in listed]
    return [path for path in paths if path.is_file() and path.suffix not in binary]


def modules() -> list[Path]:
    return sorted((CHECKOUT / "bridge").rglob("*.py"))


def test_rooms_import_only_rooms_below_them() -> None:
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([command, "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_architecture_page_shows_the_law_that_is_checked() -> None:
    """The page leaves out the rooms that are only planned."""
    config = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    layers = [
        [room.strip("() ") for room in layer.split("|")]
        for layer in config["tool"]["importlinter"]["contracts"][0]["layers"]
    ]
    built = [[room for room in layer if list((CHECKOUT / "bridge").glob(f"{room}*"))] for layer in layers]
    page = (CHECKOUT / "docs" / "architecture.md").read_text()
    law = page.split("## Import law")[1].split("```")[1].strip()
    assert [set(line.split(" | ")) for line in law.splitlines()] == [set(layer) for layer in built if layer]


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_have_no_io_clock_or_chance(room: str) -> None:
    place = CHECKOUT / "bridge" / room
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    assert files
    assert [path.name for path in files if IMPURE.search(path.read_text())] == []


def test_every_module_says_what_it_is_and_stays_readable() -> None:
    for path in modules():
        lines = path.read_text().splitlines()
        assert lines, path
        assert lines[0].startswith('"""'), path
        assert len(lines) <= 350 or path.parent.name == "versions", path  # a migration is read by looking up


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_locks_are_hashed_and_name_no_host(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"://|--(?:extra-)?index|--find-links|--trusted-host", text)
    pinned = re.findall(r"^[a-z0-9][^\s]*==", text, flags=re.M | re.I)
    assert pinned
    hashed = re.findall(r"^[a-z0-9][^\s]*==[^\n]*\\\n    --hash=sha256:", text, flags=re.M | re.I)
    assert len(hashed) == len(pinned)


def test_the_locks_hold_every_dependency() -> None:
    config = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    name = re.compile(r"[A-Za-z0-9_.-]+")
    groups = config["dependency-groups"]
    wanted = {
        "run.lock": [*config["project"]["dependencies"], *groups["build"]],
        "dev.lock": [*config["project"]["dependencies"], *groups["build"], *groups["dev"]],
    }
    for lock, requirements in wanted.items():
        locked = re.findall(r"^([a-z0-9.-]+)==", (CHECKOUT / "requirements" / lock).read_text(), flags=re.M)
        missing = {name.match(requirement)[0].lower() for requirement in requirements} - set(locked)  # type: ignore[index]
        assert not missing, lock


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    place = re.compile(r"(?<![\w.])/(?:root|home|work|Users)/[\w.]|[A-Z]:\\\\Users")
    found = [path.name for path in committed() if place.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_no_module_silences_a_check_or_leaves_something_to_do() -> None:
    unwanted = re.compile(r"#\s*noqa|\bTODO\b|\bFIXME\b|\bXXX\b|except\s*:|except BaseException:\s*pass")
    found = [str(path.relative_to(CHECKOUT)) for path in modules() if unwanted.search(path.read_text())]
    assert found == []


def test_the_licence_is_whole() -> None:
    text = (CHECKOUT / "LICENSE").read_text()
    assert text.lstrip().startswith("GNU GENERAL PUBLIC LICENSE")
    assert "Version 3, 29 June 2007" in text
    assert "END OF TERMS AND CONDITIONS" in text
