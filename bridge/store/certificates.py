"""Client certificates of mailboxes: kept here, read by the directory, asked for by `bridge.logins` and on the command
line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bridge.errors import NotPossible
from bridge.store.committer import Committer
from bridge.store.named import Kind, Named
from bridge.store.tables import client_certificates, mailboxes
from bridge.types import CertificateUse, ClientCertificate, Mailbox

_KIND = Kind(client_certificates, "client certificate", "certificates")


async def read_certificates(connection: AsyncConnection) -> dict[str, ClientCertificate]:
    """Every one, by its fingerprint."""
    rows = await connection.execute(select(client_certificates))
    return {
        row.fingerprint: ClientCertificate(row.id, row.mailbox_id, row.fingerprint, row.pem, row.until) for row in rows
    }


class Certificates(Named):
    """Client certificates."""

    def __init__(self, engine: AsyncEngine, committer: Committer) -> None:
        super().__init__(engine, committer, _KIND)

    async def add(self, mailbox: Mailbox, name: str, *, pem: str, fingerprint: str, until: datetime) -> None:
        """Add one. Raises NotPossible if it stands for a mailbox already, there is one of this name, or there are too
        many."""

        def particular(connection: Connection, _: Sequence[Row[Any]]) -> Mapping[str, Any]:
            owner = (
                select(mailboxes.c.login, client_certificates.c.name)
                .join(client_certificates, client_certificates.c.mailbox_id == mailboxes.c.id)
                .where(client_certificates.c.fingerprint == fingerprint)
            )
            known = connection.execute(owner).first()
            if known is not None:
                raise NotPossible(f"This certificate logs in to {known.login} already, where it is {known.name}.")
            return {"pem": pem, "fingerprint": fingerprint, "until": until}

        await self._make(mailbox, name, particular)

    async def all(self) -> list[CertificateUse]:
        """Those of every mailbox, in the order of their logins, oldest first."""
        shown = ("login", "name", "fingerprint", "until", "created_at", "used_at")
        return [CertificateUse(*(row[column] for column in shown)) for row in await self._rows()]
