"""`bridge check`: each thing that is wrong is found and said in words, before a patient waits for a text."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import Connection

from bridge import clock
from bridge.settings import load
from bridge.store.mails import MailResult, Mails
from bridge.store.store import Store
from bridge.store.webhooks import insert_posting
from bridge.types import Posting
from tests.cli.commands import Done, run
from tests.clinic import CLINIC
from tests.gateways.provider import Play, run_provider
from tests.road.demo_process import DemoProcess
from tests.servers.ports import free_port
from tests.store.conftest import new_mail, open_outbox

Settings = dict[str, str]


def certificate(folder: Path, name: str, *, until: dt.datetime) -> None:
    """Write `name.pem` and `name.key`: a certificate for localhost, made a year before it ends."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - dt.timedelta(days=365))
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.key").write_bytes(plain)
    (folder / f"{name}.key").chmod(0o600)


@pytest.fixture
def check(demo: DemoProcess, tmp_path: Path) -> Callable[..., Done]:
    """`bridge check` on the demo's own configuration, with lines of it changed."""

    def command(**changed: str) -> Done:
        lines = (demo.data_dir / "bridge.toml").read_text()
        for key, value in changed.items():
            section, _, name = key.rpartition("__")
            head = "" if not section else f"[{section.replace('__', '.')}]"
            before, middle, after = lines.partition(f"{head}\n") if head else ("", "", lines)
            kept = [line for line in after.split("\n") if line]
            end = next((at for at, line in enumerate(kept) if line.startswith("[")), len(kept))
            body = [line for line in kept[:end] if not line.startswith(f"{name} = ")]
            lines = "\n".join([before + middle.strip(), f"{name} = {value}", *body, *kept[end:], ""])
        file = demo.data_dir / f"{tmp_path.name}.toml"
        file.write_text(lines)
        return run("check", "--config", file)

    return command


async def take_a_mail(config: Path) -> None:
    """A message that waits for a gateway called "simulator"."""
    async with Store(load(config, {})) as store:
        await store.mailboxes.add(CLINIC)
        await store.directory.refresh()
        await open_outbox(store).take(new_mail(store.directory.all()[0]))


def test_a_gateway_that_is_gone_is_named_with_what_waits_for_it(config: Path) -> None:
    asyncio.run(take_a_mail(config))
    done = run("check", "--config", config)
    (said,) = (line for line in done.err.splitlines() if "queue" in line)
    assert said.startswith(
        "wrong  queue: 1 messages wait for their turn at gateway simulator, and there is no [gateways.simulator] "
    )
    assert "sending.give_up_after" in said


async def leave_webhooks(config: Path) -> None:
    """An SMS that waits for a webhook since yesterday, and one that was given up."""
    async with Store(load(config, {})) as store:
        await store.mailboxes.add(CLINIC)
        await store.directory.refresh()
        (mailbox,) = store.directory.all()
        yesterday = clock.now() - dt.timedelta(days=1)

        def write(connection: Connection, ids: Sequence[str]) -> list[None]:
            for each in ids:
                posting = Posting(each, mailbox.id, "https://pharmacy.example/in?token=theirs", b"{}", yesterday)
                insert_posting(connection, posting, mailbox.organisation_id)
            return [None] * len(ids)

        await asyncio.gather(*(store.committer.do(write, each) for each in ("one", "two")))
        await Mails(store.engine, store.committer).settle(MailResult("two", "failed", clock.now(), "HTTP 404"))


def test_a_webhook_that_takes_nothing_is_told(config: Path) -> None:
    asyncio.run(leave_webhooks(config))
    done = run("check", "--config", config)
    assert [line for line in done.err.splitlines() if "webhook" in line] == [
        "wrong  webhooks: 1 SMS wait for the webhook of their keyword; the oldest for 1440 minutes: that is too long. "
        "The log says what its receiver answers.",
        "wrong  webhooks: 1 SMS were not taken by the webhook of their keyword; see the log.",
    ]


