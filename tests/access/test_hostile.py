"""Mails and zones that are made to cost time: whatever they are, the verdict comes, and below a second of work."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime

import pytest

from bridge.access import dmarc, spf_record
from bridge.access.auth_results import read_results
from bridge.access.author import author
from bridge.access.dkim_check import read_signature
from bridge.access.dkim_keys import Algorithm, read_key
from bridge.access.domains import ascii_domain
from bridge.access.fields import Field, take_apart
from bridge.access.replay import sent_again
from bridge.access.tags import tags, without_signature
from bridge.access.verdict import DkimCheck, DmarcCheck, Result, Verdict
from bridge.canonical import relaxed_field
from bridge.clock import now
from bridge.errors import BridgeError
from tests.access.letters import (
    ANNA,
    STRANGER_IP,
    Letter,
    by_list,
    by_stranger,
    mail,
    opened,
    sealed,
    signature,
    signed,
    signed_by_hand,
)
from tests.servers.dns import NameServer, Records

MOST = 1.0
"""Seconds of processor time for a mail, the name server's share included: it runs in this process."""

TWENTY_MEGABYTES = 20 * 1024 * 1024


def evil(**zone: Records) -> dict[str, Records]:
    """The zone of `evil.example`: its own records are `apex`, those of other names by their first label."""
    return {
        ("" if label == "apex" else f"{label.replace('__', '.')}.") + "evil.example": records
        for label, records in zone.items()
    }


def asks(zone: dict[str, Records]) -> Letter:
    """A mail whose sender's zone is this."""
    return Letter(signed(mail(), "evil.example"), "e@evil.example", STRANGER_IP, "evil.example", zone=zone)


def text(*records: str) -> Records:
    return {"TXT": list(records)}


RECORDS: dict[str, tuple[Callable[[], dict[str, Records]], Result]] = {
    "a record that includes itself": (lambda: evil(apex=text("v=spf1 include:evil.example -all")), Result.PERMERROR),
    "two that include each other": (
        lambda: evil(apex=text("v=spf1 include:b.evil.example -all"), b=text("v=spf1 include:evil.example -all")),
        Result.PERMERROR,
    ),
    "one that leads to itself": (lambda: evil(apex=text("v=spf1 redirect=evil.example")), Result.PERMERROR),
    "one that includes four hundred": (
        lambda: evil(apex=text("v=spf1 " + " ".join(f"include:i{n}.evil.example" for n in range(400)))),
        Result.PERMERROR,
    ),
    "a tree of includes": (
        lambda: evil(
            apex=text("v=spf1 include:a.evil.example include:b.evil.example include:c.evil.example -all"),
            **{
                label: text(f"v=spf1 include:{label}.evil.example include:{label}.evil.example ?all")
                for label in ("a", "b", "c")
            },
        ),
        Result.PERMERROR,
    ),
    "includes of 60 KB each": (
        lambda: evil(
            apex=text("v=spf1 " + " ".join(f"include:i{n}.evil.example" for n in range(9)) + " -all"),
            **{f"i{n}": text("v=spf1 " + "ip4:203.0.113.1 " * 3_700) for n in range(9)},
        ),
        Result.PERMERROR,
    ),
    "nine includes as long as they may be": (
        lambda: evil(
            apex=text("v=spf1 " + " ".join(f"include:i{n}.evil.example" for n in range(9)) + " -all"),
            **{f"i{n}": text("v=spf1 " + "ip4:203.0.113.1 " * 1_000) for n in range(9)},
        ),
        Result.FAIL,
    ),
    "a thousand records": (
        lambda: evil(apex=text(*(f"v=spf1 ip4:10.0.{n // 250}.{n % 250} -all" for n in range(1000)))),
        Result.PERMERROR,
    ),
    "a text of 64 KB that is no record": (lambda: evil(apex=text("x" * 64_000)), Result.NONE),
    "macros without end": (
        lambda: evil(apex=text("v=spf1 exists:" + "%{s}" * 3_000 + ".evil.example -all")),
        Result.FAIL,
    ),
    "macros cut into pieces": (
        lambda: evil(apex=text("v=spf1 exists:" + "%{h128r.-+,/_=}" * 1_000 + ".evil.example -all")),
        Result.FAIL,
    ),
    "eleven mail servers": (
        lambda: evil(apex={**text("v=spf1 mx -all"), "MX": [f"10 m{n}.evil.example" for n in range(11)]}),
        Result.PERMERROR,
    ),
    "ten times ten mail servers": (
        lambda: evil(
            apex=text("v=spf1 " + " ".join(f"mx:x{n}.evil.example" for n in range(10)) + " -all"),
            **{f"x{n}": {"MX": [f"10 m{n}{k}.evil.example" for k in range(10)]} for n in range(10)},
        ),
        Result.FAIL,
    ),
    "a host with two thousand addresses": (
        lambda: evil(apex={**text("v=spf1 a -all"), "A": [f"10.1.{n // 250}.{n % 250}" for n in range(2000)]}),
        Result.FAIL,
    ),
    "questions in vain": (
        lambda: evil(apex=text("v=spf1 a:n1.evil.example a:n2.evil.example a:n3.evil.example -all")),
        Result.PERMERROR,
    ),
    "names that lead in a circle": (
        lambda: evil(
            apex=text("v=spf1 a:a.evil.example -all"), a={"CNAME": ["b.evil.example"]}, b={"CNAME": ["a.evil.example"]}
        ),
        Result.TEMPERROR,
    ),
}


