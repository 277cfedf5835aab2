"""Any HTTP API, connected by settings alone: a request as a template, answers and callbacks by paths and words.

What is written in the options of the section goes before the profile it names; `bridge/gateways/profiles` has those
that come with the bridge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, TypeVar

import httpx

from bridge.errors import Reason, SettingsError
from bridge.gateways import profile as profiles
from bridge.gateways.base import Evidence, Hook, HookRefused, Said, Traits
from bridge.gateways.callback import fields_of, json_value, phone_of, words_of
from bridge.gateways.connection import Connection, Option
from bridge.gateways.http import HttpGateway
from bridge.gateways.orders import Answer, Order, accepted, basic, code_of, unclear
from bridge.gateways.paths import Condition, at, condition, table, word
from bridge.gateways.template import FIELDS, PHONE, Template, TemplateError, template
from bridge.types import Encoding, HttpRequest, InboundSms, MessageState, OutboundSms, Outcome, OutcomeKind, Receipt

T = TypeVar("T")

TOLD = {
    state.value: state
    for state in (
        MessageState.SENT,
        MessageState.DELIVERED,
        MessageState.UNDELIVERED,
        MessageState.EXPIRED,
        MessageState.FAILED,
    )
}
"""What a receipt can tell; `-` stands for nothing new."""

COMMON = (
    Option("method", "how the request is made", "POST", ("POST", "GET", "PUT")),
    Option("path", "what follows the url, with a query if there is one", ""),
    Option("headers", "the headers, one a line", ""),
    Option("content", "how the body is written", "json", ("json", "form", "none")),
    Option("body", "the body, with fields such as {number} and {text}", ""),
    Option("encodings", "the words of {encoding} for the GSM alphabet and for Unicode", "gsm,unicode"),
    Option("pattern", "a regular expression for answers that are no JSON; paths name its groups", ""),
    Option("id", "where the id of the message stands in the answer", ""),
    Option("accepted", "what stands where when a text was taken; empty: there is an id", ""),
    Option("throttled", "what stands where when a text was not looked at and can be sent again", ""),
    Option("rejected", "what stands where when a text was refused although the answer is 2xx", ""),
    Option("code", "where the code of an error stands in the answer", ""),
    Option("reasons", "codes and what they mean, as in 21=opted_out, 22=unknown_subscriber", ""),
    Option("check_path", "a path that only the right login can read; empty: the url is tried", ""),
    Option("receipt_list", "where the list of receipts stands in the callback; empty: it is one", ""),
    Option("receipt_id", "where the id of the message stands in a receipt", ""),
    Option("receipt_reference", "where our reference stands in a receipt", ""),
    Option("receipt_status", "where the status stands in a receipt; empty: there are no receipts", ""),
    Option("receipt_states", "what each status tells: sent, delivered, undelivered, expired, failed or -", ""),
    Option("receipt_code", "where the code of an error stands in a receipt", ""),
    Option("inbound_list", "where the list of answers of phones stands in the callback; empty: it is one", ""),
    Option("inbound_id", "where its id stands; several paths with commas where only together they are one", ""),
    Option("inbound_from", "where the phone stands", ""),
    Option("inbound_to", "where your number stands, or that number itself with its plus", ""),
    Option("inbound_text", "where the text stands; empty: phones cannot answer", ""),
    Option("inbound_answers", "where the id of your text that it answers stands, theirs or {reference}", ""),
    Option("hook_answer", "what the provider wants to read after a callback", ""),
)


class GenericHttp(HttpGateway):
    """A connection to an API that the settings describe."""

    kind = "http"
    title = "Any HTTP API"
    needs: ClassVar[tuple[str, ...]] = ()
    fixed: ClassVar[str] = ""
    """The profile of a kind that is one."""
    options: ClassVar[tuple[Option, ...]] = (
        Option("profile", "ready-made options", "", ("", *profiles.names())),
        *COMMON,
    )
    traits = Traits(receipts=True, inbound=True, links=True, evidence=Evidence.UNVERIFIED)

    @classmethod
    def url_of(cls, options: Mapping[str, str]) -> str:
        return cls.base_url or profiles.profile(cls.fixed or options.get("profile", "")).url

    def __init__(self, connection: Connection) -> None:
        """Raises SettingsError for the first option that cannot be meant."""
        super().__init__(connection)
        self._profile = profiles.profile(self.fixed or connection.options.get("profile", ""))
        if self.option("receipt_status") and not (self.option("receipt_id") or self.option("receipt_reference")):
            raise self._wrong("receipt_id", "say where the id of the message stands, or where our reference does")
        for name in ("inbound_id", "inbound_from", "inbound_to") if self.option("inbound_text") else ():
            if not self.option(name):
                raise self._wrong(name, "an answer of a phone cannot be read without it")
        self.traits = replace(
            self.traits,
            receipts=bool(self.option("receipt_status")),
            inbound=bool(self.option("inbound_text")),
            links=bool(self.option("inbound_text") and self.option("inbound_answers")),
            evidence=self._profile.evidence,
        )
        self._accepted, self._throttled, self._rejected = (
            self._read(name, condition, "write where and what, as in status=0,ok")
            for name in ("accepted", "throttled", "rejected")
        )
        if self._accepted is None and not self.option("id"):
            raise self._wrong("id", "say where the id stands in the answer, as in messages.0.id")
        self._pattern = self._read("pattern", re.compile, "write a regular expression with named groups")
        self._reasons = self._read("reasons", _reasons, "write as in 21=opted_out, 22=unknown_subscriber")
        self._states = self._read("receipt_states", _states, f"write a status and one of {', '.join(TOLD)} or -")
        self._words = self._read("encodings", self._two_words, "write two words, as in gsm,unicode or false,true")
        self._template = self._read_template()
        self._question = self._made("GET", "check_path", "none", "")

    def order(self, sms: OutboundSms) -> Order:
        hooks = self.hooks()
        return self._template.order(
            {
                **self._login,
                "number": sms.number,
                "digits": sms.number.removeprefix("+"),
                "sender": sms.sender,
                "sender_digits": sms.sender.removeprefix("+"),
                "text": sms.text,
                "reference": sms.reference,
                "encoding": self._words[sms.encoding is not Encoding.GSM7],
                "callback": self.hook_url(hooks[0]) if hooks and hooks[0].name == "receipts" else "",
            }
        )

    def outcome(self, answer: Answer) -> Outcome:
        value = self._value(answer)
        code = code_of(word(at(value, self.option("code")))) if self.option("code") else ""
        reason, diagnostic = self._reasons.get(code), f"HTTP {answer.status} {code}".strip()
        if _holds(self._throttled, value):
            return self.throttled(answer, diagnostic)
        if not answer.ok:
            usual = self.refused(answer)
            rejected = usual.kind is OutcomeKind.REJECTED
            return replace(usual, diagnostic=diagnostic, reason=reason if rejected else None)
        provider_id = word(at(value, self.option("id"))) if self.option("id") else ""
        if _holds(self._accepted, value) or (self._accepted is None and provider_id):
            return accepted(provider_id)
        if _holds(self._rejected, value):
            return Outcome(OutcomeKind.REJECTED, reason=reason, diagnostic=diagnostic)
        return unclear(answer)

    def question(self) -> Order:
        return self._question.order({**dict.fromkeys(FIELDS, ""), **self._login})

    async def probe(self) -> str:
        if self.option("check_path"):
            return await super().probe()
        try:
            await self.exchange(self.question())
        except httpx.HTTPError as error:
            return f"{self._profile.title} cannot be reached ({type(error).__name__}). Check url, DNS and firewall."
        return ""

    def hooks(self) -> Sequence[Hook]:
        says = Said(self.option("hook_answer"), "text/plain")
        receipts = (self.unsigned("receipts", self._receipts, says),) if self.option("receipt_status") else ()
        inbound = (self.unsigned("inbound", self._inbound, says),) if self.option("inbound_text") else ()
        return (*receipts, *inbound)

    def option(self, name: str) -> str:
        given = self.connection.options.get(name)
        return given if given is not None else self._profile.options.get(name) or super().option(name)

    @property
    def _login(self) -> dict[str, str]:
        account, secret = self.connection.account, self.connection.secret
        return {
            "account": account,
            "secret": secret,
            "basic": basic(account, secret)["Authorization"].removeprefix("Basic "),
        }

    def _value(self, answer: Answer) -> object:
        if not self.option("pattern"):
            return answer.json()
        found = self._pattern.search(answer.text[:4096])
        return found.groupdict() if found is not None else None

    def _receipts(self, request: HttpRequest) -> Sequence[Receipt]:
        told = [self._receipt(each) for each in _news(request, self.option("receipt_list"))]
        return [receipt for receipt in told if receipt is not None]

    def _receipt(self, value: Mapping[str, object]) -> Receipt | None:
        provider_id, reference, status, code = (
            word(at(value, self.option(name))) if self.option(name) else ""
            for name in ("receipt_id", "receipt_reference", "receipt_status", "receipt_code")
        )
        if not provider_id and not reference:
            raise HookRefused(400, "The receipt has no id where the options receipt_id and receipt_reference say.")
        if status not in self._states:
            raise HookRefused(400, "The receipt has a status that is not in the option receipt_states.")
        state, code = self._states[status], code_of(code)
        if state is None:
            return None
        return Receipt(
            gateway=self.name,
            provider_id=provider_id or None,
            reference=reference or None,
            state=state,
            event_id=f"{provider_id or reference}:{status}",
            reason=self._reasons.get(code),
            diagnostic=f"{code_of(status)} {code}".strip(),
            raw=json.dumps(value),
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        return [self._heard(each) for each in _news(request, self.option("inbound_list"))]

    def _heard(self, value: Mapping[str, object]) -> InboundSms:
        ids = [word(at(value, path.strip())) for path in self.option("inbound_id").split(",")]
        if not all(ids):
            raise HookRefused(400, "The answer of a phone has no id where the option inbound_id says.")
        phone, ours, text = (self.option(name) for name in ("inbound_from", "inbound_to", "inbound_text"))
        answers = self.option("inbound_answers")
        return InboundSms(
            gateway=self.name,
            event_id=":".join(ids),
            number=phone_of({phone: at(value, phone)}, phone),
            to=ours if ours.startswith("+") else phone_of({ours: at(value, ours)}, ours),
            text=words_of({text: at(value, text)}, text),
            received_at=self.connection.now(),
            raw=json.dumps(value),
            answers=word(at(value, answers)) if answers else "",
        )

    def _read(self, name: str, read: Callable[[str], T], remedy: str) -> T:
        try:
            return read(self.option(name))
        except (ValueError, re.error):
            raise self._wrong(name, remedy) from None

    def _read_template(self) -> Template:
        body = self.option("body")
        made = self._made(self.option("method"), "path", self.option("content") if body else "none", body)
        used = made.fields()
        if "text" not in used or not used & PHONE:
            raise self._wrong("body", "say where the text and the phone go, with {text} and {number} or {digits}")
        if "callback" in used and not self.option("receipt_status"):
            raise self._wrong(
                "receipt_status", "the request names {callback}; say where the status of a receipt stands"
            )
        for need in ("account", "secret"):
            value = getattr(self.connection, need)
            if not value and used & {need, "basic"}:
                raise SettingsError(f"gateways.{self.name}.{need}", "(not set)", "the request needs it; write it")
            if made.headers and not (value.isascii() and value.isprintable()):
                raise SettingsError(f"gateways.{self.name}.{need}", "(hidden)", "only ASCII can stand in a header")
        return made

    def _made(self, method: str, path: str, content: str, body: str) -> Template:
        try:
            return template(method, self.connection.url, self.option(path), self.option("headers"), content, body)
        except TemplateError as error:
            raise self._wrong(path if error.option == "path" else error.option, error.remedy) from None

    def _two_words(self, written: str) -> tuple[str, str]:
        gsm, comma, unicode = (part.strip() for part in written.partition(","))
        if not comma:
            raise ValueError("not two words")
        if "{encoding:json}" in self.option("body"):
            json.loads(f"[{gsm},{unicode}]")
        return gsm, unicode

    def _wrong(self, name: str, remedy: str) -> SettingsError:
        shown = self.option(name)
        return SettingsError(f"gateways.{self.name}.options.{name}", f'"{shown}"' if shown else "(not set)", remedy)


def _holds(wanted: Condition | None, value: object) -> bool:
    return wanted is not None and wanted.holds(value)


def _news(request: HttpRequest, path: str) -> Sequence[Mapping[str, object]]:
    """What a callback brings: the object, form or query that it is, or each one of its list."""
    is_json = "json" in request.headers.get("content-type", "") or request.body.lstrip()[:1] in (b"{", b"[")
    value = json_value(request) if is_json else fields_of(request)
    found = at(value, path) if path else value
    news = found if isinstance(found, list) else [found]
    objects = [each for each in news if isinstance(each, dict)]
    if len(objects) < len(news):
        raise HookRefused(400, "The callback holds something else than the options say.")
    return objects


def _reasons(written: str) -> dict[str, Reason]:
    return {code: Reason(reason) for code, reason in table(written).items()}


def _states(written: str) -> dict[str, MessageState | None]:
    rows = table(written)
    if not set(rows.values()) <= {*TOLD, "-"}:
        raise ValueError("not a state")
    return {status: TOLD.get(state) for status, state in rows.items()}
