"""A bare aiosmtpd server that throws every mail away: the floor under every server written with it.

`python -m bench.sink --port PORT [--tls-port PORT --certificate FILE]`. It has aiosmtpd's own protocol, a handler that
says 250 and, on the TLS port, an authenticator that believes everybody.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import sys
from collections.abc import Sequence

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Discard:
    """Takes every mail and forgets it."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The answer to a whole mail."""
        return "250 2.0.0 Thrown away"


def _believe(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: LoginPassword
) -> AuthResult:
    return AuthResult(success=True)


async def serve(port: int, tls_port: int | None, certificate: str | None) -> None:
    """Listen until the process is ended."""
    loop = asyncio.get_running_loop()
    handler = Discard()
    servers = [await loop.create_server(lambda: SMTP(handler, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", port)]
    if tls_port is not None and certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        servers.append(
            await loop.create_server(
                lambda: SMTP(handler, loop=loop, authenticator=_believe, auth_require_tls=False),
                "127.0.0.1",
                tls_port,
                ssl=context,
            )
        )
    await asyncio.gather(*(server.serve_forever() for server in servers))


def main(arguments: Sequence[str]) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.sink", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls-port", type=int)
    parser.add_argument("--certificate")
    chosen = parser.parse_args(arguments)
    asyncio.run(serve(chosen.port, chosen.tls_port, chosen.certificate))


if __name__ == "__main__":
    main(sys.argv[1:])
