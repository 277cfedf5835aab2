"""What an operator is told about the MX door: whether other mail servers find it, and whether its port is free."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bridge.app import Bridge
from bridge.cli.check_mx import mx_findings
from bridge.errors import SettingsError
from bridge.settings import MxSettings, Settings, demo_settings
from tests.servers.dns import Fault, NameServer, Records
from tests.servers.ports import free_port

PART = "mx sms.example.test"
HOST: dict[str, Records] = {"bridge.example.test": {"AAAA": ["::1"]}}


def settings(names: NameServer, port: int = 25) -> Settings:
    mx = MxSettings(port=port, name_servers=(f"127.0.0.1:{names.port}",))
    return demo_settings(Path(), 2525, 8025, 2526, "a-shared-secret").model_copy(
        update={"mx": mx, "hostname": "bridge.example.test"}
    )


@pytest.mark.parametrize(
    ("zone", "finding"),
    [
        pytest.param(
            {"sms.example.test": {"MX": ["10 bridge.example.test."]}, **HOST},
            (f"{PART} at bridge.example.test", ""),
            id="published",
        ),
        pytest.param({"sms.example.test": {"A": ["127.0.0.1"]}}, (f"{PART} at sms.example.test", ""), id="an address"),
        pytest.param(
            {"sms.example.test": {"TXT": ["x"]}},
            (PART, "no mail server finds the bridge. Publish in DNS: sms.example.test. MX 10 bridge.example.test."),
            id="nothing",
        ),
        pytest.param(
            {"sms.example.test": {"MX": ["0 ."]}},
            (PART, "DNS says that it takes no mail. Publish in DNS: sms.example.test. MX 10 bridge.example.test."),
            id="a null MX",
        ),
        pytest.param(
            {"sms.example.test": {"MX": ["10 bridge.example.test."]}},
            (PART, "DNS has no address for bridge.example.test, its MX. Publish one."),
            id="a host without an address",
        ),
    ],
)
async def test_what_is_missing_in_dns(names: NameServer, zone: dict[str, Records], finding: tuple[str, str]) -> None:
    names.zone, names.faults = dict(zone), {}
    assert await mx_findings(settings(names)) == [finding]


async def test_dns_that_says_nothing(names: NameServer) -> None:
    names.zone, names.faults = {}, {"sms.example.test": Fault.SERVFAIL}
    ((part, complaint),) = await mx_findings(settings(names))
    assert part == PART
    assert complaint.startswith("The domain name system gives no answer")


async def test_a_door_that_is_off_is_not_asked_about(names: NameServer) -> None:
    assert await mx_findings(settings(names, 0)) == []


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        mx = MxSettings(host="127.0.0.1", port=port)
        taken = demo_settings(tmp_path, free_port(), free_port(), 2526, "a-shared-secret").model_copy(update={"mx": mx})
        with pytest.raises(SettingsError) as refused:
            await Bridge(taken).start()
    assert refused.value.sentence.startswith(f"mx.port = {port}: cannot be used (Address already in use)")
