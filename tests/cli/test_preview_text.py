"""`bridge preview` without `--json`: what the answer to `preview@…` says, for operators."""

from __future__ import annotations

import pytest

from bridge.demo_mailboxes import DOMAIN
from tests.cli.commands import Done, run

PHONE = f"+393331234567@{DOMAIN}"


def preview(text: str, *to: str, headers: str = "") -> Done:
    head = f"From: clinic@example.test\nSubject: Visit\nContent-Type: text/plain; charset=utf-8\n{headers}"
    recipients = [word for address in to or (PHONE,) for word in ("--to", address)]
    return run("preview", "-", *recipients, stdin=f"{head}\n{text}\n".encode())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Tomorrow at nine.", "1 SMS, gsm7, 17 units used, 143 left in the last\n", id="plain"),
        pytest.param(
            "a" * 80 + "👋",
            "not in the GSM 7-bit alphabet: character 81 (U+1F44B, WAVING HAND SIGN)\n"
            "costs more: character 81 (U+1F44B, WAVING HAND SIGN); 1 SMS without\n",
            id="an emoji that costs an SMS",
        ),
        pytest.param(
            "€" * 81,
            "costs more: character 1 (U+20AC, EURO SIGN) and 80 more, counting double; 1 SMS without\n",
            id="a character of two septets",
        ),
        pytest.param(
            "ăâîșțĂÂ",
            "(U+021B, LATIN SMALL LETTER T WITH COMMA BELOW)\nnot in the GSM 7-bit alphabet: 2 more\n",
            id="of many letters the first",
        ),
        pytest.param("word " * 40, "\ncut at  1/2: …", id="where the segments break"),
        pytest.param("Hello\x1b[31m", "  | Hello[31m\n", id="nothing that steers a terminal"),
    ],
)
def test_what_a_text_costs_and_why(text: str, shown: str) -> None:
    done = preview(text)
    assert done.code == 0
    assert shown in done.out
    assert "\x1b" not in done.out


@pytest.mark.parametrize(
    ("address", "headers", "shown"),
    [
        (f"+393331234567+flash@{DOMAIN}", "", "flash: shown at once, not kept\n"),
        (f"+393331234567+p=high@{DOMAIN}", "", "priority: high\n"),
        (f"+393331234567+ref=AB12@{DOMAIN}", "X-SMS-Reference: whole\n", "reference: AB12\n"),
        (PHONE, "X-SMS-Reference: whole\n", "reference: whole\n"),
        (PHONE, "X-SMS-Class: promotional\n", "class: promotional\n"),
        (PHONE, "X-SMS-Send-At: 2099-01-02T09:00:00Z\n", "send at: 2099-01-02T09:00:00+00:00\n"),
        (PHONE, "X-SMS-Expires: 2099-01-02T09:00:00Z\n", "expires: 2099-01-02T09:00:00+00:00\n"),
        (PHONE, f'To: "Anna Rossi" <{PHONE}>\n', "Anna Rossi (+39 333 123 4567)  from +390200000001\n"),
        (f"preview@{DOMAIN}", "", "any phone  from +390200000001\n"),
    ],
)
def test_what_is_asked_for_is_shown(address: str, headers: str, shown: str) -> None:
    assert shown in preview("Tomorrow at nine.", address, headers=headers).out


def test_in_json_too_and_only_where_it_is_set() -> None:
    address = f"+393331234567+flash+p=high+ref=AB12@{DOMAIN}"
    raw = f'From: clinic@example.test\nTo: "Anna Rossi" <{address}>\nSubject: Visit\n\nTomorrow at nine.\n'.encode()
    (message,) = run("preview", "-", "--to", address, "--json", stdin=raw).document["messages"]
    wanted = {"flash": True, "priority": "high", "reference": "AB12", "contact": "Anna Rossi"}
    assert {key: message[key] for key in wanted} == wanted
    (message,) = run("preview", "-", "--to", PHONE, "--json", stdin=raw).document["messages"]
    assert wanted.keys().isdisjoint(message)


def test_phones_with_the_same_text_share_it() -> None:
    done = preview("Tomorrow at nine.", PHONE, f"+393471234567@{DOMAIN}")
    assert done.out.count("  | Tomorrow at nine.\n") == 1
    assert "+39 333 123 4567  from +390200000001\n+39 347 123 4567  from +390200000001\n1 SMS, " in done.out
