"""The options of `bridge mailbox add` and `set`: all that a mailbox can choose, each read or refused in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import properties
from bridge.types import Confirm, CutRule, GrammarName, Language, Spoken, SubjectUse, UnicodePolicy
from bridge.types.digest import MOST_ADDRESSES, MOST_DAYS

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="The mailbox's login, which is its mail address.")]
LoginOrAll = Annotated[
    str | None, typer.Argument(metavar="LOGIN", help="The mailbox's login; without it, all.", show_default=False)
]
NewLogin = Annotated[
    str,
    typer.Argument(
        metavar="LOGIN", help="Its login, which is its mail address.", callback=properties.checked(properties.login)
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="File with the password; - reads it from standard input, `none` is for app passwords only.",
        show_default=False,
    ),
]
Sender = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER",
        help="Sender number, such as +390200000001.",
        callback=properties.checked(properties.sender),
        show_default=False,
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        metavar="COUNTRY",
        help="Country of numbers written without a country code, such as IT.",
        callback=properties.checked(properties.country),
    ),
]
LanguageOption = Annotated[Language | None, typer.Option(help="Language of its mails.")]
PhonesSpeak = Annotated[
    list[str] | None,
    typer.Option(
        "--phones-speak",
        metavar="LANGUAGE",
        help=f"Further language in which its phones write: {', '.join(Spoken)}; may be repeated. Their words for STOP, "
        "START and HELP count then, and a yes such as Fine. `none` alone empties the list.",
        callback=properties.each(properties.spoken, may_be_empty=True),
    ),
]
Zone = Annotated[
    str | None,
    typer.Option(
        metavar="ZONE",
        help="Time zone of its mails and of its daily cap, such as Europe/Rome.",
        callback=properties.checked(properties.timezone),
    ),
]
Pool = Annotated[
    list[str] | None,
    typer.Option(
        "--pool",
        metavar="NUMBER",
        help="Further sender number; may be repeated. Each phone then gets the texts from one that no other mailbox "
        "uses with it, so that its answers find their mailbox. `none` alone empties the list.",
        callback=properties.each(properties.pooled, may_be_empty=True),
    ),
]
Addresses = Annotated[
    list[str] | None,
    typer.Option(
        "--address",
        metavar="ADDRESS",
        help="Address it may send from besides its login, or @domain for a whole domain; may be repeated. "
        "`none` alone empties the list.",
        callback=properties.each(properties.address, may_be_empty=True),
    ),
]
Networks = Annotated[
    list[str] | None,
    typer.Option(
        "--network",
        metavar="NETWORK",
        help="Network whose machines send as it without login, such as 10.0.5.0/24; may be repeated. "
        "`none` alone empties the list.",
        callback=properties.each(properties.network, may_be_empty=True),
    ),
]
Countries = Annotated[
    list[str] | None,
    typer.Option(
        "--country",
        metavar="COUNTRY",
        help="Country it may text, such as IT; may be repeated.",
        callback=properties.each(properties.country),
    ),
]
ConfirmOption = Annotated[Confirm | None, typer.Option(help="Which outcomes it is told.")]
UnicodeOption = Annotated[UnicodePolicy | None, typer.Option(help="What happens to characters beyond GSM 7-bit.")]
MaxSegments = Annotated[
    int | None, typer.Option(metavar="COUNT", help="Most SMS that one text may need.", min=1, max=255)
]
DailyCap = Annotated[int | None, typer.Option(metavar="COUNT", help="Messages a day; 0 is no cap.", min=0)]
SubjectOption = Annotated[SubjectUse | None, typer.Option(help="What becomes of the subject of its mails.")]
SubjectTags = Annotated[
    bool | None,
    typer.Option(
        "--subject-tags/--no-subject-tags",
        help="Whether subjects of answers say that an appointment is confirmed, cancelled or to be moved.",
        show_default=False,
    ),
]
KeepCut = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RULE",
        help=f"Rule that cuts nothing from its mails: {', '.join(map(properties.hyphened, CutRule))}; may be repeated. "
        "`none` alone switches all on again.",
        callback=properties.each(properties.cut_rule, may_be_empty=True),
    ),
]
EndMarks = Annotated[
    list[str] | None,
    typer.Option(
        "--end-mark",
        metavar="MARK",
        help="Mark of its own that ends the text where a line ends with it; may be repeated. "
        "`none` alone empties the list.",
        callback=properties.each(properties.end_mark, may_be_empty=True),
    ),
]
Grammar = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"Other service whose form of mail it writes: {', '.join(GrammarName)}; `none` for no other.",
        callback=properties.checked(properties.grammar),
        show_default=False,
    ),
]
OrderPasswordFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="File with the password that mails in that form must show; - reads it from standard input, and `none` "
        "asks for none.",
        show_default=False,
    ),
]
DigestTo = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESSES",
        help=f"Who gets its daily digest: up to {MOST_ADDRESSES} addresses with commas between them; an empty word "
        "switches it off.",
        callback=properties.checked(properties.digest_to),
        show_default=False,
    ),
]
DigestAt = Annotated[
    str | None,
    typer.Option(
        metavar="HOUR",
        help="When the digest is made, in the mailbox's time zone, such as 18:00.",
        callback=properties.checked(properties.digest_at),
    ),
]
DigestDays = Annotated[
    int | None,
    typer.Option(
        metavar="DAYS", help="For how many days after it was sent a text stays in the digests.", min=1, max=MOST_DAYS
    ),
]
