"""The bridge as a provider of mailboxes knows it: registered under an id, with certain rights; pure.

Endpoints and scopes of Microsoft and Google are those that they publish. Google's device flow has no right to mail (it
lists the scopes that it takes: OpenID, Drive files, YouTube), so consent there is given in a browser. Microsoft has
both ways, and customers who forbid the one with codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.settings import OAuthProvider, OAuthSettings

_MICROSOFT = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0"
_MICROSOFT_READS = "https://outlook.office.com/IMAP.AccessAsUser.All"
_MICROSOFT_SENDS = "https://outlook.office.com/SMTP.Send"
_MICROSOFT_STAYS = "offline_access"
"""Without it there is no refresh token."""
_GOOGLE_SCOPE = "https://mail.google.com/"
_GOOGLE_ASKS = {"access_type": "offline", "prompt": "consent"}
"""Without the first there is no refresh token, without the second only for the first consent of an account."""


@dataclass(frozen=True, slots=True)
class Application:
    """What is said to the provider, and where."""

    client_id: str
    client_secret: str = field(repr=False)
    """Empty for one that is registered as a public client."""
    scope: str
    token_url: str
    device_url: str = ""
    """Where codes for other devices are had (RFC 8628); empty where there are none."""
    authorize_url: str = ""
    """The page on which one consents in a browser; empty where there is none."""
    comes_back_to: str = "127.0.0.1"
    """How that browser calls the machine that it runs on."""
    asks: Mapping[str, str] = field(default_factory=dict)
    """What that page is told besides."""

    def identified(self, **form: str) -> dict[str, str]:
        """A form with who asks in it (RFC 6749 section 2.3.1)."""
        secret = {"client_secret": self.client_secret} if self.client_secret else {}
        return {"client_id": self.client_id, **secret, **form}


def application(settings: OAuthSettings, *, sends: bool) -> Application:
    """The one that the operator has registered; `sends` is whether the bridge sends mail with it, too."""
    secret = settings.client_secret.get_secret_value() if settings.client_secret is not None else ""
    match settings.provider:
        case OAuthProvider.MICROSOFT:
            base = _MICROSOFT.format(tenant=settings.tenant)
            scope = " ".join((_MICROSOFT_READS, *([_MICROSOFT_SENDS] if sends else []), _MICROSOFT_STAYS))
            return Application(
                settings.client_id,
                secret,
                scope,
                f"{base}/token",
                device_url=f"{base}/devicecode",
                authorize_url=f"{base}/authorize",
                comes_back_to="localhost",  # for this name any port is taken, and the page of registrations takes it
            )
        case OAuthProvider.GOOGLE:
            return Application(
                settings.client_id,
                secret,
                _GOOGLE_SCOPE,
                "https://oauth2.googleapis.com/token",
                authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
                asks=_GOOGLE_ASKS,
            )
        case OAuthProvider.OTHER:
            return Application(
                settings.client_id,
                secret,
                " ".join(settings.scopes),
                settings.token_url,
                device_url=settings.device_url,
                authorize_url=settings.authorize_url,
            )
