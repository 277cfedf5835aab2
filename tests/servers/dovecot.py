"""A real Dovecot on loopback, with a configuration, mails and a log of its own: IMAP, IMAP over TLS and LMTP."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from tests.servers.imap_account import PASSWORD
from tests.servers.ports import PATIENCE, free_port, wait_for_greeting
from tests.servers.tokens import TokenServer

__all__ = ["FULL", "GUARDED", "LAYOUTS", "PASSWORD", "QUOTED", "QUOTED_PASSWORD", "DovecotServer"]

FULL = "full"
"""An account with room for next to nothing."""
GUARDED = "guarded"
"""An account whose folders can be made read-only by a file `dovecot-acl` in them (RFC 4314)."""
QUOTED, QUOTED_PASSWORD = "anna rossi", 'a "quoted" \\ pässword'
"""An account whose name and password need care in a command line."""

LAYOUTS = {
    "courier": ("INBOX.", "."),
    "slashes": ("", "/"),
    "prefixed": ("Personal/", "/"),
}
"""Accounts with a namespace of their own: prefix and delimiter (RFC 2342)."""


@dataclass
class DovecotServer:
    """One Dovecot. Folders are Maildir++ with the delimiter `.` unless the account's name is one of the layouts."""

    folder: Path
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    lmtp_port: int = field(default_factory=free_port)
    tokens: TokenServer = field(default_factory=TokenServer)
    """Who may log in with which access token, besides all who may with a password."""
    process: subprocess.Popen[bytes] | None = None
    prefix: str = ""
    delimiter: str = "."

    @staticmethod
    def create() -> DovecotServer:
        """Make a new Dovecot and start it."""
        assert shutil.which("dovecot"), "Dovecot is missing: run `make test`, or apt-get install dovecot-imapd"
        folder = Path(tempfile.mkdtemp(prefix="bridge-dovecot-"))
        folder.chmod(0o755)
        server = DovecotServer(folder)
        mails = folder / "mails"
        mails.mkdir()
        if os.geteuid() == 0:
            shutil.chown(mails, "nobody", "nogroup")
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(str(server.authority))
        certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
        (folder / "users").write_text(server._users())
        (folder / "dovecot.conf").write_text(server._settings())
        (folder / "oauth2.conf").write_text(
            f"introspection_mode = post\nintrospection_url = {server.tokens.url}\n"
            "username_attribute = username\nactive_attribute = active\nactive_value = true\n"
        )
        server.start()
        return server

    @property
    def authority(self) -> Path:
        """The authority (PEM) that its certificate comes from."""
        return self.folder / "ca.pem"

    @property
    def lmtp_socket(self) -> Path:
        """Where LMTP also listens."""
        return self.folder / "run" / "lmtp-test"

    def start(self) -> None:
        """Start and wait until it greets."""
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(
                ["dovecot", "-F", "-c", str(self.folder / "dovecot.conf")],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_for_greeting(self.port, b"* OK", self.log, self.process)

    def stop(self) -> None:
        """Stop, with every connection."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(PATIENCE)

    def remove(self) -> None:
        """Stop if it runs, and delete everything."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        self.tokens.close()
        shutil.rmtree(self.folder)

    def maildir(self, account: str) -> Path:
        """Where the mails of an account are: its inbox, and a folder `.NAME` for each other one (Maildir++)."""
        return self.folder / "mails" / account / "Maildir"

    def mails(self, account: str, folder: str = "") -> list[bytes]:
        """The mails of one folder, in the order of their UIDs; `folder` as the server writes it on disk."""
        place = self.maildir(account) / folder
        listed = (place / "dovecot-uidlist").read_text().splitlines()[1:]
        names = [line.partition(":")[2] for line in sorted(listed, key=lambda line: int(line.split()[0]))]
        files = {path.name.partition(":")[0]: path for part in ("new", "cur") for path in (place / part).iterdir()}
        return [files[name.partition(":")[0]].read_bytes() for name in names]

    def folders(self, account: str) -> set[str]:
        """The names of all folders but the inbox, on disk; none before the account is first used."""
        place = self.maildir(account)
        return {path.name for path in (place.iterdir() if place.is_dir() else ()) if path.name.startswith(".")}

    def subscribed(self, account: str) -> set[str]:
        """The names of the folders that mail programs show."""
        file = self.maildir(account) / "subscriptions"
        lines = file.read_text().splitlines() if file.exists() else []
        return {line.replace("\t", ".") for line in lines if line and not line.startswith("V\t")}

    def log(self) -> str:
        """Everything it said."""
        return "".join(path.read_text(errors="replace") for path in (self.folder / "output", self.folder / "log"))

    def _users(self) -> str:
        """Lines of a passwd-file; accounts that are not in it are known to the static databases."""
        extras = {
            QUOTED: "",
            GUARDED: "userdb_mail_plugins=acl",
            FULL: "userdb_quota=maildir:User_quota userdb_quota_rule=*:bytes=1500",
        }
        for account, (prefix, separator) in LAYOUTS.items():
            extras[account] = f"userdb_namespace/inbox/separator={separator}"
            if prefix:
                extras[account] += f" userdb_namespace/inbox/prefix={prefix}"
        uid, gid = (pwd.getpwnam("nobody")[2:4]) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
        lines = []
        for account, extra in extras.items():
            password = b64encode((QUOTED_PASSWORD if account == QUOTED else PASSWORD).encode()).decode()
            home = self.folder / "mails" / account
            lines.append(f"{account}:{{PLAIN.b64}}{password}:{uid}:{gid}::{home}::{extra}\n")
        return "".join(lines)

    def _settings(self) -> str:
        folder = self.folder
        me = pwd.getpwuid(os.geteuid()).pw_name
        as_root = os.geteuid() == 0
        owner = "nobody" if as_root else me
        users = "" if as_root else f"default_login_user = {me}\ndefault_internal_user = {me}\n"
        open_root = (
            ""
            if as_root
            else "".join(f"service {name} {{\n  chroot =\n}}\n" for name in ("imap-login", "anvil", "stats"))
        )
        group = "nogroup" if as_root else str(os.getegid())
        return f"""\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap lmtp
listen = 127.0.0.1
{users}{open_root}
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
disable_plaintext_auth = no
auth_username_chars =
auth_failure_delay = 0
auth_mechanisms = plain login xoauth2 oauthbearer
mail_max_userip_connections = 0
mail_location = maildir:~/Maildir
mail_save_crlf = yes
first_valid_uid = 1
mail_plugins = quota
postmaster_address = postmaster@example.test
namespace inbox {{
  inbox = yes
  separator = .
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login none
  args = username_format=%n {folder}/users
}}
passdb {{
  driver = static
  mechanisms = plain login none
  args = password={PASSWORD}
}}
userdb {{
  driver = passwd-file
  args = username_format=%n {folder}/users
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={folder}/mails/%n
}}
plugin {{
  acl = vfile
}}
protocol lmtp {{
  mail_plugins = quota
}}
service imap-login {{
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = {self.tls_port}
    ssl = yes
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {self.lmtp_port}
  }}
  unix_listener lmtp-test {{
    mode = 0666
  }}
}}
"""
