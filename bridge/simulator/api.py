"""The simulator's HTTP face: what a gateway, a test and the phone page may call."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bridge.simulator import mail_client
from bridge.simulator.events import Events
from bridge.simulator.letters import read_letter, summary, threads, view
from bridge.simulator.mail_client import BridgeDoor
from bridge.simulator.mailroom import Mailroom
from bridge.simulator.network import Network, e164, read_order
from bridge.simulator.record import SENT, Record, StoredMail, StoredMessage
from bridge.simulator.refusal import CallRefused

LONGEST_BODY = 262_144

_PAGE = Path(__file__).parent / "page"
_PAGE_FILES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

_Endpoint = Callable[[Request], Awaitable[Response]]


class _Cut(Response):
    """No answer at all: the connection is closed after the request was read."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # ASGI knows no way to hang up; uvicorn's request cycle, whose method `receive` is, holds the transport.
        receive.__self__.transport.abort()  # type: ignore[attr-defined]
        while (await receive())["type"] != "http.disconnect":
            pass


class Api:
    """The calls over one simulator; `routes` is what an app mounts at its root."""

    def __init__(
        self, record: Record, network: Network, mailroom: Mailroom, events: Events, secret: str, door: BridgeDoor | None
    ) -> None:
        self._record = record
        self._network = network
        self._mailroom = mailroom
        self._events = events
        self._bearer = f"Bearer {secret}"
        self._door = door

    @property
    def routes(self) -> list[Route]:
        """Every route: provider, public calls, page."""
        api = "/simulator/api"
        table: list[tuple[str, str, _Endpoint]] = [
            ("GET", "/simulator/provider", self._probe),
            ("POST", "/simulator/provider/messages", self._submit),
            ("DELETE", "/simulator/provider/messages/{id}", self._take_back),
            ("GET", "/simulator/provider/media/{id}", self._media),
            ("GET", f"{api}/phones", self._phones),
            ("GET", f"{api}/phones/{{number}}", self._phone),
            ("POST", f"{api}/phones/{{number}}/replies", self._reply),
            ("POST", f"{api}/phones/{{number}}/off", self._switch),
            ("POST", f"{api}/phones/{{number}}/on", self._switch),
            ("GET", f"{api}/mail/{{address}}", self._mail),
            ("POST", f"{api}/mail/{{address}}", self._send),
            ("GET", f"{api}/mail/{{address}}/{{id}}", self._raw_mail),
            ("GET", f"{api}/mail/{{address}}/{{id}}/view", self._view),
            ("GET", f"{api}/threads/{{address}}", self._threads),
            ("GET", f"{api}/setup", self._setup),
            ("GET", f"{api}/events", self._stream),
            ("DELETE", api, self._clear),
            ("GET", "/", self._page),
            ("GET", "/simulator", self._page),
            ("GET", "/simulator/page/{file}", self._page),
        ]
        return [Route(path, _answering(endpoint), methods=[method]) for method, path, endpoint in table]

    # ------------------------------------------------------------------------------------------- provider

    async def _probe(self, request: Request) -> Response:
        self._authenticate(request)
        return JSONResponse({"status": "ok"})

    async def _submit(self, request: Request) -> Response:
        self._authenticate(request)
        answer = await self._network.submit(read_order(await _json(request)))
        if answer.broken:
            return _Cut()
        return JSONResponse(dict(answer.body), answer.status, dict(answer.headers))

    async def _take_back(self, request: Request) -> Response:
        self._authenticate(request)
        answer = await self._network.take_back(request.path_params["id"])
        return JSONResponse(dict(answer.body), answer.status)

    async def _media(self, request: Request) -> Response:
        self._authenticate(request)
        media = await self._record.media(request.path_params["id"])
        if media is None:
            raise CallRefused(404, "No phone has sent a file with that id.")
        headers = {"Content-Type": media.type, "X-Content-Type-Options": "nosniff"}
        return Response(media.data, headers=headers)

    def _authenticate(self, request: Request) -> None:
        said = request.headers.get("authorization", "")
        if not hmac.compare_digest(said.encode(), self._bearer.encode()):
            raise CallRefused(401, "Send the network's secret as 'Authorization: Bearer …'.")

    # --------------------------------------------------------------------------------------------- phones

    async def _phones(self, request: Request) -> Response:
        return JSONResponse([{"number": n, "messages": count} for n, count in await self._record.phones()])

    async def _phone(self, request: Request) -> Response:
        number = e164(request.path_params["number"])
        messages = await self._record.messages(number)
        replies = await self._record.replies(number)
        return JSONResponse(
            {
                "number": number,
                "messages": [_message(message) for message in messages if message.shown],
                "missed": [_message(message) for message in messages if not message.shown],
                "replies": [{"id": r.id, "to": r.recipient, "text": r.text, "sent_at": r.sent_at} for r in replies],
            }
        )

    async def _reply(self, request: Request) -> Response:
        number = e164(request.path_params["number"])
        body = await _json(request)
        text, media = body.get("text", "" if "media" in body else None), body.get("media")
        reply_id = await self._network.reply(number, text, body.get("to"), body.get("answers"), media)
        return JSONResponse({"id": reply_id}, 201)

    async def _switch(self, request: Request) -> Response:
        await self._network.switch(e164(request.path_params["number"]), on=request.url.path.endswith("/on"))
        return Response(status_code=204)

    # ----------------------------------------------------------------------------------------------- mail

    async def _mail(self, request: Request) -> Response:
        mails = [mail for mail in await self._mails(request) if mail.folder != SENT]
        return JSONResponse([summary(read_letter(mail)) for mail in mails])

    async def _raw_mail(self, request: Request) -> Response:
        mail = await self._one_mail(request)
        return Response(mail.raw, media_type="message/rfc822", headers={"X-Content-Type-Options": "nosniff"})

    async def _view(self, request: Request) -> Response:
        return JSONResponse(view(read_letter(await self._one_mail(request))))

    async def _threads(self, request: Request) -> Response:
        letters = [read_letter(mail) for mail in await self._mails(request)]
        return JSONResponse([[view(letter) for letter in thread] for thread in threads(letters)])

    async def _send(self, request: Request) -> Response:
        if self._door is None:
            raise CallRefused(409, "This simulator runs alone and knows no bridge: send the mail with a mail program.")
        mailbox = request.path_params["address"].lower()
        sent = await mail_client.send(self._door, mailbox, mail_client.read_draft(await _json(request)))
        await self._mailroom.keep([mailbox], sent.raw, SENT)
        return JSONResponse({"message_id": sent.message_id, "refused": dict(sent.refused)}, 201)

    async def _mails(self, request: Request) -> list[StoredMail]:
        return await self._record.mails(request.path_params["address"].lower())

    async def _one_mail(self, request: Request) -> StoredMail:
        for mail in await self._mails(request):
            if mail.id == request.path_params["id"]:
                return mail
        raise CallRefused(404, "This mailbox has no mail with that id; its list names those it has.")

    # ----------------------------------------------------------------------------------------------- page

    async def _clear(self, request: Request) -> Response:
        await self._record.clear()
        self._events.publish("all", "")
        return Response(status_code=204)

    async def _setup(self, request: Request) -> Response:
        door = self._door
        known = await self._record.addresses()
        if door is None:
            return JSONResponse({"mailboxes": known})
        return JSONResponse(
            {
                "mailboxes": list(dict.fromkeys([*door.logins, *known])),
                "phone_domain": door.phone_domain,
                "sample_number": door.sample_number,
                "smtp": f"{door.host}:{door.port}",
                "logins": dict(door.logins),
            }
        )

    async def _stream(self, request: Request) -> Response:
        return StreamingResponse(
            self._events.stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    async def _page(self, request: Request) -> Response:
        file = request.path_params.get("file", "page.html")
        media_type = "text/html" if file == "page.html" else _PAGE_FILES.get(file)
        if media_type is None:
            raise CallRefused(404, "There is no such page.")
        return FileResponse(_PAGE / file, media_type=media_type, headers=_PAGE_HEADERS)


def _answering(endpoint: _Endpoint) -> _Endpoint:
    """The endpoint, with refusals as answers, and closed to other web sites that the same browser visits."""

    async def answer(request: Request) -> Response:
        try:
            # A browser says where a call comes from (W3C Fetch Metadata); a script, which says nothing, is welcome.
            if request.method != "GET" and request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
                raise CallRefused(403, "Another web site may not call the simulator.")
            return await endpoint(request)
        except CallRefused as refused:
            # A body that was not read to its end would go on coming: hang up.
            headers = {"Connection": "close"} if refused.status == 413 else None
            return JSONResponse({"error": refused.sentence}, refused.status, headers)

    return answer


async def _json(request: Request) -> Mapping[str, object]:
    """The JSON object of a request, read no further than `LONGEST_BODY`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise CallRefused(413, f"The request is longer than {LONGEST_BODY} bytes.")
    try:
        value = json.loads(body.decode())
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise CallRefused(400, "Send a JSON object in UTF-8.")
    return value


def _message(message: StoredMessage) -> dict[str, object]:
    return {
        "id": message.id,
        "from": message.sender,
        "to": message.phone,
        "text": message.text,
        "encoding": message.encoding,
        "segments": message.segments,
        "received_at": message.received_at,
        **({"shift": message.shift} if message.shift else {}),
        **({"flash": True} if message.flash else {}),
    }
