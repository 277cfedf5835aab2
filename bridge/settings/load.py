"""Reads settings from a TOML file, secret files and the environment, and turns every mistake into a sentence.

Order of precedence: environment (`BRIDGE_SMTP__PORT=587`), then the TOML file, then the defaults. A secret may also
come from a file: its key with `_file` at the end holds the path. Secrets are never echoed, not even in a complaint.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from bridge.errors import SettingsError, SettingsErrors
from bridge.settings.accounts import FilingSettings, OAuthSettings, WatchSettings
from bridge.settings.checks import check
from bridge.settings.forms import dotted, readable
from bridge.settings.model import GatewaySettings, IssuerSettings, Settings

ENV_PREFIX = "BRIDGE_"
ENV_DELIMITER = "__"

CONFIG_VARIABLE = "BRIDGE_CONFIG"
"""Names the configuration file for the command line; it is no setting."""

NOT_SHOWN = "(not shown)"

_SECRETS = (
    ("database", "url"),
    ("relay", "password"),
    ("filing", "password"),
    ("watch", "password"),
    ("oauth", "client_secret"),
    ("gateways", "secret"),
    ("gateways", "webhook_secret"),
    ("http", "metrics_token"),
)
"""The sections that secrets stand in, and their keys; each may come from a file instead."""

_SECRET_KEYS = frozenset(key for _, key in _SECRETS)

_LISTS = {
    "audience": '["https://sms.clinic.example"]',
    "authserv_ids": '["mx.google.com"]',
    "certificates_from": '["10.0.5.0/24"]',
    "bounces_from": '["10.0.0.5"]',
    "scopes": '["https://mail.example.com/imap", "offline_access"]',
    "name_servers": '["127.0.0.1"]',
    "trusted_forwarders": '["lists.example.com"]',
    "trusted_proxies": '["127.0.0.1"]',
    "what": '["sent", "replies"]',
    "countries": '["IT"]',
    "prefixes": '["+39333"]',
    "senders": '["+390200000001"]',
    "phones_may_mail": '["+393331234567"]',
    "phones_may_mail_to": '["bob@example.com", "@clinic.example"]',
    "classes": '["transactional"]',
    "mailboxes": '["clinic@example.com"]',
    "shift_tables": '["turkish"]',
}
"""What a list looks like, by its key."""

_NAMED: dict[str, type[BaseModel]] = {
    "filing": FilingSettings,
    "gateways": GatewaySettings,
    "issuers": IssuerSettings,
    "oauth": OAuthSettings,
    "watch": WatchSettings,
}
"""Sections with a name of the operator's choice in them: `[gateways.NAME]`."""


