"""Courier's imapd on loopback, behind a login of the tests: its own asks a daemon at a fixed place of the machine.

Names are below INBOX and levels end at a dot. The first line of imapd, by which it says that somebody is logged in, is
kept from the client; everything after it passes as it is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import cast

from tests.servers.imap_account import PASSWORD
from tests.servers.ports import free_port
from tests.servers.unpacked import environment, give_away, program, servant

CAPABILITIES = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"
"""As Debian sets it up."""


@dataclass
class CourierServer:
    """One Courier: an imapd for each connection."""

    folder: Path
    port: int = field(default_factory=free_port)
    keywords: bool = True
    """Whether it keeps keywords, as Debian sets it up."""
    prefix: str = "INBOX."
    delimiter: str = "."
    _door: socketserver.ThreadingTCPServer | None = None
    _open: set[socket.socket] = field(default_factory=set)

    @staticmethod
    def create(*, keywords: bool = True) -> CourierServer:
        """Make a new Courier and start it."""
        folder = Path(tempfile.mkdtemp(prefix="bridge-courier-"))
        folder.chmod(0o755)
        server = CourierServer(folder, keywords=keywords)
        server.start()
        return server

    def start(self) -> None:
        """Listen."""
        server = self

        class Connection(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                server._open.add(self.request)
                with contextlib.suppress(ConnectionError):  # the client may leave
                    server._log_in(cast("BufferedReader", self.rfile), self.request)
                server._open.discard(self.request)

        class Door(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._door = Door(("127.0.0.1", self.port), Connection)
        threading.Thread(target=self._door.serve_forever, args=(0.02,), name="courier", daemon=True).start()

    def stop(self) -> None:
        """Stop, with every connection."""
        assert self._door is not None
        self._door.shutdown()
        self._door.server_close()
        for connection in list(self._open):
            _end(connection)

    def remove(self) -> None:
        """Stop, and delete everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _log_in(self, lines: BufferedReader, client: socket.socket) -> None:
        client.sendall(f"* OK [CAPABILITY {CAPABILITIES}] Courier-IMAP ready.\r\n".encode())
        while line := lines.readline():
            tag, command, *words = line.decode().split()
            match command.upper(), words:
                case "LOGIN", (user, password) if password.strip('"') == PASSWORD:
                    self._serve(user.strip('"'), tag, lines, client)
                    return
                case "LOGIN", _:
                    client.sendall(f"{tag} NO Login failed.\r\n".encode())
                case "CAPABILITY", _:
                    client.sendall(f"* CAPABILITY {CAPABILITIES}\r\n{tag} OK CAPABILITY completed\r\n".encode())
                case "LOGOUT", _:
                    client.sendall(f"* BYE Courier-IMAP server shutting down\r\n{tag} OK LOGOUT completed\r\n".encode())
                    return
                case _:
                    client.sendall(f"{tag} BAD Error in IMAP command received by server.\r\n".encode())

    def _serve(self, user: str, tag: str, lines: BufferedReader, client: socket.socket) -> None:
        home = self._home(user)
        imapd = subprocess.Popen(
            [*_as_servant(), program("usr/bin/imapd"), "Maildir"],
            cwd=home,
            env=environment(
                AUTHENTICATED=user,
                IMAP_CAPABILITY=CAPABILITIES,
                IMAP_KEYWORDS=str(int(self.keywords)),
                IMAP_USELOCKS="1",
                HOME=str(home),
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        with imapd:
            assert imapd.stdin is not None
            assert imapd.stdout is not None
            assert imapd.stdout.readline().startswith(b"* PREAUTH")
            client.sendall(f"{tag} OK LOGIN Ok.\r\n".encode())
            back = threading.Thread(target=_pass_back, args=(imapd, client), daemon=True)
            back.start()
            with contextlib.suppress(OSError):  # whichever of the two goes first
                while octets := lines.read1(65_536):
                    imapd.stdin.write(octets)
            with contextlib.suppress(OSError):
                imapd.stdin.close()
            back.join()

    def _home(self, user: str) -> Path:
        home = self.folder / user
        maildir = home / "Maildir"
        if not maildir.exists():
            parts = [home, maildir, *(maildir / part for part in ("cur", "new", "tmp"))]
            for part in parts:
                part.mkdir()
            give_away(*parts)
        return home


def _end(connection: socket.socket) -> None:
    """End a connection, whoever reads from it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _pass_back(imapd: subprocess.Popen[bytes], client: socket.socket) -> None:
    assert imapd.stdout is not None
    with contextlib.suppress(OSError):
        while octets := imapd.stdout.read(65_536):
            client.sendall(octets)
    _end(client)


def _as_servant() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={servant()}", "--regid=nogroup", "--clear-groups"]
