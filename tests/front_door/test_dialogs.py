"""Conversations as text: each file in `dialogs/` is one connection, `C:` what the client says, `S:` what it must hear.

`S:` lines are regular expressions, matched from the start of the line; a reply of several lines needs one `S:` line
for each, or `S: ...` for the rest of them. `=> plain` and the like on the first line choose the door.
`C:` knows \\r, \\n, \\0, \\xNN; a line that ends in `\\` is sent without its CRLF. `S: [closed]` is the end.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import pytest

from tests.front_door.conftest import LOGIN, Client, OpenHouse

FILES = sorted((Path(__file__).parent / "dialogs").glob("*.txt"))
DIALOGS = {file.stem: file.read_text().splitlines() for file in FILES}


def octets(said: str) -> bytes:
    unfinished = said.endswith("\\")
    raw = said.removesuffix("\\").encode("utf-8").decode("latin-1")
    plain = re.sub(r"\\(x[0-9a-f]{2}|[rn0])", lambda found: _escape(found[1]), raw).encode("latin-1")
    return plain if unfinished else plain + b"\r\n"


def _escape(code: str) -> str:
    return {"r": "\r", "n": "\n", "0": "\0"}.get(code) or chr(int(code[1:], 16))


async def heard(client: Client) -> str:
    line = await client.reader.readline()
    return line.decode("ascii").removesuffix("\r\n") if line else "[closed]"


@pytest.mark.parametrize(("name", "lines"), DIALOGS.items(), ids=DIALOGS)
@pytest.mark.usefixtures("quick")
async def test_dialog(name: str, lines: list[str], open_house: OpenHouse, trusting: ssl.SSLContext) -> None:
    doors = {word for line in lines if line.startswith("=> ") for word in line[3:].split()}
    house = await open_house(plaintext_login="no-plaintext-login" not in doors, max_recipients=3, max_mail_bytes=2000)
    if "network" in doors:
        house.directory.networks["127.0.0.1"] = LOGIN
    client = await house.connect(tls=trusting if "tls" in doors else None)
    multiline = False
    for number, line in enumerate(lines, 1):
        where = f"{name}.txt:{number}"
        if line == "C:" or line.startswith("C: "):
            await client.send(octets(line[3:]))
        elif line == "S: ...":
            while multiline:
                multiline = (await heard(client))[3:4] == "-"
        elif line.startswith("S: "):
            answer = await heard(client)
            assert re.match(line[3:].replace("[closed]", r"\[closed\]"), answer), f"{where}: heard {answer!r}"
            multiline = answer[3:4] == "-"
        elif line == "T: TLS":
            await client.writer.start_tls(trusting, server_hostname="localhost")
        else:
            assert not line or line.startswith(("#", "=> ")), f"{where}: not understood"
    await client.close()
