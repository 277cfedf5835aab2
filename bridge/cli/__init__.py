"""The `bridge` command: what an operator types. Each group of commands has a file of its own.

Commands import the rooms they use when they run, so that `--help` and a mistyped option answer at once.
"""

from __future__ import annotations

import sys

import typer

from bridge.cli import check, db, mailbox, messages, preview, running
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
preview.register(app)
messages.register(app)
app.add_typer(mailbox.app, name="mailbox")
app.add_typer(db.app, name="db")


def main() -> None:
    """Run the command line; errors go to standard error in a sentence, exit codes are 0, 1 and 2."""
    try:
        app(prog_name="bridge", standalone_mode=True)
    except (SettingsError, UsageError) as error:
        _say(error)
        sys.exit(2)
    except BridgeError as error:
        _say(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)


def _say(error: BridgeError) -> None:
    print(error.sentence, file=sys.stderr)
