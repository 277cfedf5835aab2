"""What a newcomer reads: `--help` of every command, and the sentence after a mistyped one."""

from __future__ import annotations

import pytest

from tests.cli.commands import run
from tests.house.test_docs import COMMANDS

GROUPS = ["", "mailbox", "contacts", "keywords", "db"]


@pytest.mark.parametrize("group", GROUPS)
def test_the_list_of_commands_has_whole_sentences(group: str) -> None:
    done = run(*group.split(), "--help")
    assert (done.code, done.err) == (0, "")
    lines = done.out.split("Commands:\n")[1].splitlines()
    assert lines
    assert [line for line in lines if not line.endswith(".") or line.endswith("...")] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_explains_every_option(command: str) -> None:
    done = run(*command.split(), "--help")
    assert (done.code, done.err) == (0, "")
    usage, _, rest = done.out.partition("\n\n")
    assert usage.startswith(f"Usage: bridge {command}")
    description = rest.split("\n\n")[0]
    assert description.endswith("."), description
    options = done.out.split("Options:")[1]
    assert "<path>" not in options
    assert "<str>" not in options


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_without_a_command_shows_its_help(group: str) -> None:
    done = run(*group.split())
    assert done.code == 2
    assert done.err == run(*group.split(), "--help").out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("sned", "No such command 'sned'. See `bridge --help`."),
        ("mailbox ad", "No such command 'ad'. Did you mean 'add'? See `bridge mailbox --help`."),
        ("preview", "Missing option '--to'. See `bridge preview --help`."),
        ("trace", "Missing argument 'ID'. See `bridge trace --help`."),
        ("messages --stat held", "No such option: --stat (Possible options: --state). See `bridge messages --help`."),
        ("messages --limit many", "Invalid value for '--limit': "),
        ("demo --smtp-port 99999", "Invalid value for '--smtp-port': "),
        ("db backup", "Missing argument 'FILE'. See `bridge db backup --help`."),
        ("serve --config", "Option '--config' requires an argument. See `bridge"),
    ],
)
def test_a_mistyped_command_gets_one_sentence(arguments: str, sentence: str) -> None:
    done = run(*arguments.split())
    assert done.code == 2
    assert done.sentence.startswith(sentence)
    assert done.sentence.endswith("--help`.")
