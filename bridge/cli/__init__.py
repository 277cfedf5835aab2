"""The `bridge` command: what an operator types. Each group of commands has a file of its own.

Commands import the rooms they use when they run, so that `--help` and a mistyped option answer at once.
"""

from __future__ import annotations

import os
import sys

import typer

from bridge.cli import (
    blocks,
    cancel,
    certificates,
    check,
    contacts,
    db,
    gateways,
    greetings,
    keywords,
    mailbox,
    messages,
    passwords,
    preview,
    running,
)
from bridge.errors import BridgeError, SettingsError, UsageError

app = typer.Typer(
    name="bridge",
    help="Email in, SMS out, and the phone's answer back in the same mail thread. Begin with `bridge demo`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
running.register(app)
check.register(app)
gateways.register(app)
preview.register(app)
messages.register(app)
cancel.register(app)
app.add_typer(mailbox.app, name="mailbox")
app.add_typer(passwords.app, name="passwords")
app.add_typer(certificates.app, name="certificates")
app.add_typer(contacts.app, name="contacts")
app.add_typer(keywords.app, name="keywords")
app.add_typer(blocks.app, name="blocks")
app.add_typer(greetings.app, name="greetings")
app.add_typer(db.app, name="db")


def main() -> None:
    """Run the command line; errors go to standard error in a sentence, exit codes are 0, 1 and 2."""
    try:
        code = app(prog_name="bridge", standalone_mode=False)
        sys.stdout.flush()
    except (SettingsError, UsageError) as error:
        _end(error.sentence, 2)
    except BridgeError as error:
        _end(error.sentence, 1)
    except typer.TyperException as error:
        _end(_usage(error), error.exit_code)
    except typer.Abort:
        _end("Nothing was answered, so nothing was done.", 1)
    except BrokenPipeError:
        # Whoever read the output has enough of it. Python would complain once more when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        _end(f"{error.strerror or type(error).__name__}:{where}. Run this as the user that the bridge runs as.", 1)
    sys.exit(code)


def _usage(error: typer.TyperException) -> str:
    """What is wrong with a command line, in one sentence, and where to read on; the whole help if it was empty."""
    said = error.format_message().replace("Value error, ", "")
    if said.startswith("Usage:"):
        return said
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "bridge"
    return f"{said if said.endswith(('.', '?')) else f'{said}.'} See `{command} --help`."


def _end(sentence: str, code: int) -> None:
    print(sentence, file=sys.stderr)
    sys.exit(code)
