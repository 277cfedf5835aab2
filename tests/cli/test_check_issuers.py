"""`bridge check` asks issuers for their keys, and names the one that gives none."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import run
from tests.road.demo_process import DemoProcess
from tests.servers.issuer import IssuerServer


def test_an_issuer_without_keys_is_named(demo: DemoProcess, tmp_path: Path) -> None:
    issuer = IssuerServer()
    (tmp_path / "keys.json").write_text('{"keys": []}')
    file = demo.data_dir / f"{tmp_path.name}.toml"
    file.write_text(
        f"""{(demo.data_dir / "bridge.toml").read_text()}
[issuers.clinic]
issuer = "{issuer.name}"
audience = ["bridge"]
keys_url = "{issuer.keys_url}"
[issuers.lab]
issuer = "https://lab.example"
audience = ["bridge"]
keys_file = "{tmp_path / "keys.json"}"
"""
    )
    done = run("check", "--config", file)
    issuer.close()
    assert "ok     issuer clinic\n" in done.out
    assert done.err == (
        f"wrong  issuer lab: {tmp_path / 'keys.json'} gives no key to check tokens with. "
        "It must be a JWK Set: what the issuer calls jwks_uri.\n"
    )
    assert done.code == 1
