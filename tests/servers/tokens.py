"""An authorisation server on loopback: an IMAP server asks it whose access token it was shown (RFC 7662)."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


class TokenServer:
    """Answers whose token it is, for as long as it is good."""

    def __init__(self) -> None:
        """Listens at once."""
        self.users: dict[str, str] = {}
        """The user of each token that is good."""
        users = self.users

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                (token,) = parse_qs(form)["token"]
                user = users.get(token)
                said = json.dumps({"active": user is not None, "username": user or ""}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, name="tokens", daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is asked, by POST."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/introspect"

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
