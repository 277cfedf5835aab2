"""A real nginx or Caddy on loopback, set up as docs/operation.md shows it, in front of a bridge's web listener."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

import trustme

from tests.servers.ports import free_port

NAME = "bridge.example.org"
PATIENCE = 15.0
OPERATION = Path(__file__).parents[2] / "docs" / "operation.md"


class ReverseProxy(ABC):
    """One proxy with TLS, which passes on to `upstream`, a port of this machine."""

    program: str

    def __init__(self, folder: Path, upstream: int) -> None:
        assert shutil.which(self.program), f"{self.program} is missing: run `make test`, or apt-get install it"
        self.folder = folder
        self.upstream = upstream
        self.port = free_port()
        authority = trustme.CA()
        certificate = authority.issue_cert(NAME)
        certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
        certificate.cert_chain_pems[0].write_to_path(str(folder / "certificate.pem"))
        self.tls = ssl.create_default_context()
        authority.configure_trust(self.tls)
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def configuration(self, shown: str) -> str:
        """The example of the page, with this test's ports and files, and whatever this proxy needs besides."""

    @abstractmethod
    def command(self, file: Path) -> list[str]:
        """How it is started in the foreground."""

    def start(self, altered: dict[str, str]) -> None:
        """Start with the page's example, some of its words replaced, and wait until it listens."""
        example = re.search(rf"```{self.program}\n(.*?)```", OPERATION.read_text(), re.DOTALL)
        assert example is not None
        shown = example[1]
        for old, new in {**altered, "127.0.0.1:8025": f"127.0.0.1:{self.upstream}"}.items():
            assert old in shown, old
            shown = shown.replace(old, new)
        file = self.folder / "configuration"
        file.write_text(self.configuration(shown))
        with (self.folder / "output").open("wb") as output:
            home = {"HOME": str(self.folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
            self._process = subprocess.Popen(self.command(file), stdout=output, stderr=output, env=home)
        until = time.monotonic() + PATIENCE
        while True:
            assert self._process.poll() is None, (self.folder / "output").read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < until, (self.folder / "output").read_text()
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop it, so that all it had to say is written."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)

    def written(self) -> str:
        """Everything it wrote anywhere."""
        files = [file for file in self.folder.rglob("*") if file.is_file() and file.name != "configuration"]
        return "".join(file.read_text(errors="replace") for file in files)


class Nginx(ReverseProxy):
    """Debian's nginx."""

    program = "nginx"

    def configuration(self, shown: str) -> str:
        for old, new in {
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            "/etc/ssl/certs/bridge.example.org.pem": f"{self.folder}/certificate.pem",
            "/etc/ssl/private/bridge.example.org.key": f"{self.folder}/key.pem",
            "/var/log/nginx/error.log": f"{self.folder}/error.log",
        }.items():
            assert old in shown, old
            shown = shown.replace(old, new)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in kinds)
        head = f"daemon off;\npid {self.folder}/pid;\nerror_log {self.folder}/error.log;\nevents {{}}\n"
        return f"{head}http {{\naccess_log {self.folder}/access.log;\n{places}{shown}}}\n"

    def command(self, file: Path) -> list[str]:
        return ["nginx", "-e", f"{self.folder}/error.log", "-c", str(file), "-p", str(self.folder)]


class Caddy(ReverseProxy):
    """Debian's Caddy."""

    program = "caddy"

    def configuration(self, shown: str) -> str:
        tls = f"tls {self.folder}/certificate.pem {self.folder}/key.pem"
        for old, new in {
            "{\n    log": "{\nadmin off\nauto_https disable_redirects\n    log",
            f"{NAME} {{\n": f"{NAME}:{self.port} {{\nbind 127.0.0.1\n{tls}\n",
        }.items():
            assert old in shown, old
            shown = shown.replace(old, new)
        return shown

    def command(self, file: Path) -> list[str]:
        return ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)]