def test_all_is_well(demo: DemoProcess) -> None:
    done = run("check", environ={"BRIDGE_DATA_DIR": str(demo.data_dir)})
    assert (done.code, done.err) == (0, "")
    waits = ("ok     queue: ", "ok     mails: ")  # other tests may have left something that waits for its time
    lines = [line for line in done.out.splitlines(keepends=True) if not line.startswith(waits)]
    assert "".join(lines) == (
        "ok     configuration\n"
        "ok     certificate\n"
        "ok     database\n"
        "ok     mailboxes\n"
        "ok     disk\n"
        "ok     gateway simulator\n"
        "ok     relay 127.0.0.1\n"
        "advice relay.bounces_from: replies that cannot be delivered come back to nobody. Name the mail servers that "
        "hand in bounces for sms.example.test; docs/operation.md says how.\n"
        "Everything answers. `bridge serve` can run with this configuration.\n"
    )


def wrong(done: Done) -> str:
    """The one complaint; everything else is well."""
    assert done.code == 1
    assert done.err.startswith("wrong  ")
    assert done.err.count("\n") == 1, done.err
    assert all(line.startswith("ok     ") for line in done.out.splitlines())
    return done.err.removeprefix("wrong  ").removesuffix("\n")


def test_the_relay_is_down(check: Callable[..., Done]) -> None:
    port = free_port()
    assert wrong(check(relay__port=str(port))) == (
        f"relay 127.0.0.1: The mail server 127.0.0.1:{port} does not answer: "
        "check relay.host, relay.port and relay.tls."
    )


def test_who_hands_bounces_back_gets_no_advice(check: Callable[..., Done]) -> None:
    done = check(relay__bounces_from='["127.0.0.1/32"]')
    assert done.code == 0, done.err
    assert "advice" not in done.out


def test_the_gateway_is_down(check: Callable[..., Done]) -> None:
    complaint = wrong(check(gateways__simulator__url=f'"http://127.0.0.1:{free_port()}"'))
    assert complaint.startswith("gateway simulator: The simulated network cannot be reached")
    assert complaint.endswith("Check url, DNS and firewall.")


def test_the_gateway_does_not_know_the_secret(check: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "other.secret").write_text("not the secret of the demo")
    (tmp_path / "other.secret").chmod(0o600)
    assert wrong(check(gateways__simulator__secret_file=f'"{tmp_path}/other.secret"')) == (
        "gateway simulator: The simulated network does not know this login. Check account and secret of the gateway."
    )


def test_the_fallback_is_no_mailbox(check: Callable[..., Done]) -> None:
    assert wrong(check(replies__fallback='"nobody@example.test"')) == (
        "mailboxes: replies.fallback names nobody@example.test, which is no mailbox. See `bridge mailbox list`."
    )


def test_there_is_no_mailbox_yet(check: Callable[..., Done], tmp_path: Path) -> None:
    done = check(data_dir=f'"{tmp_path}/new"', smtp__port=str(free_port()), http__port=str(free_port()))
    assert wrong(done) == "mailboxes: there is none yet. Add one with `bridge mailbox add`."
    assert not (tmp_path / "new").exists()


def test_ports_that_another_program_has(check: Callable[..., Done], demo: DemoProcess, tmp_path: Path) -> None:
    done = check(data_dir=f'"{tmp_path}/new"')
    assert done.code == 1
    for key, port in (("smtp.port", demo.smtp_port), ("http.port", demo.http_port)):
        assert (
            f"wrong  {key}: 127.0.0.1 port {port} cannot be used (address already in use). "
            "Stop what listens there, or choose another port.\n"
        ) in done.err


def test_a_port_on_an_address_that_this_machine_does_not_have(check: Callable[..., Done], tmp_path: Path) -> None:
    ports = {"smtp__port": str(free_port()), "http__port": str(free_port())}
    done = check(data_dir=f'"{tmp_path}/new"', http__host='"192.0.2.1"', **ports)
    assert "wrong  http.port: 192.0.2.1 port " in done.err
    assert "cannot be used (cannot assign requested address" in done.err


def test_the_certificate_does_not_fit_the_key(check: Callable[..., Done], tmp_path: Path) -> None:
    certificate(tmp_path, "one", until=dt.datetime.now(dt.UTC) + dt.timedelta(days=30))
    certificate(tmp_path, "two", until=dt.datetime.now(dt.UTC) + dt.timedelta(days=30))
    complaint = wrong(check(smtp__certificate=f'"{tmp_path}/one.pem"', smtp__private_key=f'"{tmp_path}/two.key"'))
    assert complaint.startswith("certificate: smtp.certificate = ")
    assert complaint.endswith("give PEM files that fit")


