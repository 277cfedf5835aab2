"""AWS End User Messaging. Its signature, which depends on the port, is tested with the vector of AWS elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace

from bridge.errors import Reason
from bridge.types import OutboundSms
from tests.gateways.cases import (
    EXPIRING,
    LONG,
    NOW,
    NUMBER,
    PLAIN,
    PROMOTION,
    REFERENCE,
    REJECTED,
    THROTTLED,
    UNICODE,
    UNKNOWN,
    Kind,
    Order,
    Request,
    Says,
    accepted,
    connection,
    outcome,
)
from tests.gateways.provider import Play

NAME = "aws"

ID = "cae173d2-66b9-564c-8309-21f858e9fb84"
HEAD = {"content-type": "application/x-amz-json-1.0", "x-amz-date": NOW.strftime("%Y%m%dT%H%M%SZ")}


def request(sms: OutboundSms, purpose: str = "TRANSACTIONAL", **more: int) -> Request:
    """As AWS documents it; its JSON is compared to the letter, because it goes out under a type of its own."""
    value = {
        "DestinationPhoneNumber": NUMBER,
        "OriginationIdentity": sms.sender,
        "MessageBody": sms.text,
        "MessageType": purpose,
        "Context": {"reference": REFERENCE},
        **more,
        "ConfigurationSetName": "texts",
    }
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Request("POST", "/", {**HEAD, "x-amz-target": "PinpointSMSVoiceV2.SendTextMessage"}, body)


def error(kind: str, reason: str = "", status: int = 400) -> Play:
    told = {"__type": f"com.amazonaws.pinpointsmsvoicev2#{kind}", "Message": f"to {NUMBER}", "Reason": reason}
    return Play(status, json.dumps(told))


NAMED = replace(PLAIN, sender="CLINIC")

KIND = Kind(
    connection=connection(
        account="AKIDEXAMPLE", secret="secret", options={"region": "eu-south-1", "configuration_set": "texts"}
    ),
    orders=[
        Order("plain", PLAIN, request(PLAIN)),
        Order("from a name", NAMED, request(NAMED)),
        Order("unicode", UNICODE, request(UNICODE)),
        Order("long", LONG, request(LONG)),
        Order("promotion", PROMOTION, request(PROMOTION, "PROMOTIONAL")),
        Order("of no use in two hours", EXPIRING, request(EXPIRING, TimeToLive=7200)),
    ],
    answers=[
        Says("taken", Play(200, json.dumps({"MessageId": ID})), accepted(ID)),
        Says(
            "opted out",
            error("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
            outcome(REJECTED, Reason.OPTED_OUT),
        ),
        Says(
            "country blocked",
            error("ConflictException", "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"),
            outcome(REJECTED, Reason.COUNTRY_NOT_ALLOWED),
        ),
        Says(
            "phone blocked",
            error("ConflictException", "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE"),
            outcome(REJECTED, Reason.BARRED),
        ),
        Says(
            "sender not registered",
            error("ValidationException", "SENDER_ID_NOT_REGISTERED"),
            outcome(REJECTED, Reason.SENDER_REFUSED),
        ),
        Says(
            "account on trial", error("ConflictException", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED"), outcome(REJECTED)
        ),
        Says(
            "no money",
            error("ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
            outcome(REJECTED),
        ),
        Says("wrong key", error("UnrecognizedClientException", status=403), outcome(REJECTED)),
        Says("may not send", error("AccessDeniedException"), outcome(REJECTED)),
        Says("too fast", error("ThrottlingException"), outcome(THROTTLED)),
        Says("too fast, by the status", Play(429, "", {"Retry-After": "2"}), outcome(THROTTLED, retry_after=2.0)),
        Says("broken", error("InternalServerException", status=500), outcome(UNKNOWN)),
        Says("an error that is none", Play(400, '{"__type":[],"Reason":{}}'), outcome(REJECTED)),
    ],
    question=Request("POST", "/", {**HEAD, "x-amz-target": "PinpointSMSVoiceV2.DescribeAccountAttributes"}, "{}"),
)
