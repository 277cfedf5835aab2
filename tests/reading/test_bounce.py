"""What a mail to a bounce address says: failed, delayed, or nothing that anybody must act on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.reading.bounce import Bounce, BounceKind, read_bounce

FAILED, DELAYED, OTHER = BounceKind.FAILED, BounceKind.DELAYED, BounceKind.OTHER


def report(
    *blocks: str, kind: str = "delivery-status", part: str = "message/delivery-status", extra: str = ""
) -> bytes:
    """A multipart/report as RFC 6522 has it; `blocks` are what its second part says of each recipient."""
    status = "\n\n".join(("Reporting-MTA: dns; mail.example.test", *blocks))
    return (
        "From: MAILER-DAEMON@mail.example.test\nSubject: Undelivered Mail Returned to Sender\n"
        f"Auto-Submitted: auto-replied\n{extra}"
        f'MIME-Version: 1.0\nContent-Type: multipart/report; report-type={kind};\n\tboundary="=_b/mail"\n\n'
        "This is a MIME-encapsulated message.\n\n"
        "--=_b/mail\nContent-Type: text/plain; charset=us-ascii\n\nAction: failed, says the text for people.\n\n"
        f"--=_b/mail\nContent-Type: {part}\n\n{status}\n\n"
        "--=_b/mail\nContent-Type: message/rfc822\n\nSubject: SI\nAction: failed\nStatus: 5.9.9\n\nSI\n\n"
        "--=_b/mail--\n"
    ).encode()


def recipient(action: str, status: str) -> str:
    return f"Final-Recipient: rfc822; a@example.test\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; 550"


PLAIN = (
    b"From: MAILER-DAEMON@old.example.test\nSubject: failure notice\n\nHi. I was not able to deliver your message.\n"
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(report(recipient("failed", "5.1.1")), Bounce(FAILED, "5.1.1"), id="failed"),
        pytest.param(report(recipient("failed", "4.4.7")), Bounce(FAILED, "4.4.7"), id="failed after days of tries"),
        pytest.param(
            report(recipient("Failed", "5.1.1 (no such user)")), Bounce(FAILED, "5.1.1"), id="other spellings"
        ),
        pytest.param(report(recipient("failed", "never mind")), Bounce(FAILED), id="failed without a status"),
        pytest.param(report(recipient("delayed", "4.4.1")), Bounce(DELAYED), id="delayed"),
        pytest.param(report(recipient("delivered", "2.0.0")), Bounce(OTHER), id="delivered"),
        pytest.param(report(recipient("relayed", "2.0.0")), Bounce(OTHER), id="relayed"),
        pytest.param(report(recipient("expanded", "2.0.0")), Bounce(OTHER), id="expanded"),
        pytest.param(
            report(recipient("delivered", "2.0.0"), recipient("failed", "5.2.2")),
            Bounce(FAILED, "5.2.2"),
            id="one of two that the mailbox passes its mail on to failed",
        ),
        pytest.param(report(), Bounce(FAILED), id="a report that says nothing"),
        pytest.param(
            report(recipient("failed", "5.6.7"), kind="global-delivery-status", part="message/global-delivery-status"),
            Bounce(FAILED, "5.6.7"),
            id="RFC 6533",
        ),
        pytest.param(
            report(recipient("failed", "5.1.1")).replace(
                b"multipart/report; report-type=delivery-status", b"multipart/mixed"
            ),
            Bounce(FAILED, "5.1.1"),
            id="a report in another multipart",
        ),
        pytest.param(
            report(recipient("failed", "5.1.1")).split(b"--=_b/mail\nContent-Type: message/delivery")[0],
            Bounce(FAILED),
            id="a report without its second part",
        ),
        pytest.param(
            report(
                "Disposition: automatic-action/MDN-sent-automatically; displayed",
                kind="disposition-notification",
                part="message/disposition-notification",
            ),
            Bounce(OTHER),
            id="a read receipt",
        ),
        pytest.param(PLAIN, Bounce(FAILED), id="an old server's own words"),
        pytest.param(b"", Bounce(FAILED), id="nothing at all"),
        pytest.param(
            b"Auto-Submitted: auto-replied (vacation)\nSubject: Out of office\n\nBack on Monday.",
            Bounce(OTHER),
            id="a vacation answer",
        ),
        pytest.param(
            b"Auto-Submitted: auto-replied\nX-Failed-Recipients: clinic@example.test\n\nNo.",
            Bounce(FAILED),
            id="an old Exim",
        ),
        pytest.param(b"X: y\n" * 2000 + b"\n", Bounce(FAILED), id="too many fields"),
    ],
)
def test_what_a_bounce_says(raw: bytes, expected: Bounce) -> None:
    assert read_bounce(raw) == expected
    assert read_bounce(raw.replace(b"\n", b"\r\n")) == expected


@given(st.binary(max_size=400), st.integers(0, 900), st.integers(0, 200))
def test_no_octets_break_it(octets: bytes, at: int, cut: int) -> None:
    whole = report(recipient("failed", "5.1.1"))
    read_bounce(octets)
    read_bounce(whole[:at] + octets + whole[at + cut :])
