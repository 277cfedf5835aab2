"""Other people's signers and verifiers, and what they think of the same mails: OpenDKIM, dkimpy, and our own signer."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import time
from collections.abc import Iterator
from pathlib import Path

import dkim
import pytest
from dkim.canonicalization import Relaxed, Simple
from hypothesis import given
from hypothesis import strategies as st

from bridge import canonical
from bridge.access.arc import check_chain, read_chain
from bridge.access.body import Body
from bridge.access.dkim_check import read_signature, verify
from bridge.access.dkim_keys import Algorithm, Unusable, read_key
from bridge.access.fields import Malformed, take_apart
from bridge.clock import now
from bridge.mailback.dkim import Signer
from tests.access.letters import (
    ANNA,
    EVE,
    STRANGER_IP,
    Letter,
    by_list,
    by_stranger,
    ed25519_record,
    mail,
    opened,
    rsa_pem,
    sealed,
    signed,
    zone,
)
from tests.servers.dns import NameServer
from tests.servers.opendkim import OpenDkim

MUTATIONS = 400


@pytest.fixture(scope="module", params=["relaxed/relaxed", "simple/simple"])
def opendkim(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenDkim]:
    folder = tmp_path_factory.mktemp("opendkim")
    server = OpenDkim.start(folder, "clinic.example", "s1", rsa_pem(), request.param)
    yield server
    server.stop()


@pytest.mark.parametrize(
    "body", ["Plain.\r\n", "", "Blanks \t at ends \r\n\r\n\r\n", ".dots\r\n..\r\n", "Grüße\r\n"], ids=repr
)
async def test_what_opendkim_signs_is_right_until_it_is_changed(
    body: str, opendkim: OpenDkim, names: NameServer
) -> None:
    out = await opendkim.sign(mail(f"Anna Rossi <{ANNA}>", body=body, subject="Visit\r\n  on Monday"))
    assert out.startswith(b"DKIM-Signature:")
    assert (await opened(by_stranger(out), names)).author == ANNA
    assert (await opened(by_stranger(out + b"More.\r\n"), names)).author == ""
    assert (await opened(by_stranger(out.replace(b"Rossi", b"Rosso")), names)).author == ""


async def test_what_the_bridge_itself_signs_is_right(names: NameServer, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(rsa_pem())
    signer = Signer("clinic.example", "s2", key)
    raw = signer.sign(mail(body="Grüße \r\n\r\n"))
    verdict = await opened(Letter(raw, "", zone={signer.record_name: {"TXT": [signer.record]}}), names)
    assert [check.result.value for check in verdict.dkim] == ["pass"]


async def test_a_large_mail_costs_little_more_to_judge_than_to_hash(names: NameServer, tmp_path: Path) -> None:
    """Base64, as attachments are, is in form already; its line ends were looked at by the door."""
    key = tmp_path / "key.pem"
    key.write_bytes(rsa_pem())
    signer = Signer("clinic.example", "s2", key)
    picture = base64.encodebytes(random.Random(1).randbytes(4_000_000)).replace(b"\n", b"\r\n")
    raw = signer.sign(mail() + 2 * (b"--part\r\nContent-Type: image/png\r\n\r\n" + picture))
    letter = Letter(raw, EVE, STRANGER_IP, zone={signer.record_name: {"TXT": [signer.record]}})
    hashing, judging = list[float](), list[float]()
    for _ in range(3):
        began = time.process_time()
        hashlib.sha256(raw).digest()
        hashed = time.process_time()
        assert (await opened(letter, names)).author == ANNA
        hashing.append(hashed - began)
        judging.append(time.process_time() - hashed)
    assert min(judging) < 3 * min(hashing)


def dns_of(name: bytes, timeout: int = 5) -> bytes | None:
    """The same zone for dkimpy."""
    assert timeout
    records = zone().get(name.decode().rstrip("."), {}).get("TXT", [])
    return str(records[0]).encode() if records else None


def is_right(raw: bytes) -> bool:
    """Our opinion on the topmost signature, which is an Ed25519 one of the clinic."""
    try:
        taken = take_apart(raw)
        signature = read_signature(taken.named(b"dkim-signature")[0])
        key = read_key(ed25519_record(), Algorithm.ED25519)
        asyncio.run(verify(taken, Body(taken.body), signature, key))
    except (Malformed, Unusable, IndexError):
        return False
    return True


LINES = st.lists(st.text("a \t.é=", max_size=10).map("{}\r\n".format), max_size=6).map("".join)
VALUES = st.lists(st.text("aB \t;=é", min_size=1, max_size=10).filter(str.strip), min_size=1, max_size=3)
FORMS = st.sampled_from(["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"])


@given(
    st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n", b"\r", b"\n"]), max_size=12), st.sampled_from([1, 3, 65_536])
)
def test_a_body_has_the_form_that_dkimpy_makes(pieces: list[bytes], piece: int) -> None:
    """However much of it is looked at together. Where lone CR or LF are among its last empty lines, it has this form or
    one that no signer makes."""
    body = b"".join(pieces)
    ended = body if body.endswith(b"\r\n") or not body else body + b"\r\n"
    for relaxed, form in ((False, Simple), (True, Relaxed)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(canonical, "PIECE", piece)
            found = canonical.body_hash(body, relaxed=relaxed)
        made = form.canonicalize_body(ended)
        if found != (hashlib.sha256(made).digest(), len(made)):
            stays = body + b"\r\n"
            assert found == (hashlib.sha256(stays).digest(), len(stays))
            assert form.canonicalize_body(stays) != stays
            assert body.count(b"\r\n") != body.count(b"\r") or body.count(b"\r") != body.count(b"\n")


@given(VALUES, LINES, FORMS)
def test_what_dkimpy_signs_is_right(subject: list[str], body: str, form: str) -> None:
    raw = mail(subject="\r\n ".join(subject), body=body)
    assert is_right(signed(raw, selector="ed", algorithm="ed25519-sha256", form=form, names="from:subject:date"))


@given(FORMS, st.integers(0, 10**6), st.sampled_from([b"", b" ", b"\t", b"x", b"\r\n", b"\r\n ", b";", b"="]))
def test_what_was_changed_is_right_only_where_dkimpy_agrees(form: str, place: int, piece: bytes) -> None:
    raw = signed(mail(), selector="ed", algorithm="ed25519-sha256", form=form, names="from:subject:date:x-none")
    place %= len(raw)
    changed = raw[:place] + piece + raw[place + (not piece) :]
    if is_right(changed):
        assert dkim.verify(changed, dnsfunc=dns_of)


async def test_dkimpy_agrees_on_chains(names: NameServer) -> None:
    """Each octet that is changed in a sealed mail breaks the chain for both, or for neither."""
    names.zone = dict(zone())
    resolver = names.resolver()
    raw = sealed(sealed(mail(), "relay.example"), says="arc=pass")
    chance = random.Random(8617)
    agreed = {True: 0, False: 0}
    for attempt in range(60):
        place = chance.randrange(len(raw))
        changed = raw if attempt % 6 == 0 else raw[:place] + b"X" + raw[place + 1 :]
        ours = True
        try:
            taken = take_apart(changed)
            chain = read_chain(taken)
            assert chain is not None
            await check_chain(taken, Body(taken.body), chain, resolver, now())
        except (Malformed, Unusable, AssertionError):
            ours = False
        theirs = dkim.arc_verify(changed, dnsfunc=dns_of)[0] == b"pass"
        assert theirs or not ours, changed
        agreed[ours] += 1
    assert min(agreed.values()) > 5


async def test_whatever_arrives_there_is_a_verdict(names: NameServer) -> None:
    chance = random.Random(7208)
    mails = [
        signed(mail(f"Anna <{ANNA}>")),
        sealed(signed(mail())),
        signed(mail(), selector="ed", algorithm="ed25519-sha256"),
    ]
    pieces = [
        b"",
        b"\0",
        b"\xff",
        b"\r\n",
        b"\n",
        b";",
        b"=",
        b":",
        b"<",
        b'"',
        b"(",
        b"@",
        b"From: ",
        b"d=",
        b"%{i}",
        b"i=99",
    ]
    seen = set()
    for _ in range(MUTATIONS):
        raw = chance.choice(mails)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(raw))
            raw = raw[:place] + chance.choice(pieces) + raw[place + chance.randint(0, 4) :]
        sender = "".join(chance.choices('ab@.<"é%[] ', k=chance.randint(0, 12)))
        letter = by_list(raw)
        verdict = await opened(Letter(raw, sender, letter.ip, sender), names)
        assert (verdict.doubt is None) == bool(verdict.author) == (not verdict.reply)
        seen.add(verdict.doubt)
    assert len(seen) >= 4
