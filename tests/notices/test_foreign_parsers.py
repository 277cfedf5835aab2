"""What programs of others read in the reports: Perl's BounceParser, Mailman's flufl.bounce, Python's email."""

from __future__ import annotations

import email
import json
import subprocess
from email import policy
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

import pytest
from flufl.bounce import all_failures

from tests.notices import grammar
from tests.notices.reports import BEYOND_ASCII, MESSAGE_ID, SAMPLES

SCRIPT = Path(__file__).with_name("read_reports.pl")
every_kind = pytest.mark.parametrize("name", SAMPLES)


@pytest.fixture(scope="module")
def read_by_perl(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All samples, read by one process."""
    folder = tmp_path_factory.mktemp("reports")
    samples = {**SAMPLES, "beyond ASCII": BEYOND_ASCII}
    files = []
    for number, sample in enumerate(samples.values()):
        files.append(folder / f"{number:03}.eml")
        # It wants the line ends of files.
        files[-1].write_bytes(sample.mail.raw.replace(b"\r\n", b"\n"))
    done = subprocess.run(["perl", SCRIPT, *files], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return dict(zip(samples, map(json.loads, done.stdout.splitlines()), strict=True))


@every_kind
def test_the_bounce_parser_of_perl(read_by_perl: dict[str, Any], name: str) -> None:
    sample, read = SAMPLES[name], read_by_perl[name]
    assert read["failed"] == [[*each] for each in zip(sample.failed, sample.statuses, strict=True)]
    if not (sample.failed and sample.delayed):  # where some are delayed, it takes none of it for a bounce
        assert bool(read["bounce"]) is bool(sample.failed)
    assert read["about"] == (MESSAGE_ID if sample.report.headers else None)


def test_an_address_beyond_ascii_is_one_that_failed_too(read_by_perl: dict[str, Any]) -> None:
    assert read_by_perl["beyond ASCII"]["failed"] == [[r"\x{2B}39\x{E8}@sms.example.test", "5.3.0"]]


@every_kind
def test_the_bounce_detectors_of_mailman(name: str) -> None:
    sample = SAMPLES[name]
    delayed, failed = all_failures(email.message_from_bytes(sample.mail.raw))
    assert failed == {address.encode() for address in sample.failed}
    assert delayed == {address.encode() for address in sample.delayed}


@every_kind
def test_the_email_package_finds_no_defect(name: str) -> None:
    mail = email.message_from_bytes(SAMPLES[name].mail.raw, policy=policy.default.clone(raise_on_defect=True))
    assert len(mail.items()) > 10  # each is read
    status = _status(mail)
    assert len(status) == 1 + len(SAMPLES[name].report.lines)
    assert [str(block["Action"]) for block in status[1:]].count("failed") == len(SAMPLES[name].failed)


@every_kind
def test_the_grammar_of_the_standards(name: str) -> None:
    raw = SAMPLES[name].mail.raw
    grammar.check_lines(raw)
    grammar.header_fields(raw)
    grammar.delivery_status(raw)


def _status(mail: EmailMessage) -> list[Message]:
    part = list(mail.iter_parts())[1]
    assert part.get_content_type() == "message/delivery-status"
    blocks = part.get_payload()
    assert isinstance(blocks, list)
    return [block for block in blocks if isinstance(block, Message)]