class _Environment(Settings, BaseSettings):
    """Tells pydantic-settings which variables there can be."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_nested_delimiter=ENV_DELIMITER)


class _Variables(EnvSettingsSource):
    """What the environment says. A list stands there as JSON; what is none is complained of by its key."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """The list; the value as it is when it cannot be read as one."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of a file (None: no file) and the environment.

    A relative path in them starts at the folder of the file. Raises `SettingsErrors` with every complaint at once.
    """
    folder = path.parent if path else Path()
    found = _merge(_read(path), _read_environment(environ))
    complaints = [*_unknown_variables(environ), *_read_secret_files(found, folder)]
    try:
        settings = Settings.model_validate(found, context={"folder": folder})
    except ValidationError as error:
        complaints += [_complaint(problem) for problem in error.errors(include_url=False)]
    else:
        complaints += check(settings)
    if complaints:
        raise SettingsErrors(complaints)
    return settings


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsErrors([SettingsError("--config", f'"{path}"', f"{_reason(error)}; name a TOML file")]) from None
    except UnicodeDecodeError:
        raise SettingsErrors([SettingsError("--config", f'"{path}"', "is not UTF-8 text; save it as UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        remedy = f"is not TOML: {error}. Text stands in double quotes, a section in [brackets]"
        raise SettingsErrors([SettingsError("--config", f'"{path}"', remedy)]) from None


def _read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    source = _Variables(_Environment)
    source.env_vars = {
        name.lower(): value
        for name, value in environ.items()
        if name.startswith(ENV_PREFIX) and _field(name) is not None
    }
    return source()


def _field(variable: str) -> str | None:
    """The field of `Settings` that a variable sets; None when there is none, or when it names a whole section."""
    top, delimiter, _ = variable.removeprefix(ENV_PREFIX).lower().partition(ENV_DELIMITER)
    info = Settings.model_fields.get(top)
    return top if info and bool(delimiter) == (top in _NAMED or _section(top) is not None) else None


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[SettingsError]:
    for name in sorted(environ):
        if name.startswith(ENV_PREFIX) and name != CONFIG_VARIABLE and _field(name) is None:
            near = get_close_matches(name, [_variable(key) for key in _keys()], n=1)
            yield SettingsError(name, NOT_SHOWN, "no such setting; " + _did_you_mean(near))


def _merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _read_secret_files(found: dict[str, Any], folder: Path) -> Iterator[SettingsError]:
    """Puts the content of every `…_file` where the secret itself would stand; `found` is changed."""
    for top, key in _SECRETS:
        section = found.get(top)
        if not isinstance(section, dict):
            continue
        named = top in _NAMED
        holders = {dotted([top, name]): held for name, held in section.items()} if named else {top: section}
        for where, holder in holders.items():
            if not isinstance(holder, dict) or not isinstance(holder.get(f"{key}_file"), str):
                continue
            given, path = f"{where}.{key}_file", folder / Path(holder[f"{key}_file"]).expanduser()
            if key in holder:
                yield SettingsError(given, f'"{path}"', f"{where}.{key} is set as well; keep one of the two")
                continue
            problem = readable(path, secret=True)
            if problem:
                yield SettingsError(given, f'"{path}"', problem)
                continue
            value = path.read_bytes().decode("utf-8", "replace").strip()
            if value:
                holder[key] = value
            else:
                yield SettingsError(given, f'"{path}"', "the file is empty; write the secret into it")


def _complaint(problem: ErrorDetails) -> SettingsError:
    """One complaint of pydantic in the operator's words."""
    location = [str(part) for part in problem["loc"]]
    key = dotted(location)
    value = problem["input"]
    scalar = isinstance(value, str | int | float | bool) or value is None
    hidden = not scalar or location[-1] in _SECRET_KEYS or problem["type"] == "extra_forbidden"
    shown = "(not set)" if problem["type"] == "missing" else NOT_SHOWN if hidden else _toml(value)
    return SettingsError(key, shown, _remedy(problem, location))


def _remedy(problem: ErrorDetails, location: list[str]) -> str:
    context = problem.get("ctx", {})
    match problem["type"]:
        case "extra_forbidden":
            near = get_close_matches(location[-1], _siblings(location), n=1)
            near = [dotted([*location[:-1], *near])] if near else get_close_matches(dotted(location), _keys(), n=1)
            return "no such setting; " + _did_you_mean(near)
        case "missing":
            return "it has no default; write it"
        case "int_parsing" | "int_type" | "int_from_float":
            return "write a whole number, without quotes"
        case "float_parsing" | "float_type" | "finite_number":
            return "write a number, without quotes"
        case "bool_parsing" | "bool_type":
            return "write true or false"
        case "tuple_type" if location == ["routes"]:
            return "write [[routes]], with two brackets, once for each route"
        case "tuple_type" | "list_type":
            return "write a list such as " + _LISTS[location[-1]]
        case "string_type" | "path_type":
            return 'write text in "double quotes"'
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "greater_than":
            return f"must be more than {context['gt']:g}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case "enum" | "literal_error":
            return f"write {context['expected']}".replace("'", '"')
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"is a section: write [{dotted(location)}] and its keys on the lines below"
        case other:
            return f"cannot be used ({other.replace('_', ' ')})"


def _did_you_mean(near: list[str]) -> str:
    return f"did you mean {near[0]}?" if near else "config/bridge.toml lists all there are"


def _section(name: str) -> type[BaseModel] | None:
    annotation = Settings.model_fields[name].annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _siblings(location: list[str]) -> list[str]:
    if len(location) == 1:
        return list(Settings.model_fields)
    if location[0] in _NAMED:
        return list(_NAMED[location[0]].model_fields)
    section = _section(location[0])
    return list(section.model_fields) if section else []


def _keys() -> list[str]:
    keys = []
    for name in Settings.model_fields:
        section = _section(name)
        keys += [f"{name}.{key}" for key in section.model_fields] if section else [name]
    return keys


def _variable(key: str) -> str:
    return ENV_PREFIX + key.replace(".", ENV_DELIMITER).upper()


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
