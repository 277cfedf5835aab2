"""What other servers write into Authentication-Results, as it is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.access.auth_results import MethodResult, read_results

GOOGLE = (
    ' mx.google.com;\r\n       dkim=pass header.i=@clinic.example header.s=s1 header.b="a/b+c;";\r\n'
    "       spf=pass (google.com: domain of anna@clinic.example designates 192.0.2.25 as permitted sender)"
    " smtp.mailfrom=anna@clinic.example;\r\n       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=clinic.example"
)
MICROSOFT = (
    " mx.microsoft.com 1; spf=fail (sender ip is 192.0.2.25)\r\n smtp.rcpttodomain=list.example"
    " smtp.mailfrom=clinic.example; dmarc=bestguesspass\r\n action=none header.from=clinic.example; dkim=none"
    " (message not signed); arc=none (0)"
)

SAID: dict[str, tuple[str, str, dict[str, tuple[str, dict[str, str]]]]] = {
    "Google": (
        GOOGLE,
        "mx.google.com",
        {
            "dkim": ("pass", {"header.i": "@clinic.example", "header.s": "s1", "header.b": "a/b+c?"}),
            "spf": ("pass", {"smtp.mailfrom": "anna@clinic.example"}),
            "dmarc": ("pass", {"header.from": "clinic.example"}),
        },
    ),
    "Microsoft": (
        MICROSOFT,
        "mx.microsoft.com",
        {
            "spf": ("fail", {"smtp.rcpttodomain": "list.example", "smtp.mailfrom": "clinic.example"}),
            "dmarc": ("bestguesspass", {"header.from": "clinic.example"}),
            "dkim": ("none", {}),
            "arc": ("none", {}),
        },
    ),
    "nothing was checked": ("mx.example; none", "mx.example", {}),
    "a version of the method": (
        "mx.example; spf/1=pass smtp.helo=a.example",
        "mx.example",
        {"spf": ("pass", {"smtp.helo": "a.example"})},
    ),
    "blanks around equals signs": (
        "MX.example ; dkim = pass header.d = Clinic.Example",
        "mx.example",
        {"dkim": ("pass", {"header.d": "Clinic.Example"})},
    ),
    "a result in a comment": ("mx.example; spf=fail (; spf=pass; dkim=pass)", "mx.example", {"spf": ("fail", {})}),
    "a result in quotes": (
        'mx.example; spf=fail reason="x; dkim=pass" smtp.mailfrom="a b"@c.example',
        "mx.example",
        {"spf": ("fail", {"smtp.mailfrom": "a?b@c.example"})},
    ),
    "a parenthesis in quotes": (
        'mx.example; spf=fail reason="("; dkim=pass',
        "mx.example",
        {"spf": ("fail", {}), "dkim": ("pass", {})},
    ),
    "a property said twice": (
        "mx.example; dmarc=pass header.from=a.example header.from=b.example",
        "mx.example",
        {"dmarc": ("pass", {"header.from": "a.example"})},
    ),
}


@pytest.mark.parametrize(("text", "server", "results"), SAID.values(), ids=SAID)
def test_what_a_field_says(text: str, server: str, results: dict[str, tuple[str, dict[str, str]]]) -> None:
    read = read_results(text)
    assert read.server == server
    assert read.results == tuple(MethodResult(method, *said) for method, said in results.items())


@pytest.mark.parametrize("text", ["", " ", ";", "; spf=pass", "mx.example; spf=pass (", 'mx.example; spf="pass'])
def test_what_is_no_field(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_results(text)


@given(st.text('ab.=; ()"\\\r\n\t@/1', max_size=60))
def test_whatever_stands_there_is_read_or_refused(text: str) -> None:
    try:
        read = read_results(text)
    except ValueError:
        return
    assert read.server
    assert all(result.method and "." not in result.method for result in read.results)
