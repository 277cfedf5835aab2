"""The documents: what they promise exists, and what exists they mention."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from bridge.errors import REPLIES, Reason
from bridge.types import Match, MessageState

CHECKOUT = Path(__file__).parents[2]
PAGES = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")]
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(#[^)]*)?\)")

COMMANDS = [
    "demo",
    "serve",
    "simulator",
    "check",
    "gateways",
    "preview",
    *(f"mailbox {verb}" for verb in ("add", "list", "show", "set", "pause", "resume", "remove")),
    *(f"mailbox {verb}" for verb in ("connect", "signatures", "forget")),
    *(f"passwords {verb}" for verb in ("add", "list", "revoke")),
    *(f"certificates {verb}" for verb in ("add", "list", "remove")),
    *(f"contacts {verb}" for verb in ("add", "list", "show", "remove", "group", "import")),
    *(f"keywords {verb}" for verb in ("add", "list", "remove", "secret")),
    *(f"blocks {verb}" for verb in ("list", "add", "remove")),
    *(f"greetings {verb}" for verb in ("set", "show")),
    "messages",
    "trace",
    "cancel",
    "retry",
    *(f"db {verb}" for verb in ("upgrade", "backup", "verify")),
]


def page(name: str) -> str:
    return (CHECKOUT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target, _ in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    linked = {Path(target).name for target, _ in LINK.findall(readme)}
    overview = (CHECKOUT / "docs" / "gateways.md").read_text(encoding="utf-8")
    linked |= {Path(target).name for target, _ in LINK.findall(overview)}
    assert {path.name for path in PAGES} - {"README.md"} <= linked


def walk(command: object, prefix: str = "") -> dict[str, object]:
    """Every command that does something, by the words that call it."""
    children = getattr(command, "commands", None)
    if children is None:
        return {prefix: command}
    return {
        name: held for word, child in children.items() for name, held in walk(child, f"{prefix} {word}".strip()).items()
    }


@pytest.fixture(scope="module")
def commands() -> dict[str, object]:
    from bridge.cli import app

    assert isinstance(app, typer.Typer)
    return walk(get_command(app))


def test_every_command_stands_on_its_page_and_the_other_way_round(commands: dict[str, object]) -> None:
    named = {
        " ".join(word for word in words.split() if word.islower() and word.isalpha())
        for row in re.findall(r"^\| (`bridge [^|]*) \|", page("commands.md"), flags=re.MULTILINE)
        for words in re.findall(r"`bridge ([^`]*?)`", row)
    }
    assert named == set(COMMANDS) == set(commands)


def test_every_option_that_a_document_shows_exists(commands: dict[str, object]) -> None:
    for path in PAGES:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(r"(?:^|`)bridge ([a-z][^`\n|]*)", text, flags=re.MULTILINE):
            words = shlex.split(line.replace("…", ""), comments=True)
            name = next((name for name in commands if words[: len(name.split())] == name.split()), None)
            if name is None:
                continue
            known = {opt for param in getattr(commands[name], "params", []) for opt in param.opts} | {"--help"}
            assert {word.split("=")[0] for word in words if word.startswith("--")} <= known, line


def test_every_refusal_stands_in_troubleshooting_with_its_reply() -> None:
    rows = re.findall(r"^\| `(\d{3} \d\.\d\.\d)` \| `([a-z_]+)` \|", page("troubleshooting.md"), flags=re.MULTILINE)
    assert {Reason(reason): reply for reply, reason in rows} == {
        reason: f"{code} {enhanced}" for reason, (code, enhanced) in REPLIES.items()
    }


@pytest.mark.parametrize("name", ["microsoft-365", "google-workspace", "monitoring", "scanner"])
def test_a_guide_quotes_what_the_bridge_says(name: str) -> None:
    """As far as a sentence has no number in it, which may be another each time."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "bridge").rglob("*.py"))
    said = re.sub(r'"\s*f?"', "", sources)
    quoted = re.findall(r"^\| `\d{3} \d\.\d+\.\d+` ([A-Z][^|\d]*[^|\d\s])", page(f"{name}.md"), flags=re.MULTILINE)
    assert quoted
    assert [sentence for sentence in quoted if sentence not in said] == []


def test_the_page_on_notices_names_every_match() -> None:
    rows = set(re.findall(r"^\| `([a-z]+)` \|", page("notices.md"), flags=re.MULTILINE))
    assert rows == {match.value for match in Match}


def test_the_architecture_page_names_every_state() -> None:
    table = page("architecture.md").split("## States of a message")[1].split("## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE)
    named = {state for row in rows for state in re.findall(r"`([a-z]+)`", row)}
    assert named == {state.value for state in MessageState}


def test_the_gateway_that_is_shown_as_an_example_is_the_real_one() -> None:
    shown = re.findall(r"^```python\n(.*?)^```$", page("adding-a-gateway.md"), flags=re.MULTILINE | re.DOTALL)
    real = "".join(
        (CHECKOUT / path).read_text(encoding="utf-8")
        for path in ("bridge/gateways/elks46.py", "tests/gateways/kinds/elks46.py")
    )
    assert shown
    assert [block for block in shown if block not in real] == []


def test_the_readme_names_the_demo_as_it_is() -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    for fact in (
        "make run",
        "make test",
        "clinic@example.test",
        "clinic-demo",
        "+393470000123@sms.example.test",
        "2525",
        "8025",
    ):
        assert fact in readme
