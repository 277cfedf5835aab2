"""What `bridge check` asks about the MX door: whether other mail servers find it in DNS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.settings import Settings


async def mx_findings(settings: Settings) -> list[tuple[str, str]]:
    """The part of the bridge and what is wrong with it, if anything; nothing when the door is off.

    A domain without MX records is its own mail server, if it has an address (RFC 5321 section 5.1).
    """
    from bridge.access.dns import DnsFailed, RecordType, Resolver
    from bridge.settings.forms import name_server

    if not settings.mx.port:
        return []
    part = f"mx {settings.domain}"
    resolver = Resolver([name_server(each) for each in settings.mx.name_servers])
    try:
        servers = (await resolver.ask(settings.domain, RecordType.MX)).values
        if servers == ("",):  # RFC 7505
            return [(part, f"DNS says that it takes no mail. {_publish(settings)}")]
        for server in servers or (settings.domain,):
            for kind in (RecordType.A, RecordType.AAAA):
                if (await resolver.ask(server, kind)).values:
                    return [(f"{part} at {server}", "")]
    except DnsFailed as failed:
        return [(part, f"{failed.sentence} See mx.name_servers.")]
    if servers:
        return [(part, f"DNS has no address for {servers[0]}, its MX. Publish one.")]
    return [(part, f"no mail server finds the bridge. {_publish(settings)}")]


def _publish(settings: Settings) -> str:
    return f"Publish in DNS: {settings.domain}. MX 10 {settings.hostname}."