@pytest.mark.parametrize(("zone", "result"), RECORDS.values(), ids=RECORDS)
async def test_a_hostile_spf_record_comes_to_an_end(
    zone: Callable[[], dict[str, Records]], result: Result, names: NameServer
) -> None:
    letter = asks(zone())
    began = time.process_time()
    verdict = await opened(letter, names)
    assert time.process_time() - began < MOST
    assert verdict.spf is not None
    assert verdict.spf.result is result
    assert verdict.author == ""
    assert len(names.asked) < 150


def deep() -> str:
    return ".".join("abcdefghijklmnopqrstuvwxyz" * 4) + ".example"


def bulky(body: str) -> Letter:
    """A body that has to be brought into both forms, because signatures of either claim it."""
    simple, relaxed = (signature(signed(mail(), form=form)) for form in ("simple/simple", "relaxed/relaxed"))
    return by_stranger(simple + relaxed + mail(body=body))


def with_signature(value: bytes) -> Letter:
    return by_stranger(b"DKIM-Signature: " + value + b"\r\n" + mail())


def with_fields(*fields: str) -> Letter:
    """These fields, all of them signed."""
    covered = ":".join(["from", "subject", "date", *sorted({field.partition(":")[0] for field in fields})][:200])
    return by_stranger(signed(mail(ANNA, *fields), names=covered))


