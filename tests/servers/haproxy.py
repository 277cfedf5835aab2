"""A real haproxy on loopback, set up as docs/smtp.md shows it, which passes connections on and says for whom."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.servers.ports import PATIENCE, free_port, wait_for_greeting

PAGE = Path(__file__).parents[2] / "docs" / "smtp.md"


class HaproxyServer:
    """One haproxy with a frontend for each port behind it."""

    def __init__(self, folder: Path, behind: Mapping[int, str]) -> None:
        """`behind` are ports of this machine, with the word by which each is told for whom. Listens at once."""
        assert shutil.which("haproxy"), "haproxy is missing: run `make test`, or apt-get install haproxy"
        block = re.search(r"```\n# haproxy\.cfg\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        assert block is not None
        defaults, frontend = block[1].split("\n\n", 1)
        self.ports = {port: free_port() for port in behind}
        """Where to connect to come to each of them."""
        parts = [defaults, *(self._frontend(frontend, port, word) for port, word in behind.items())]
        file, self._output = folder / "haproxy.cfg", folder / "haproxy.log"
        file.write_text("\n\n".join(parts))
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(["haproxy", "-db", "-f", str(file)], stdout=output, stderr=output)
        plain = next(iter(behind))
        wait_for_greeting(self.ports[plain], b"220 ", self._output.read_text, self._process)

    def _frontend(self, shown: str, port: int, word: str) -> str:
        for old, new in {
            "bind :587": f"bind 127.0.0.1:{self.ports[port]}",
            "10.0.0.7:587": f"127.0.0.1:{port}",
            "submission": f"to{port}",
            "send-proxy-v2": word,
        }.items():
            assert old in shown, old
            shown = shown.replace(old, new)
        return shown

    def stop(self) -> None:
        """Stop it, and what it holds."""
        self._process.terminate()
        self._process.wait(PATIENCE)
