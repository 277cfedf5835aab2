"""AWS End User Messaging: signed JSON out; receipts and answers do not come back.

AWS hands both over to its own services only (SNS, Firehose, CloudWatch), whose notifications are proved with
certificates that have to be fetched. https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2 for
SendTextMessage and its errors, https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html for how both are written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import httpx

from bridge.errors import Reason
from bridge.gateways.base import Traits
from bridge.gateways.connection import Connection, Option
from bridge.gateways.http import HttpGateway
from bridge.gateways.orders import Answer, Order, accepted, code_of, unclear
from bridge.gateways.sigv4 import Key
from bridge.types import MessageClass, OutboundSms, Outcome, OutcomeKind

LONGEST_VALIDITY = 3 * 24 * 3600
"""Seconds; AWS takes no more."""

REASONS = {
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": Reason.OPTED_OUT,
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": Reason.BARRED,
    **dict.fromkeys(
        (
            "DESTINATION_COUNTRY_BLOCKED",
            "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
            "INTERNATIONAL_SENDING_NOT_SUPPORTED",
        ),
        Reason.COUNTRY_NOT_ALLOWED,
    ),
    **dict.fromkeys(
        (
            "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY",
            "NO_ORIGINATION_IDENTITIES_FOUND",
            "SENDER_ID_NOT_REGISTERED",
            "SENDER_ID_NOT_SUPPORTED",
            "SENDER_ID_REQUIRES_REGISTRATION",
        ),
        Reason.SENDER_REFUSED,
    ),
}


class Aws(HttpGateway):
    """A connection to one region of AWS; `account` is an access key's id, `secret` the key."""

    kind = "aws"
    title = "AWS End User Messaging"
    options = (
        Option("region", "where the sender numbers are, like eu-south-1"),
        Option("configuration_set", "the configuration set that AWS counts the texts to", ""),
    )
    traits = Traits(receipts=False, inbound=False)

    @classmethod
    def url_of(cls, options: Mapping[str, str]) -> str:
        return f"https://sms-voice.{options['region']}.amazonaws.com"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._key = Key(connection.account, connection.secret, self.option("region"), "sms-voice")

    def order(self, sms: OutboundSms) -> Order:
        promotion = sms.message_class is MessageClass.PROMOTIONAL
        value: dict[str, object] = {
            "DestinationPhoneNumber": sms.number,
            "OriginationIdentity": sms.sender,
            "MessageBody": sms.text,
            "MessageType": "PROMOTIONAL" if promotion else "TRANSACTIONAL",
            "Context": {"reference": sms.reference},
        }
        left = self.seconds_left(sms, LONGEST_VALIDITY)
        if left is not None:
            value["TimeToLive"] = left
        if self.option("configuration_set"):
            value["ConfigurationSetName"] = self.option("configuration_set")
        return self._call("SendTextMessage", value)

    def outcome(self, answer: Answer) -> Outcome:
        if answer.ok:
            return accepted(answer.at("MessageId")) if answer.at("MessageId") else unclear(answer)
        outcome, told = self.refused(answer), answer.at("Reason")
        error = str(answer.at("__type") or "").rpartition("#")[2]
        kind = OutcomeKind.THROTTLED if error.startswith("Throttling") else outcome.kind
        reason = REASONS.get(told) if isinstance(told, str) and kind is OutcomeKind.REJECTED else None
        diagnostic = " ".join(part for part in (outcome.diagnostic, code_of(error), code_of(told)) if part)
        return Outcome(kind, reason=reason, diagnostic=diagnostic, retry_after=outcome.retry_after)

    def question(self) -> Order:
        return self._call("DescribeAccountAttributes", {})

    def _call(self, action: str, value: Mapping[str, object]) -> Order:
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"PinpointSMSVoiceV2.{action}"}
        host = httpx.URL(self.connection.url).netloc.decode()
        return Order(
            "POST", f"{self.connection.url}/", self._key.sign(host, headers, body, self.connection.now()), body
        )
