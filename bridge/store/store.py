"""The opened database with all its ways in: what the command line and a running bridge both need."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from sqlalchemy import make_url

from bridge.clock import new_id
from bridge.errors import SettingsError
from bridge.settings import FiledState, Settings
from bridge.store.certificates import Certificates
from bridge.store.committer import Committer
from bridge.store.contacts import Contacts
from bridge.store.decisions import Decisions
from bridge.store.directory import Directory
from bridge.store.engine import open_engine, open_writing_engine, upgrade
from bridge.store.filings import FilingRule, FilingRules
from bridge.store.keys import NumberKey, check_key, load_key
from bridge.store.keywords import Keywords
from bridge.store.leases import Leases
from bridge.store.ledger import Ledger
from bridge.store.mailboxes import Mailboxes
from bridge.store.passwords import Passwords
from bridge.store.queue import Queue
from bridge.store.signatures import Signatures
from bridge.store.threads import Threads
from bridge.store.writer import LoopWriter, ThreadWriter


def database_url(settings: Settings) -> str:
    """Where the store is: what the operator said, else a file in the data folder."""
    if settings.database.url is not None:
        return settings.database.url.get_secret_value()
    return sqlite_url(settings.data_dir / "bridge.db")


def sqlite_url(file: Path) -> str:
    """The address of a database in a file."""
    return f"sqlite+aiosqlite:///{file}"


def database_file(settings: Settings) -> Path | None:
    """The file that holds the store; None when it is no SQLite database."""
    url = make_url(database_url(settings))
    if url.get_backend_name() != "sqlite" or url.database is None:
        return None
    return Path(url.database)


def filing_rules(settings: Settings) -> FilingRules:
    """What each mailbox has filed in its IMAP folders."""
    return {
        login.lower(): FilingRule(filing.folder, frozenset(filing.what), filing.state is FiledState.KEYWORDS)
        for login, filing in settings.filing.items()
    }


class Store:
    """The opened database: what the command line and a running bridge both need."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.node = new_id()
        """This process among those that share the database: the name under which it holds leases."""
        self._exit = AsyncExitStack()

    async def __aenter__(self) -> Store:
        """Open, migrate, read the mailboxes. Raises SettingsError and StoreUnavailable."""
        async with AsyncExitStack() as stack:
            settings = self.settings
            make_folder(settings.data_dir)
            self.key: NumberKey = load_key(settings.data_dir)
            self.engine = open_engine(database_url(settings))
            stack.push_async_callback(self.engine.dispose)
            await upgrade(self.engine)
            writer = self._writer()
            stack.push_async_callback(writer.close)
            self.committer = Committer(writer, self.node)
            self.committer.start()
            stack.push_async_callback(self.committer.close)
            await check_key(self.committer, self.key)
            self.directory = Directory(self.engine, self.key)
            await self.directory.refresh()
            self.mailboxes = Mailboxes(self.committer)
            self.contacts = Contacts(self.committer)
            self.keywords = Keywords(self.committer)
            self.passwords = Passwords(self.engine, self.committer)
            self.certificates = Certificates(self.engine, self.committer)
            self.decisions = Decisions(self.engine, self.committer, self.key)
            self.signatures = Signatures(self.engine, self.committer)
            self.ledger = Ledger(self.engine, self.key)
            self.threads = Threads(self.engine, self.key)
            self.filing = filing_rules(settings)
            self.leases = Leases(self.engine, self.committer, settings.reports.wait, self.filing)
            self.queue = Queue(self.engine, self.committer, settings.reports.wait, self.filing)
            self._exit = stack.pop_all()
        return self

    def _writer(self) -> LoopWriter | ThreadWriter:
        if self.engine.dialect.name == "sqlite":
            return ThreadWriter(open_writing_engine(database_url(self.settings)))
        return LoopWriter(self.engine)

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()


def make_folder(path: Path) -> None:
    """Make the data folder, for its owner only, unless it is there. Raises SettingsError."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            "data_dir", f'"{path}"', f"cannot be made ({error.strerror}); choose a folder the bridge may write to"
        ) from error
