"""Settings: every mistake gets its own sentence, nothing secret is shown, documented defaults are the real ones."""

from __future__ import annotations

import re
import shutil
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bridge.errors import SettingsErrors
from bridge.settings import (
    FilingSettings,
    GatewaySettings,
    IssuerSettings,
    OAuthSettings,
    RouteSettings,
    Settings,
    TlsMode,
    WatchSettings,
    demo_settings,
    load,
)

CHECKOUT = Path(__file__).parents[2]
FILING = "filing.clinic@example.com"
WATCH = "watch.sms@clinic.example"
ISSUER = "issuers.main"
APPLICATION = "oauth.main"
ROUTE = "routes.0"
BAD_CONFIGS = sorted((Path(__file__).parent / "bad_configs").glob("*.toml"))
SECRET = "hunter2-hunter2"

GOOD = {
    "BRIDGE_DATA_DIR": "/tmp",
    "BRIDGE_GATEWAYS__MAIN__KIND": "simulator",
    "BRIDGE_GATEWAYS__MAIN__URL": "http://127.0.0.1:8026/simulator/provider",
    "BRIDGE_GATEWAYS__MAIN__SECRET": SECRET,
    "BRIDGE_SENDING__GATEWAY": "main",
}


def complaints(path: Path | None, environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsErrors) as caught:
        load(path, environ)
    return [complaint.sentence for complaint in caught.value.complaints]


@pytest.mark.parametrize("config", BAD_CONFIGS, ids=lambda path: path.stem)
def test_every_bad_configuration_gets_its_sentence(config: Path, tmp_path: Path) -> None:
    """The first comment lines of each file in `bad_configs` say what the operator reads, line by line."""
    folder = tmp_path / "config"
    shutil.copytree(config.parent, folder)
    for held in folder.iterdir():
        held.chmod(0o644)
    head = config.read_text().split("\n\n")[0]
    expected = [line.removeprefix("# ").replace("{folder}", str(folder)) for line in head.splitlines()]
    found = [line.replace(str(folder / config.name), "FILE") for line in complaints(folder / config.name, {})]
    assert sorted(found) == sorted(expected)
    assert SECRET not in "".join(found)


def test_all_complaints_are_one_error_with_one_line_each() -> None:
    with pytest.raises(SettingsErrors) as caught:
        load(None, GOOD | {"BRIDGE_SMTP__PORT": "0", "BRIDGE_HTTP__PUBLIC_URL": "http://sms.example.com"})
    assert [complaint.key for complaint in caught.value.complaints] == ["smtp.port", "http.public_url"]
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        pytest.param(
            "BRIDGE_SMTP__PORT", "many", 'smtp.port = "many": write a whole number, without quotes', id="value"
        ),
        pytest.param(
            "BRIDGE_SMTP__PROT",
            SECRET,
            "smtp.prot = (not shown): no such setting; did you mean smtp.port?",
            id="mistyped-key",
        ),
        pytest.param(
            "BRIDGE_SMPT__PORT",
            SECRET,
            "BRIDGE_SMPT__PORT = (not shown): no such setting; did you mean BRIDGE_SMTP__PORT?",
            id="mistyped-section",
        ),
        pytest.param(
            "BRIDGE_SMTP_PORT",
            SECRET,
            "BRIDGE_SMTP_PORT = (not shown): no such setting; did you mean BRIDGE_SMTP__PORT?",
            id="one-underscore",
        ),
        pytest.param(
            "BRIDGE_RELAY",
            SECRET,
            "BRIDGE_RELAY = (not shown): no such setting; did you mean BRIDGE_RELAY__TLS?",
            id="whole-section",
        ),
        pytest.param(
            "BRIDGE_DOMAIN__NAME",
            SECRET,
            "BRIDGE_DOMAIN__NAME = (not shown): no such setting; did you mean BRIDGE_DOMAIN?",
            id="key-below-a-value",
        ),
        pytest.param(
            "BRIDGE_GATEWAYS__MAIN__SEKRET",
            SECRET,
            "gateways.main.sekret = (not shown): no such setting; did you mean gateways.main.secret?",
            id="gateway-key",
        ),
        pytest.param(
            "BRIDGE_RELAY__BOUNCES_FROM",
            "10.0.0.5",
            'relay.bounces_from = "10.0.0.5": write a list such as ["10.0.0.5"]',
            id="list",
        ),
        pytest.param(
            "BRIDGE_HTTP__TRUSTED_PROXIES",
            "127.0.0.1",
            'http.trusted_proxies = "127.0.0.1": write a list such as ["127.0.0.1"]',
            id="another-list",
        ),
        pytest.param(
            "BRIDGE_ROUTES",
            "main",
            'routes = "main": write [[routes]], with two brackets, once for each route',
            id="list-of-sections",
        ),
    ],
)
def test_every_bad_variable_gets_its_sentence(variable: str, value: str, complaint: str) -> None:
    assert complaints(None, GOOD | {variable: value}) == [complaint]