def test_the_certificate_is_over(check: Callable[..., Done], tmp_path: Path) -> None:
    certificate(tmp_path, "old", until=dt.datetime(2020, 5, 1, tzinfo=dt.UTC))
    assert wrong(check(smtp__certificate=f'"{tmp_path}/old.pem"', smtp__private_key=f'"{tmp_path}/old.key"')) == (
        f"certificate: {tmp_path}/old.pem was valid until 2020-05-01 only. Renew it, or mail programs will not log in."
    )


def test_the_database_is_none(check: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "bridge.db").write_bytes(b"Dear diary, " * 1000)
    done = check(data_dir=f'"{tmp_path}/new"', smtp__port=str(free_port()), http__port=str(free_port()))
    assert wrong(done).startswith("database: ")


def test_every_mistake_in_the_file_is_told_at_once(check: Callable[..., Done]) -> None:
    done = check(smtp__port="70000", replies__window_days="0", relay__hots='"mail"')
    assert (done.code, done.out) == (1, "")
    lines = done.err.splitlines()
    assert all(line.startswith("wrong  ") for line in lines)
    assert {line.split()[1] for line in lines} == {"smtp.port", "replies.window_days", "relay.hots"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--config", "nowhere.toml"], "There is no file nowhere.toml. Begin with a copy of config/bridge.toml."),
        ([], "Name the configuration file with --config FILE, or start the demo with `bridge demo`."),
    ],
    ids=["not there", "not named"],
)
def test_there_is_nothing_to_check(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = run("check", *arguments, environ={"BRIDGE_DATA_DIR": str(tmp_path)})
    assert (done.code, done.sentence) == (2, sentence)


def test_everything_wrong_with_the_gateways_is_said_at_once(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text(
        """data_dir = "data"

[sending]
gateway = "main"

[gateways.main]
kind = "twillio"

[gateways.second]
kind = "telnyx"
options = { public_key = "not a key", colour = "blue" }

[gateways.third]
kind = "telnyx"
secret = "hunter2-hunter2"
options = { public_key = "not a key" }

[gateways.smsc]
kind = "smpp"
url = "http://smsc.example.com"
account = "clinic"
secret = "hunter2-hunter2"
"""
    )
    done = run("check", "--config", str(config))
    assert done.code == 1
    keys = [line.removeprefix("wrong  ").split(" = ")[0] for line in done.err.splitlines()]
    assert keys == [
        "gateways.main.kind",
        "gateways.second.options.colour",
        "gateways.second.secret",
        "gateways.third.options.public_key",
        "gateways.smsc.url",
    ]
    assert "hunter2" not in done.err


@pytest.mark.parametrize(
    ("balance", "limit", "code", "line"),
    [
        pytest.param("10.28", None, 0, "ok     gateway main: 10.28 EUR left", id="without a limit"),
        pytest.param("50.00", 50, 0, "ok     gateway main: 50.0 EUR left", id="at its limit"),
        pytest.param(
            "49.99",
            50,
            1,
            "wrong  gateway main: 49.99 EUR left: that is less than balance_below = 50. Top the account up.",
            id="less than that",
        ),
        pytest.param('"NaN"', 50, 0, "ok     gateway main", id="nobody knows"),
    ],
)
async def test_what_is_left_on_an_account_is_said(
    balance: str, limit: int | None, code: int, line: str, demo: DemoProcess, tmp_path: Path
) -> None:
    """The demo's own configuration, with one gateway more."""
    async with run_provider() as provider:
        provider.script.extend([Play(200, "{}"), Play(200, f'{{"value": {balance}}}')])
        lines = [
            "[gateways.main]",
            'kind = "vonage"',
            f'url = "{provider.url}"',
            'account = "key"',
            'secret = "secret"',
            f"balance_below = {limit}" if limit is not None else "",
        ]
        file = demo.data_dir / f"{tmp_path.name}.toml"
        file.write_text("\n".join([(demo.data_dir / "bridge.toml").read_text(), *lines, ""]))
        done = await asyncio.to_thread(run, "check", "--config", file)
    assert done.code == code
    assert line in (done.out + done.err).splitlines()


def test_a_limit_for_an_account_that_cannot_be_asked_for_is_a_mistake(check: Callable[..., Done]) -> None:
    done = check(gateways__simulator__balance_below="50")
    assert (done.code, done.err) == (
        1,
        "wrong  gateways.simulator.balance_below = 50: this provider cannot be asked what is left on its account; "
        "leave it out\n",
    )
