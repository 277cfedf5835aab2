"""`bridge keywords`: what is done with an SMS that begins with a word of a mailbox's own.

A running bridge notices every change within a second.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import lengths, properties
from bridge.cli.options import Login, LoginOrAll
from bridge.cli.shared import Config, Json, find_mailbox, in_store, show_json
from bridge.errors import NotFound, UsageError
from bridge.types import Keyword, Mailbox
from bridge.types.keywords import MOST_FORWARDS

if TYPE_CHECKING:
    from bridge.store.store import Store

app = typer.Typer(help="Words that an SMS may begin with, and what is done then.", no_args_is_help=True)

Word = Annotated[str, typer.Argument(metavar="WORD", help="The word, such as HOURS.")]

_TAG = re.compile(r"[A-Za-z0-9._-]{1,40}")


@app.command()
def add(
    login: Login,
    word: Word,
    reply: Annotated[
        str, typer.Option(metavar="TEXT", help="What is texted back, in quotes.", show_default=False)
    ] = "",
    forward: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="Mail address that gets the SMS besides the mailbox; may be repeated.",
            show_default=False,
        ),
    ] = None,
    tag: Annotated[
        str, typer.Option(metavar="NAME", help="What the header X-SMS-Tag of the mail says.", show_default=False)
    ] = "",
    webhook: Annotated[
        str, typer.Option(metavar="URL", help="Where the SMS is posted to, signed, as JSON.", show_default=False)
    ] = "",
    config: Config = None,
) -> None:
    """Say what is done with an SMS that begins with a word.

    A word that is there already gets what is named here, in place of what it had.
    """
    keyword = Keyword(_word(word), reply.strip(), tuple(dict.fromkeys(forward or ())), tag, webhook)
    _check(keyword)

    async def work(store: Store) -> tuple[Mailbox, int]:
        mailbox = find_mailbox(store, login)
        for each in keyword.forward:
            if each.rpartition("@")[2].lower() == store.settings.domain.lower():
                raise UsageError(f"{each} is a phone. An SMS is forwarded to mail addresses only.")
        count = lengths.check(mailbox, keyword.reply, "The text back")
        await store.keywords.save(mailbox, keyword)
        return mailbox, count

    mailbox, count = in_store(config, work)
    print(f"An SMS to {mailbox.login} that begins with {keyword.word} {_does(keyword)}.")
    if count > 1:
        print(f"The text back is {count} SMS long.")
    if keyword.webhook:
        print(f"`bridge keywords secret {mailbox.login} {keyword.word}` shows the secret that its receiver needs.")


@app.command("list")
def show_all(
    login: LoginOrAll = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List the keywords of a mailbox, or of all."""

    async def work(store: Store) -> list[tuple[Mailbox, Keyword]]:
        mailboxes = [find_mailbox(store, login)] if login is not None else store.directory.all()
        return [(each, one) for each in mailboxes for one in store.directory.keywords(each.id).values()]

    found = in_store(config, work)
    if as_json:
        show_json([_document(mailbox, keyword) for mailbox, keyword in found])
        return
    for mailbox, keyword in found:
        print(f"{mailbox.login}  {keyword.word}  {_does(keyword)}")
    if not found:
        print("There are no keywords. Add one with `bridge keywords add LOGIN WORD --reply TEXT`.")


@app.command()
def remove(login: Login, word: Word, config: Config = None) -> None:
    """Forget a keyword of a mailbox."""

    async def work(store: Store) -> None:
        if not await store.keywords.remove(find_mailbox(store, login), word):
            raise NotFound(f"{login} has no keyword {word}. See `bridge keywords list {login}`.")

    in_store(config, work)
    print(f"{word} is no keyword of {login} any more.")


@app.command()
def secret(login: Login, word: Word, config: Config = None) -> None:
    """Show the secret that a webhook's receiver needs.

    By it the receiver knows that a request is from here. Nothing else is printed, so that it can be handed on unread.
    """
    from bridge import webhook
    from bridge.meaning.keywords import first_word

    async def work(store: Store) -> str:
        mailbox = find_mailbox(store, login)
        keyword = store.directory.keywords(mailbox.id).get(first_word(word))
        if keyword is None or not keyword.webhook:
            raise NotFound(f"{login} has no keyword {word} with a webhook. See `bridge keywords list {login}`.")
        return webhook.written(webhook.secret_of(store.key.derived, mailbox.id, keyword.webhook))

    print(in_store(config, work))


def _word(word: str) -> str:
    from bridge.meaning.keywords import why_no_keyword

    why = why_no_keyword(word.strip())
    if why is not None:
        shown = "".join(char for char in word.strip()[:40] if char.isprintable())
        raise UsageError(f"{shown or 'An empty word'} {why}. Choose another word.")
    return word.strip()


def _check(keyword: Keyword) -> None:
    if not (keyword.reply or keyword.forward or keyword.tag or keyword.webhook):
        raise UsageError("Say what is done: --reply TEXT, --forward ADDRESS, --tag NAME or --webhook URL.")
    if keyword.webhook:
        properties.webhook(keyword.webhook)
    if keyword.tag and not _TAG.fullmatch(keyword.tag):
        raise UsageError(f"--tag {keyword.tag} is not 1 to 40 letters, digits, dots, hyphens and underscores.")
    if len(keyword.forward) > MOST_FORWARDS:
        raise UsageError(f"--forward takes at most {MOST_FORWARDS} addresses. Name a mailing list instead.")
    for each in keyword.forward:
        properties.forwarded(each)


def _does(keyword: Keyword) -> str:
    what = [f'is answered "{keyword.reply}"'] if keyword.reply else []
    what += [f"goes to {', '.join(keyword.forward)} too"] if keyword.forward else []
    what += [f"is tagged {keyword.tag}"] if keyword.tag else []
    what += [f"is posted to {_shown(keyword.webhook)}"] if keyword.webhook else []
    return ", ".join(what)


def _shown(url: str) -> str:
    """The address of a webhook without what may be a secret of its receiver's."""
    from bridge import webhook

    return webhook.receiver_of(url)


def _document(mailbox: Mailbox, keyword: Keyword) -> dict[str, Any]:
    return {
        "mailbox": mailbox.login,
        "word": keyword.word,
        "reply": keyword.reply,
        "forward": list(keyword.forward),
        "tag": keyword.tag,
        "webhook": keyword.webhook,
    }
