"""Writes the mails of the collection: every mail program in every language, with what should be texted beside each.

Run as `python -m tests.corpora.make`. The mails are files, so that anybody can open them; the test reads only those.
"""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import EmailPolicy
from pathlib import Path
from typing import Any

from tests.corpora.clients import CLIENTS, CLINIC, NOTHING, Client, Piece

HERE = Path(__file__).parent
MAILS = HERE / "mails"
POLICY = EmailPolicy(utf8=False, max_line_length=78)


def mails(client: Client, number: int) -> Iterator[tuple[str, list[Piece], list[str]]]:
    """The kinds of mail: their names, the pieces they are made of, and the paragraphs that should be texted."""
    says = client.says
    words = says["words"][number % len(says["words"])]
    own, quotation = client.own(words), client.quotation(says["quoted"])
    if client.device:
        device = client.device_line()
        yield "reply-device-line", [own, device, quotation], words
        yield "new-device-line", [own, device], words
    yield "reply", [own, quotation], words
    if client.name in {"yahoo-phone", "iphone"}:
        return
    signature = client.signature(says["signature"])
    # Without a mark, a signature is known by the sign-off above it.
    signed = words if client.signature_marked or len(words) > 1 else says["words"][0]
    yield "reply-signature", [client.own(signed), signature, quotation], signed
    yield "forward-with-words", [client.own(words[-1:]), client.forward()], words[-1:]
    yield "forward", [NOTHING, client.forward()], says["quoted"]
    yield "new-signature", [client.own(signed), signature], signed
    notice = client.own([says["disclaimer"]])
    yield "new-disclaimer", [own, notice], words
    yield "reply-banner", [client.own([says["banner"]]), own, quotation], words
    if client.quotes_marked:
        yield "answer-below", [client.quotation(says["quoted"]), own], words
        points = [client.quotation(says["asked"][:1]), client.own(says["answered"][:1])]
        points += [client.quotation(says["asked"][1:], attributed=False), client.own(says["answered"][1:])]
        yield "point-by-point", points, says["answered"]


def written(client: Client, kind: str, pieces: list[Piece], language: str) -> bytes:
    """The whole mail."""
    mail = EmailMessage(POLICY)
    forwarded = kind.startswith("forward")
    mail["From"] = CLINIC
    mail["To"] = "+393331234567@sms.example"
    mail["Subject"] = ("" if kind.startswith("new") else "Fwd: " if forwarded else "Re: ") + client.says["subject"]
    mail["Date"] = "Tue, 03 Mar 2026 11:42:00 +0100"
    mail["Message-ID"] = f"<{kind}.{language}@{client.name}.example>"
    if not kind.startswith("new"):
        mail["In-Reply-To"] = mail["References"] = "<visit-1@mail.example>"
    if client.mailer[1]:
        mail[client.mailer[0]] = client.mailer[1]
    plain = "\n\n".join(piece.plain for piece in pieces if piece.plain) + "\n"
    flowed = {"format": "flowed"} if client.flowed else {}
    mail.set_content(plain, charset=client.charset, cte=client.encoding, params=flowed)
    html = client.page("".join(piece.html for piece in pieces))
    mail.add_alternative(html, subtype="html", charset=client.charset, cte=client.encoding)
    mail.set_boundary(f"=_{client.name}_{kind}_{language}")
    return mail.as_bytes()


def main() -> None:
    languages: dict[str, dict[str, Any]] = tomllib.loads((HERE / "languages.toml").read_text(encoding="utf-8"))
    shutil.rmtree(MAILS, ignore_errors=True)
    for number, make in enumerate(CLIENTS):
        for place, (language, says) in enumerate(languages.items()):
            client = make(says)
            folder = MAILS / client.name
            folder.mkdir(parents=True, exist_ok=True)
            for kind, pieces, texted in mails(client, number + place):
                mail = folder / f"{language}-{kind}.eml"
                mail.write_bytes(written(client, kind, pieces, language))
                mail.with_suffix(".txt").write_text("\n\n".join(texted) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
