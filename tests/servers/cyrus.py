"""A real Cyrus IMAP server on loopback, in either of the two ways in which it names folders."""

from __future__ import annotations

import contextlib
import grp
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.imap_account import PASSWORD
from tests.servers.ports import PATIENCE, free_port, wait_for_greeting
from tests.servers.unpacked import environment, give_away, program, servant

_FOLDERS = ("conf/proc", "conf/socket", "conf/db", "conf/log", "conf/lock", "conf/ptclient", "spool", "sieve")


@dataclass
class CyrusServer:
    """One Cyrus."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    passwords: _Passwords | None = None
    """Who says which passwords are right."""
    prefix: str = "INBOX."
    delimiter: str = "."

    @staticmethod
    def create(*, slashes: bool = False) -> CyrusServer:
        """Make a new Cyrus and start it; `slashes`: folders stand beside INBOX, and levels end at a slash."""
        folder = Path(tempfile.mkdtemp(prefix="bridge-cyrus-"))
        folder.chmod(0o755)
        server = CyrusServer(folder, prefix="" if slashes else "INBOX.", delimiter="/" if slashes else ".")
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True)
        give_away(folder, folder / "conf", *(folder / name for name in _FOLDERS))
        (folder / "imapd.conf").write_text(server._settings())
        imapd = f"{program('usr/lib/cyrus/bin/imapd')} -C {folder}/imapd.conf"
        (folder / "cyrus.conf").write_text(
            f'SERVICES {{\n  imap cmd="{imapd}" listen="127.0.0.1:{server.port}" prefork=1\n}}\n'
        )
        server.passwords = _Passwords(folder / "mux")
        server.start()
        return server

    def start(self) -> None:
        """Start, and wait until it greets."""
        master = [program("usr/lib/cyrus/bin/master"), "-D", "-p", f"{self.folder}/pid"]
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [*master, "-C", f"{self.folder}/imapd.conf", "-M", f"{self.folder}/cyrus.conf"],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_for_greeting(self.port, b"* OK", self.log, self.process)

    def stop(self) -> None:
        """Stop, with every connection."""
        assert self.process is not None
        for _ in range(10):  # it may spin for ever instead, with a child that still serves somebody
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.1)
                return
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def remove(self) -> None:
        """Stop if it runs, and delete everything."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        if self.passwords is not None:
            self.passwords.close()
        shutil.rmtree(self.folder)

    def log(self) -> str:
        """What it said; most of it goes to syslog."""
        return (self.folder / "output").read_text(errors="replace")

    def _settings(self) -> str:
        slashes = "yes" if self.delimiter == "/" else "no"
        group = "nogroup" if os.geteuid() == 0 else grp.getgrgid(os.getegid()).gr_name
        return f"""\
configdirectory: {self.folder}/conf
partition-default: {self.folder}/spool
defaultpartition: default
sievedir: {self.folder}/sieve
altnamespace: {slashes}
unixhierarchysep: {slashes}
cyrus_user: {servant()}
cyrus_group: {group}
allowplaintext: yes
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: {self.folder}/mux
sasl_mech_list: PLAIN
autocreate_quota: 0
delete_mode: immediate
expunge_mode: immediate
failedloginpause: 0
autocreate_post: yes
servername: cyrus.example.test
"""


class _Passwords:
    """What Cyrus asks whether a password is right, in the place and the words of saslauthd(8)."""

    def __init__(self, path: Path) -> None:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        path.chmod(0o777)
        listening.listen()
        self._listening = listening
        self._thread = threading.Thread(target=self._serve, name="saslauthd", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                asking = self._listening.accept()[0]
                with contextlib.suppress(OSError, struct.error):  # whoever asks may be stopped in mid-word
                    self._answer(asking)

    def _answer(self, asking: socket.socket) -> None:
        with asking, asking.makefile("rb") as words:
            _user, password, _service, _realm = (words.read(struct.unpack(">H", words.read(2))[0]) for _ in range(4))
            said = b"OK" if password == PASSWORD.encode() else b"NO"
            asking.sendall(struct.pack(">H", len(said)) + said)
