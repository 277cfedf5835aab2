"""A real Postfix on loopback, with a configuration, a queue and a log of its own; it needs root, as Postfix does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.own_view import OwnView
from tests.servers.ports import free_port, wait_for_greeting

USER = "postfix"

_SERVICES = """\
pickup    unix n - n 60    1 pickup
cleanup   unix n - n -     0 cleanup
qmgr      unix n - n 300   1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n -     - trivial-rewrite
bounce    unix - - n -     0 bounce
defer     unix - - n -     0 bounce
trace     unix - - n -     0 bounce
verify    unix - - n -     1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n -     - proxymap
smtp      unix - - n -     - smtp
relay     unix - - n -     - smtp
lmtp      unix - - n -     - lmtp
showq     unix n - n -     - showq
error     unix - - n -     - error
retry     unix - - n -     - error
discard   unix - - n -     - discard
anvil     unix - - n -     1 anvil
scache    unix - - n -     1 scache
postlog   unix-dgram n - n - 1 postlogd
"""
"""The services of Postfix without a chroot, so that nothing has to be copied into the queue folder."""


@dataclass
class PostfixServer:
    """One Postfix: takes mail from loopback on `port`, and keeps or passes it on as its settings say."""

    folder: Path
    port: int
    tls_port: int | None = None
    """Listener with TLS from the first byte (RFC 8314 section 3.3), when it was asked for."""
    view: OwnView | None = None
    """What it sees in place of some files of the machine, when that was asked for."""

    @staticmethod
    def create(
        settings: Mapping[str, str],
        *,
        implicit_tls: bool = False,
        folder: Path | None = None,
        services: str = "",
        places: Mapping[str, Path] | None = None,
    ) -> PostfixServer:
        """Make a new Postfix and start it; `settings` are lines of its main.cf beyond those of `_settings`, `services`
        lines of its master.cf, and `places` of the machine hold files of ours for it.

        A folder that is given must be reachable for the user `postfix`.
        """
        assert shutil.which("postfix"), "Postfix is missing: run `make test`, or apt-get install postfix"
        assert os.geteuid() == 0, "Postfix starts as root only: run this as root"
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="bridge-postfix-"))
            folder.chmod(0o755)
        view = OwnView.create(folder, places=places) if places else None
        server = PostfixServer(folder, free_port(), free_port() if implicit_tls else None, view)
        for name in ("etc", "queue", "data"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", USER)
        lines = {**server._settings(), **settings}
        (folder / "etc" / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in lines.items()))
        (folder / "etc" / "master.cf").write_text(server._listeners() + _SERVICES + services)
        # Postfix waits until a file has been left alone for two seconds: somebody might be writing it.
        os.utime(folder / "etc" / "main.cf", (0, 0))
        server.start()
        return server

    def start(self) -> None:
        """Start and wait until it greets."""
        self._run("postfix", "start")
        wait_for_greeting(self.port, b"220 ", self.log)

    def stop(self) -> None:
        """Stop; what is queued stays."""
        self._run("postfix", "stop")

    def remove(self) -> None:
        """Stop if it runs, and delete everything."""
        if self.master_pid() is not None:
            self.stop()
        shutil.rmtree(self.folder)

    def master_pid(self) -> int | None:
        """The process that all of this Postfix's processes descend from, or None when it does not run."""
        file = self.folder / "queue" / "pid" / "master.pid"
        if not file.exists():
            return None
        pid = int(file.read_text())
        return pid if Path(f"/proc/{pid}").exists() else None

    def queue(self) -> list[dict[str, Any]]:
        """What is queued: one entry a mail, with `queue_name`, `sender` and `recipients` (postqueue(1), JSON)."""
        return [json.loads(line) for line in self._run("postqueue", "-j").splitlines()]

    def flush(self) -> None:
        """Try now what is queued."""
        self._run("postqueue", "-f")

    def log(self) -> str:
        """Everything it logged."""
        file = self.folder / "log"
        return file.read_text() if file.exists() else ""

    def _settings(self) -> dict[str, str]:
        return {
            "compatibility_level": "3.6",
            "queue_directory": str(self.folder / "queue"),
            "data_directory": str(self.folder / "data"),
            "maillog_file": str(self.folder / "log"),
            "maillog_file_prefixes": str(self.folder),
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "myhostname": "relay.example.test",
            "mydestination": "",
            "alias_maps": "",
            "alias_database": "",
            "mynetworks": "127.0.0.0/8",
            "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject",
        }

    def _listeners(self) -> str:
        plain = f"127.0.0.1:{self.port} inet n - n - - smtpd\n"
        if self.tls_port is None:
            return plain
        return plain + f"127.0.0.1:{self.tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n"

    def _run(self, program: str, *arguments: str) -> str:
        command = [program, "-c", str(self.folder / "etc"), *arguments]
        if self.view is not None:
            command = self.view.command(*command)
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, text=True
        )
        assert done.returncode == 0, f"{program} {' '.join(arguments)}: {done.stderr}{self.log()}"
        return done.stdout