MAILS: dict[str, Callable[[], Letter]] = {
    "twenty megabytes of empty lines": lambda: by_stranger(
        signature(signed(mail())) + mail(body="\r\n" * (TWENTY_MEGABYTES // 2))
    ),
    "twenty megabytes of blanks": lambda: by_stranger(
        signature(signed(mail())) + mail(body=" " * TWENTY_MEGABYTES + "\r\n")
    ),
    "twenty megabytes of tabs between letters": lambda: bulky("a \t" * (TWENTY_MEGABYTES // 3) + "\r\n"),
    "twenty megabytes in two forms": lambda: by_stranger(
        signature(signed(mail(), form="simple/simple"))
        + signature(signed(mail()))
        + mail(body="a\t \r\n" * (TWENTY_MEGABYTES // 5))
    ),
    "four hundred signatures": lambda: by_stranger(400 * signature(signed(mail())) + mail()),
    "a signature over a hundred thousand names": lambda: by_stranger(
        signed_by_hand(mail(), "v=1; a=rsa-sha256; d=clinic.example; s=s1", names="from:" + "x:" * 100_000 + "date")
    ),
    "a signature with twenty thousand tags": lambda: with_signature(
        b"; ".join(b"t%d=1" % number for number in range(20_000))
    ),
    "a signature of blanks": lambda: with_signature(b"v=1;" + b" " * 250_000 + b"b="),
    "a signature that begins again and again": lambda: with_signature(b"; b" * 80_000),
    "a header of 250 KB, signed": lambda: by_stranger(
        signed(mail(ANNA, *(f"X-{n}: " + "y \t" * 100 for n in range(700))))
    ),
    "a header field with sixty thousand folds": lambda: by_stranger(
        signed(mail(ANNA, "X-Fold: y" + "\r\n y" * 60_000))
    ),
    "a thousand comments in From": lambda: by_stranger(mail("(" * 900 + ")" * 900 + ANNA)),
    "a From of quotes": lambda: by_stranger(mail('"' * 1_900)),
    "a From of back-slashes": lambda: by_stranger(mail("\\" * 1_900)),
    "a From of atoms": lambda: by_stranger(mail("a." * 900 + "@")),
    "a From of ten thousand letters": lambda: by_stranger(mail("ä" * 5_000 + "@clinic.example")),
    "an author with a hundred labels": lambda: by_stranger(mail(f"a@{deep()}")),
    "forty-nine seals of a trusted forwarder": lambda: by_list(resealed(49)),
}


def resealed(times: int) -> bytes:
    """Passed on so many times by the same forwarder."""
    raw = sealed(mail(), says="dmarc=fail header.from=clinic.example")
    for _ in range(times - 1):
        raw = sealed(raw, says="arc=pass; dmarc=fail header.from=clinic.example")
    return raw


@pytest.mark.parametrize("letter", MAILS.values(), ids=MAILS)
async def test_a_hostile_mail_takes_less_than_a_second(letter: Callable[[], Letter], names: NameServer) -> None:
    arrived = letter()
    began = time.process_time()
    verdict = await opened(arrived, names)
    assert time.process_time() - began < MOST
    assert verdict.reply == "" or verdict.reply[:3] in {"550", "451"}
    assert len(names.asked) < 100


SIGNED = frozenset({"message-id", "date", "to"})
BY_SIGNATURE = Verdict(
    ANNA,
    dkim=(DkimCheck(Result.PASS, "clinic.example", covers=SIGNED),),
    dmarc=DmarcCheck(Result.PASS, "clinic.example", signers=frozenset({"clinic.example"})),
)


def names_recipients(text: str) -> str:
    """Whom a signed mail is for, by its To."""
    mail = take_apart(f"Message-ID: <1@x>\r\nDate: {format_datetime(now())}\r\nTo: {text}\r\n\r\n".encode())
    return sent_again(mail, BY_SIGNATURE, ["x@y.example"], now(), timedelta(days=1))


PIECES = [*' \t;=:%,./<>("\\', '\\"', "\r\n ", "; b", "a=b; ", "%{", "%{s}", "%{d1,", "a.", "1.", "a:", "ä"]
READERS: dict[str, Callable[[str], object]] = {
    "mail": lambda text: take_apart(f"A: {text}\r\n\r\n".encode()),
    "From": lambda text: author(take_apart(f"From: {text}\r\n\r\n".encode())),
    "recipients": names_recipients,
    "tags": tags,
    "signature": lambda text: read_signature(Field(b"x", b"", f"v=1; a=rsa-sha256; s=s1; d={text}".encode())),
    "names": lambda text: read_signature(Field(b"x", b"", f"d=a.b; s=c; a=rsa-sha256; bh=; b=; h={text}".encode())),
    "key": lambda text: read_key(f"p={text}", Algorithm.RSA),
    "policy": lambda text: dmarc.read_record(f"v=DMARC1; {text}"),
    "SPF": lambda text: spf_record.read_record(f"v=spf1 {text}"[: spf_record.MAX_RECORD]),
    "SPF domain": lambda text: spf_record.read_record(f"v=spf1 a:{text}"[: spf_record.MAX_RECORD]),
    "results": lambda text: read_results(f"mx.example; spf=pass{text}"),
    "field": lambda text: relaxed_field(f"A: {text}".encode()),
    "signature's own field": lambda text: without_signature(f"DKIM-Signature: {text}".encode()),
    "domain": ascii_domain,
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_no_reader_takes_long_over_what_repeats(reader: Callable[[str], object]) -> None:
    for piece in PIECES:
        began = time.process_time()
        with contextlib.suppress(ValueError, BridgeError):
            reader(piece * (200_000 // len(piece)))
        assert time.process_time() - began < MOST, piece
