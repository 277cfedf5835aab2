"""What the page on monitoring gives to copy works as it stands there: msmtp's file, and the script of the alarms."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.smtp.conftest import LOGIN, PASSWORD, House
from tests.smtp.programs import TO, run

PAGE = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text(encoding="utf-8")
MACROS = {
    "CONTACTPAGER": TO,
    "NOTIFICATIONTYPE": "PROBLEM",
    "HOSTNAME": "nas",
    "SERVICEDESC": "Disk",
    "SERVICESTATE": "CRITICAL",
    "SERVICEOUTPUT": "DISK CRITICAL - free: 3% è " + "poco " * 30,
}


def block(beginning: str) -> str:
    """The block of the page in which this stands first, or below the line that names the shell."""
    found = re.search(rf"^```\w*\n((?:#!/bin/sh\n)?{re.escape(beginning)}.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, beginning
    return found[1]


@pytest.fixture
def alarms(house: House, authority_file: Path, tmp_path: Path) -> Path:
    """A folder with the files of the page, for a bridge on this machine: the script in it."""
    replaced = {
        "host bridge.clinic.example": "host localhost",
        "port 587": f"port {house.port}",
        "/etc/ssl/certs/ca-certificates.crt": str(authority_file),
        "alarm@clinic.example": LOGIN,
        "/etc/alarm": str(tmp_path),
        "on.call@sms.clinic.example": TO,
    }
    script = tmp_path / "sms"
    for name, beginning in (
        (".msmtprc", "# /etc/msmtprc"),
        ("aliases", "# /etc/alarm/aliases"),
        ("sms", "# /etc/alarm/sms"),
    ):
        text = block(beginning)
        for written, here in replaced.items():
            text = text.replace(written, here)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / ".msmtprc").chmod(0o600)
    script.chmod(0o700)
    return script


def icinga(script: Path) -> tuple[str, dict[str, str]]:
    """The command of the page, and its variables with the macros replaced."""
    names = re.findall(r'^    (\w+) = "\$', block("object NotificationCommand"), re.MULTILINE)
    values = {
        "PAGER": TO,
        "TYPE": "PROBLEM",
        "OBJECT": "nas Disk",
        "STATE": "CRITICAL",
        "OUTPUT": MACROS["SERVICEOUTPUT"],
    }
    assert set(names) == set(values)
    return str(script), values


def nagios(script: Path) -> tuple[str, dict[str, str]]:
    """The line of the page with the macros replaced."""
    (line,) = re.findall(r"^    command_line +(.*)$", block("define command"), re.MULTILINE)
    return re.sub(r"\$(\w+)\$", lambda macro: MACROS[macro[1]], line).replace("/etc/alarm/sms", str(script)), {}


@pytest.mark.parametrize("system", [icinga, nagios])
async def test_an_alarm_is_one_sms_of_what_the_system_says(house: House, alarms: Path, system: object) -> None:
    """Its output cut to a hundred octets, and not within a letter; from the mailbox, with an id of its own."""
    assert callable(system)
    command, variables = system(alarms)
    await run("sh", "-c", command, HOME=str(alarms.parent), **variables)
    (mail,) = house.admission.admitted
    said = message_from_bytes(mail.raw, policy=policy.default)
    text = said.get_content().strip()
    assert text.startswith("PROBLEM: nas Disk CRITICAL. DISK CRITICAL - free: 3% è poco")
    assert len(text.encode()) <= len("PROBLEM: nas Disk CRITICAL. ") + 100
    assert mail.numbers == (TO.partition("@")[0],)
    assert (mail.envelope.mail_from, said["From"].addresses[0].addr_spec) == (LOGIN, LOGIN)
    assert said["Message-ID"]


async def test_what_the_machine_writes_to_root_is_texted(house: House, alarms: Path) -> None:
    """As cron and mdadm hand it in, with a sender and a recipient of their own."""
    mail = (
        b"From: mdadm monitoring <root>\nTo: root\nSubject: DegradedArray event on /dev/md0:nas\n\nFaithfully yours\n"
    )
    await run("msmtp", "-f", "root", "-t", stdin=mail, HOME=str(alarms.parent))
    (taken,) = house.admission.admitted
    assert (taken.envelope.mail_from, taken.numbers) == (LOGIN, (TO.partition("@")[0],))
