"""Typed settings from a TOML file and the environment; every refusal names key, value and remedy."""

from bridge.settings.load import ENV_DELIMITER, ENV_PREFIX, load
from bridge.settings.model import (
    DatabaseSettings,
    FilingSettings,
    GatewaySettings,
    HttpSettings,
    LogFormat,
    LogLevel,
    LogSettings,
    OperatorSettings,
    RelaySettings,
    ReplySettings,
    ReportSettings,
    SendingSettings,
    Settings,
    SmtpSettings,
    TlsMode,
    demo_settings,
)

__all__ = [
    "ENV_DELIMITER",
    "ENV_PREFIX",
    "DatabaseSettings",
    "FilingSettings",
    "GatewaySettings",
    "HttpSettings",
    "LogFormat",
    "LogLevel",
    "LogSettings",
    "OperatorSettings",
    "RelaySettings",
    "ReplySettings",
    "ReportSettings",
    "SendingSettings",
    "Settings",
    "SmtpSettings",
    "TlsMode",
    "demo_settings",
    "load",
]
