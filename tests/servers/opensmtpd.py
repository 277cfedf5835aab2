"""A real OpenSMTPD on loopback, with a configuration and a queue of its own; it needs root, as OpenSMTPD does.

Where it keeps its queue, its socket and the jail of its processes is built into it: `/var` is a folder of this server,
for it alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.own_view import OwnView
from tests.servers.ports import free_port, wait_for_greeting
from tests.servers.unpacked import program

USERS = ("opensmtpd", "opensmtpq")
"""Built into Debian's OpenSMTPD."""


@dataclass
class OpenSmtpdServer:
    """One OpenSMTPD: takes mail from loopback on `port`, and keeps or passes it on as its configuration says."""

    folder: Path
    port: int
    view: OwnView
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @staticmethod
    def create(configuration: str, *, places: Mapping[str, Path] | None = None) -> OpenSmtpdServer:
        """Make a new OpenSMTPD and start it: `configuration` is its smtpd.conf but for the port that it listens on,
        and `places` of the machine hold files of ours for it."""
        assert os.geteuid() == 0, "OpenSMTPD starts as root only: run this as root"
        folder = Path(tempfile.mkdtemp(prefix="bridge-opensmtpd-"))
        folder.chmod(0o755)
        var = folder / "var"
        for name in ("spool/smtpd", "lib/opensmtpd/empty", "run"):
            (var / name).mkdir(parents=True)
        (var / "spool" / "smtpd").chmod(0o711)  # it insists
        view = OwnView.create(folder, *USERS, places={"/var": var} | dict(places or {}))
        server = OpenSmtpdServer(folder, free_port(), view)
        (folder / "smtpd.conf").write_text(f"listen on 127.0.0.1 port {server.port}\n{configuration}")
        server.start()
        return server

    def start(self) -> None:
        """Start and wait until it greets."""
        command = self.view.command(program("usr/sbin/smtpd"), "-dv", "-f", str(self.folder / "smtpd.conf"))
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for_greeting(self.port, b"220 ", self.log, self._process)

    def stop(self) -> None:
        """Stop; what is queued stays."""
        assert self._process is not None
        self.view.end(self._process)
        self._process = None

    def remove(self) -> None:
        """Stop if it runs, and delete everything."""
        if self._process is not None:
            self.stop()
        shutil.rmtree(self.folder)

    def queue(self) -> list[str]:
        """What is queued: one line a recipient of a mail (smtpctl(8), show queue)."""
        return self._control("show", "queue").splitlines()

    def flush(self) -> None:
        """Try now what is queued."""
        self._control("schedule", "all")

    def log(self) -> str:
        """Everything it logged."""
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def _control(self, *arguments: str) -> str:
        assert self._process is not None
        process = f"/proc/{self._process.pid}"
        view = [f"--mount={process}/ns/mnt", f"--root={process}/root"]
        group = f"--regid={self.view.numbers['opensmtpq']}"  # installed, it would be setgid
        command = ["nsenter", *view, "setpriv", group, "--clear-groups", program("usr/sbin/smtpctl"), *arguments]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, text=True
        )
        assert done.returncode == 0, f"smtpctl {' '.join(arguments)}: {done.stderr}{self.log()}"
        return done.stdout
