"""A real OpenDKIM that signs mails, asked as a mail server asks it: over the milter protocol."""

from __future__ import annotations

import asyncio
import shutil
import struct
import subprocess
from pathlib import Path

from tests.servers.ports import PATIENCE, free_port, wait_for_greeting

_VERSION, _ALL_ACTIONS = 6, 0x1FF


class OpenDkim:
    """One signer with one key."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self._port = port
        self._process = process

    @classmethod
    def start(cls, folder: Path, domain: str, selector: str, key: bytes, form: str) -> OpenDkim:
        """A running one; `form` is the canonicalisation of header and body."""
        program = shutil.which("opendkim", path="/usr/sbin")
        assert program is not None
        (folder / "key.pem").write_bytes(key)
        port = free_port()
        settings = {
            "Socket": f"inet:{port}@127.0.0.1",
            "Mode": "s",
            "SignatureAlgorithm": "rsa-sha256",
            "Canonicalization": form,
            "Domain": domain,
            "Selector": selector,
            "KeyFile": folder / "key.pem",
            "RequireSafeKeys": "no",  # the folder of a test lies below /tmp
        }
        (folder / "opendkim.conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program, "-f", "-x", folder / "opendkim.conf"], stdout=log, stderr=log)
        wait_for_greeting(port, b"", (folder / "log").read_text, process)
        return cls(port, process)

    def stop(self) -> None:
        """End it, at once: asked kindly it takes five seconds."""
        self._process.kill()
        self._process.wait(PATIENCE)

    async def sign(self, raw: bytes) -> bytes:
        """The mail with its DKIM-Signature on top."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        head, _, body = raw.partition(b"\r\n\r\n")
        fields = [field.split(b": ", 1) for field in head.replace(b"\r\n ", b"\n ").split(b"\r\n")]
        commands = [
            b"O" + struct.pack("!III", _VERSION, _ALL_ACTIONS, 0),
            b"Clocalhost\0" + b"4" + struct.pack("!H", 25) + b"127.0.0.1\0",
            b"Hlocalhost\0",
            b"M<anna@clinic.example>\0",
            b"R<+393331234567@sms.example.test>\0",
            *(b"L" + name + b"\0" + value + b"\0" for name, value in fields),
            b"N",
            *([b"B" + body] if body else []),
        ]
        for command in commands:
            writer.write(struct.pack("!I", len(command)) + command)
            answer = await self._answer(reader)
            assert answer[:1] in {b"O", b"c", b"a"}, answer
        writer.write(struct.pack("!I", 1) + b"E")
        added = b""
        while (answer := await self._answer(reader))[:1] not in {b"c", b"a"}:
            if answer[:1] == b"i":
                name, value, _ = answer[5:].split(b"\0")
                added += name + b": " + value.lstrip(b" ").replace(b"\n", b"\r\n") + b"\r\n"
        writer.close()
        await writer.wait_closed()
        return added + raw

    @staticmethod
    async def _answer(reader: asyncio.StreamReader) -> bytes:
        async with asyncio.timeout(PATIENCE):
            length = struct.unpack("!I", await reader.readexactly(4))[0]
            return await reader.readexactly(length)