def test_environment_wins_over_file_and_file_over_default(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text('domain = "sms.clinic.example"\n[smtp]\nport = 2525\nmax_recipients = 200\n')
    settings = load(config, GOOD | {"BRIDGE_SMTP__PORT": "1587", "BRIDGE_CONFIG": "x", "BRIDGEHEAD": "not ours"})
    assert (settings.domain, settings.smtp.port, settings.smtp.max_recipients) == ("sms.clinic.example", 1587, 200)
    assert settings.smtp.command_timeout == 300.0


def test_relative_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    config = tmp_path / "bridge.toml"
    config.write_text('data_dir = "data"\n[relay]\nca_file = "ca.pem"\n')
    environ = {key: value for key, value in GOOD.items() if key != "BRIDGE_DATA_DIR"}
    settings = load(config, environ)
    assert (settings.data_dir, settings.relay.ca_file) == (tmp_path / "data", tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("key", "read"),
    [
        pytest.param("RELAY__PASSWORD", lambda settings: settings.relay.password, id="relay"),
        pytest.param("GATEWAYS__MAIN__SECRET", lambda settings: settings.gateways["main"].secret, id="gateway"),
        pytest.param("FILING__A@B__PASSWORD", lambda settings: settings.filing["a@b"].password, id="filing"),
        pytest.param("DATABASE__URL", lambda settings: settings.database.url, id="database"),
    ],
)
def test_secrets_come_from_files(key: str, read: Any, tmp_path: Path) -> None:
    secret = f"sqlite+aiosqlite:///{SECRET}"
    (tmp_path / "secret").write_text(secret + "\n")
    (tmp_path / "secret").chmod(0o640)
    environ = GOOD | {"BRIDGE_RELAY__USERNAME": "bridge", "BRIDGE_RELAY__PASSWORD": SECRET}
    if "FILING" in key:
        environ |= {"BRIDGE_FILING__A@B__HOST": "localhost", "BRIDGE_FILING__A@B__USERNAME": "bridge"}
    environ = {name: value for name, value in environ.items() if name != f"BRIDGE_{key}"}
    settings = load(None, environ | {f"BRIDGE_{key}_FILE": str(tmp_path / "secret")})
    assert read(settings).get_secret_value() == secret
    assert secret in settings.secrets()


def test_an_empty_secret_file_is_a_complaint(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(0o600)
    environ = {name: value for name, value in GOOD.items() if not name.endswith("SECRET")}
    found = complaints(None, environ | {"BRIDGE_GATEWAYS__MAIN__SECRET_FILE": str(tmp_path / "secret")})
    assert found[0] == (
        f'gateways.main.secret_file = "{tmp_path / "secret"}": the file is empty; write the secret into it'
    )


def test_secrets_are_never_shown() -> None:
    settings = load(None, GOOD | {"BRIDGE_RELAY__USERNAME": "bridge", "BRIDGE_RELAY__PASSWORD": SECRET})
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert settings.secrets() == (SECRET, SECRET)


@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["not-utf-8", "absent"])
def test_an_unreadable_file_is_a_complaint(content: bytes | None, tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    if content is not None:
        config.write_bytes(content)
    (complaint,) = complaints(config, {})
    assert complaint.startswith(f'--config = "{config}": ')


def test_settings_do_not_change_after_loading() -> None:
    settings = load(None, GOOD)
    with pytest.raises(ValueError, match="frozen"):
        settings.smtp.port = 25


def test_the_demo_listens_on_loopback_only(tmp_path: Path) -> None:
    demo = demo_settings(tmp_path, 2525, 8025, 2500, SECRET)
    assert {demo.smtp.host, demo.http.host, demo.relay.host} == {"127.0.0.1"}
    assert (demo.smtp.port, demo.http.port, demo.relay.port, demo.relay.tls) == (2525, 8025, 2500, TlsMode.NONE)
    assert demo.smtp.plaintext_login
    assert demo.gateways["simulator"].url == "http://127.0.0.1:8025/simulator/provider"
    assert (demo.sending.gateway, demo.replies.fallback) == ("simulator", "clinic@example.test")


# -------------------------------------------------------------------------- config/bridge.toml and docs/settings.md


def defaults(section: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """Every key with its default as TOML would give it; None for a key without one."""
    found: dict[str, Any] = {}
    for name, info in section.model_fields.items():
        if name == "gateways":
            found |= defaults(GatewaySettings, "gateways.main.")
        elif name == "routes":
            found |= defaults(RouteSettings, f"{ROUTE}.")
        elif name == "filing":
            found |= defaults(FilingSettings, f"{FILING}.")
        elif name == "issuers":
            found |= defaults(IssuerSettings, f"{ISSUER}.")
        elif name == "oauth" and not prefix:
            found |= defaults(OAuthSettings, f"{APPLICATION}.")
        elif name == "watch":
            found |= defaults(WatchSettings, f"{WATCH}.")
        elif isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            found |= defaults(info.annotation, f"{name}.")
        else:
            value = None if info.is_required() else info.default
            value = list(value) if isinstance(value, tuple) else value
            found[prefix + name] = str(value) if isinstance(value, Path) else value
    return found


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key == "routes":
            found |= flat(value[0], f"{ROUTE}.")
            continue
        is_section = isinstance(value, dict) and key != "options"
        found |= flat(value, f"{prefix}{key}.") if is_section else {prefix + key: value}
    return found


def test_bridge_toml_holds_every_key_with_its_default() -> None:
    text = (CHECKOUT / "config" / "bridge.toml").read_text()
    written = flat(tomllib.loads(text))
    optional = r"^#(\[(filing|issuers|oauth|watch|\[routes)|[a-z_]+ = )"
    all_keys = flat(tomllib.loads(re.sub(optional, r"\1", text, flags=re.MULTILINE)))
    expected = {key: value for key, value in defaults(Settings).items() if value is not None}
    tables = (FILING, ISSUER, APPLICATION, WATCH, ROUTE)
    assert written == {key: value for key, value in expected.items() if not key.startswith(tables)}
    assert {key: all_keys[key] for key in expected} == expected
    assert all_keys.keys() == defaults(Settings).keys()


def test_every_key_in_bridge_toml_stands_below_its_reason() -> None:
    lines = (CHECKOUT / "config" / "bridge.toml").read_text().splitlines()
    key = re.compile(r"#?[a-z_]+ = ")
    for above, line in pairwise(lines):
        if key.match(line):
            assert above.startswith("# ") or key.match(above), line


def test_the_settings_page_holds_every_key_with_its_default() -> None:
    page = (CHECKOUT / "docs" / "settings.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z0_.@\"]+)` \| (.*?) \|", page, flags=re.MULTILINE))
    shown = {key.replace('"', ""): value.strip("`") for key, value in rows.items()}
    assert shown == {key: toml(value) for key, value in defaults(Settings).items()}


def toml(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def test_the_clinic_example_complains_only_about_files_that_are_not_there() -> None:
    found = complaints(CHECKOUT / "config" / "examples" / "clinic.toml", {"BRIDGE_DATA_DIR": "/tmp"})
    missing = [line for line in found if "no such file or directory" in line]
    assert [line.split(" = ")[0] for line in missing] == [
        "relay.password_file",
        "gateways.main.secret_file",
        "smtp.certificate",
        "smtp.private_key",
    ]
    assert found == missing
