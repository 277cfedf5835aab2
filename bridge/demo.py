"""The demo: a bridge and the simulated phone network in one process, on loopback, with two mailboxes ready to use."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import secrets
import shutil
import socket
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bridge import clock
from bridge.access import scram
from bridge.access.credentials import hash_password
from bridge.app import Bridge
from bridge.demo_mailboxes import DOMAIN, PASSWORDS, SAMPLE_NUMBER, demo_mailbox
from bridge.errors import SettingsError
from bridge.folder_lock import is_running
from bridge.settings import Settings, demo_settings
from bridge.simulator.mail_client import BridgeDoor
from bridge.simulator.server import Simulator
from bridge.store.store import Store, make_folder

_SECRET = "simulator.secret"
_CERTIFICATE = "demo-certificate.pem"
_KEY = "demo-key.pem"

_OPTIONS = {"smtp.port": "--smtp-port", "http.port": "--http-port"}
"""Settings that `bridge demo` takes from its command line, by their options."""


class Demo:
    """Everything that `bridge demo` runs."""

    def __init__(self, data_dir: Path, *, smtp_port: int, http_port: int) -> None:
        self._data_dir = data_dir
        self.smtp_port = smtp_port or _free_port()
        self.http_port = http_port or _free_port()
        self._exit = AsyncExitStack()

    async def start(self) -> None:
        """Open the simulated network, then the bridge. Raises SettingsError when a port or the folder is not free."""
        _check_free(self._data_dir)
        make_folder(self._data_dir)
        secret = _kept_secret(self._data_dir / _SECRET)
        door = BridgeDoor("127.0.0.1", self.smtp_port, PASSWORDS, DOMAIN, SAMPLE_NUMBER)
        hooks = f"http://127.0.0.1:{self.http_port}/hooks/simulator"
        async with AsyncExitStack() as stack:
            simulator = Simulator(self._data_dir, hooks, secret, door=door)
            await simulator.start()
            stack.push_async_callback(simulator.stop)
            self.settings = self._settings(simulator.mail_port, secret)
            await _add_mailboxes(self.settings)
            self.bridge = Bridge(self.settings, simulator.routes)
            try:
                await self.bridge.start()
            except SettingsError as error:
                raise SettingsError(_OPTIONS.get(error.key, error.key), error.value, error.remedy) from error
            stack.push_async_callback(self.bridge.stop)
            self._write_configuration()
            stack.push_async_callback(simulator.hang_up)
            self._exit = stack.pop_all()

    @property
    def failed(self) -> bool:
        """A station of the bridge died."""
        return self.bridge.failed

    async def stop(self) -> None:
        """Stop both; what waits stays in the data folder."""
        await self._exit.aclose()

    def _write_configuration(self) -> None:
        """Leave the demo's settings in its folder, so that the other commands can look into it."""
        settings = self.settings
        gateway = settings.gateways["simulator"]
        (self._data_dir / "bridge.toml").write_text(
            f"""# What `bridge demo` runs with; written anew at every start.
data_dir = "."

[smtp]
port = {settings.smtp.port}
plaintext_login = true
certificate = "{_CERTIFICATE}"
private_key = "{_KEY}"

[http]
port = {settings.http.port}
public_url = "{settings.http.public_url}"

[relay]
host = "{settings.relay.host}"
port = {settings.relay.port}
tls = "none"

[gateways.simulator]
kind = "simulator"
url = "{gateway.url}"
secret_file = "{_SECRET}"

[sending]
gateway = "simulator"

[replies]
fallback = "{settings.replies.fallback}"
"""
        )

    def _settings(self, mail_port: int, secret: str) -> Settings:
        settings = demo_settings(self._data_dir, self.smtp_port, self.http_port, mail_port, secret)
        certificate, key = _certificate(self._data_dir)
        smtp = settings.smtp.model_copy(update={"certificate": certificate, "private_key": key})
        return settings.model_copy(update={"smtp": smtp})


def forget(data_dir: Path) -> None:
    """Remove what an earlier demo left in its folder; a folder that is no demo's is left alone.

    Raises SettingsError.
    """
    if not data_dir.exists():
        return
    if not data_dir.is_dir() or (any(data_dir.iterdir()) and not (data_dir / _SECRET).exists()):
        raise SettingsError("--data-dir", f'"{data_dir}"', "is not a demo's folder; name another one")
    _check_free(data_dir)
    shutil.rmtree(data_dir)


def _check_free(data_dir: Path) -> None:
    if is_running(data_dir):
        remedy = "a demo runs on this folder already; stop it, or name another folder and other ports"
        raise SettingsError("--data-dir", f'"{data_dir}"', remedy)


async def _add_mailboxes(settings: Settings) -> None:
    async with Store(settings) as store:
        for login, password in PASSWORDS.items():
            if store.directory.by_login(login) is None:
                await store.mailboxes.add(demo_mailbox(login, hash_password(password)))
                await store.directory.refresh()
                await _let_scram(store, login, password)


async def _let_scram(store: Store, login: str, password: str) -> None:
    """Let SCRAM take the demo's password too: it is public, so its verifier may be tried by whoever wants."""
    mailbox = store.directory.by_login(login)
    assert mailbox is not None
    verifier = partial(
        scram.verifier_beside, password=password, secret=store.key.derived(scram.SALTS), login=mailbox.login
    )
    await store.passwords.add(mailbox, "demo", verifier)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _kept_secret(path: Path) -> str:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    return path.read_text()


def _certificate(data_dir: Path) -> tuple[Path, Path]:
    """A certificate for localhost that the demo signs itself, kept in its folder."""
    certificate_path, key_path = data_dir / _CERTIFICATE, data_dir / _KEY
    if certificate_path.exists() and key_path.exists():
        return certificate_path, key_path
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = clock.now()
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    with os.fdopen(os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate_path, key_path
