"""A real Exim on loopback, with a configuration, a queue and a log of its own; it needs root, as Exim does."""

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

USER = "Debian-exim"
"""Built into Debian's Exim."""


def everything_to(port: int) -> str:
    """The part of a configuration by which all mail goes to a port of loopback, with TLS where that is offered."""
    return f"""\
begin routers
onward:
  driver = manualroute
  transport = onward
  route_list = * 127.0.0.1::{port}
  self = send
begin transports
onward:
  driver = smtp
begin retry
* * F,1h,1s
"""


@dataclass
class EximServer:
    """One Exim: takes mail from loopback on `port`, and keeps or passes it on as its configuration says."""

    folder: Path
    port: int
    view: OwnView
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @staticmethod
    def create(configuration: str, *, places: Mapping[str, Path] | None = None) -> EximServer:
        """Make a new Exim and start it: `configuration` is its file after the main section, from the first `begin` on,
        and `places` of the machine hold files of ours for it."""
        assert os.geteuid() == 0, "Exim starts as root only: run this as root"
        folder = Path(tempfile.mkdtemp(prefix="bridge-exim-"))
        folder.chmod(0o755)
        server = EximServer(folder, free_port(), OwnView.create(folder, USER, places=places))
        for name in ("spool", "log"):
            (folder / name).mkdir()
        server.view.give(USER, folder / "spool", folder / "log")
        main = "".join(f"{name} = {value}\n" for name, value in server._settings().items())
        (folder / "exim.conf").write_text(main + configuration)
        server.start()
        return server

    def start(self) -> None:
        """Start and wait until it greets. It looks at its queue when it is told to, by `flush`."""
        with (self.folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                self._command("-bdf"), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        wait_for_greeting(self.port, b"220 ", self.log, self._process)

    def stop(self) -> None:
        """Stop, with the deliveries that are under way; what is queued stays."""
        assert self._process is not None
        self.view.end(self._process)
        self._process = None

    def remove(self) -> None:
        """Stop if it runs, and delete everything."""
        if self._process is not None:
            self.stop()
        shutil.rmtree(self.folder)

    def queue(self) -> list[str]:
        """The ids of the mails that are queued."""
        return sorted(file.name.removesuffix("-H") for file in (self.folder / "spool" / "input").glob("*-H"))

    def flush(self) -> None:
        """Try now what is queued, whenever its turn is, and wait for what becomes of it."""
        done = subprocess.run(
            self._command("-qf"),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{done.stderr.decode()}{self.log()}"

    def log(self) -> str:
        """Everything it logged."""
        files = (self.folder / "said", *sorted((self.folder / "log").glob("*")))
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def _settings(self) -> dict[str, str]:
        return {
            "exim_path": program("usr/sbin/exim4"),
            "exim_user": USER,
            "deliver_drop_privilege": "true",
            "never_users": "",
            "keep_environment": "",
            "spool_directory": str(self.folder / "spool"),
            "log_file_path": str(self.folder / "log" / "%s"),
            "log_selector": "+all",
            "pid_file_path": str(self.folder / "spool" / "pid"),
            "local_interfaces": "127.0.0.1",
            "daemon_smtp_ports": str(self.port),
            "primary_hostname": "relay.example.test",
            "host_lookup": "",
            "tls_advertise_hosts": "",
            "dsn_advertise_hosts": "*",
            "smtputf8_advertise_hosts": "*",
            "acl_smtp_rcpt": "accept",
            "acl_smtp_data": "accept",
        }

    def _command(self, *arguments: str) -> list[str]:
        return self.view.command(program("usr/sbin/exim4"), "-C", str(self.folder / "exim.conf"), *arguments)
