"""One connection to an SMSC: bound, asked and answered in any order, watched while it is idle, and left politely.

Source: SMPP 3.4 sections 2.2 (session states), 2.7 (timers), 2.8 (errors), 2.9 (windows) and 4. Whatever was written
and not answered when the connection ends is in doubt; whatever was still waiting for its turn never left.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from bridge.gateways.smpp import status
from bridge.gateways.smpp.pace import Pace
from bridge.gateways.smpp.pdu import (
    RESPONSE,
    Address,
    Command,
    MalformedPdu,
    Pdu,
    ShortMessage,
    Tag,
    bind_body,
    cancel_body,
    read_data,
    read_deliver,
    read_submit_response,
    split,
    submit_body,
)
from bridge.gateways.smpp.terms import BindRefused, Mode, NeverLeft, NoAnswer, Terms

log = structlog.get_logger("bridge.smpp")

MOST_HEARD = 500
"""Messages of an SMSC that may wait for their commit; more are answered that it tries again later."""

FAREWELL = 5.0
"""Seconds in which what is under way may end before a session is left."""

CONGESTED = 90
"""From this congestion_state on an SMSC asks for less (SMPP 5.0 section 4.8.4.18)."""


MOST_OVERDUE = 1000
"""Submits whose answer did not come in time and is still heard."""

Late = Callable[[int, str], Awaitable[None]]
"""Told the status and the message id of an answer that came after nobody waited for it any more."""

_BIND = {
    Mode.TRANSCEIVER: Command.BIND_TRANSCEIVER,
    Mode.TRANSMITTER: Command.BIND_TRANSMITTER,
    Mode.RECEIVER: Command.BIND_RECEIVER,
}


class Session(asyncio.Protocol):
    """A bound connection. `hear` keeps a message of the SMSC and returns the status to answer it with."""

    def __init__(self, terms: Terms, mode: Mode, hear: Callable[[ShortMessage, Session], Awaitable[int]]) -> None:
        self.mode = mode
        self.ended_at: float | None = None
        """When the connection was lost or left, by the event loop's clock."""
        self.why = "the SMSC closed the connection"
        """Why it ended."""
        self.ready = asyncio.Event()
        """Set when it takes submits again; whoever waits for any of several sessions gives all of them the same."""
        self._terms = terms
        self._hear = hear
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._asked: dict[int, tuple[int, asyncio.Future[Pdu]]] = {}
        self._overdue: OrderedDict[int, Late] = OrderedDict()
        self._sequence = 0
        self._window = asyncio.Semaphore(terms.window)
        self._pace = Pace(terms.rate)
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._sends = False
        self._suspect = False
        self._heard = 0
        self._transport: asyncio.Transport

    @classmethod
    async def open(cls, terms: Terms, mode: Mode, hear: Callable[[ShortMessage, Session], Awaitable[int]]) -> Session:
        """Connect and bind. Raises OSError (TimeoutError and ssl.SSLError among them), BindRefused and NoAnswer."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(terms.timeout):
            _, session = await loop.create_connection(
                lambda: cls(terms, mode, hear),
                terms.host,
                terms.port,
                ssl=terms.tls,
                server_hostname=terms.host if terms.tls is not None else None,
            )
        try:
            body = bind_body(terms.system_id, terms.password, terms.system_type, terms.version)
            answer = await session._ask(_BIND[mode], body, terms.timeout)
            if answer.status != status.OK:
                raise BindRefused(answer.status)
        except BaseException:
            session.drop()
            raise
        session._sends = mode is not Mode.RECEIVER
        return session

    # ------------------------------------------------------------------------------------------ what we ask

    @property
    def sends(self) -> bool:
        """Whether it takes a submit now."""
        return self._sends and not self._suspect and not self._transport.is_closing()

    @property
    def load(self) -> int:
        """Requests that wait for their answer."""
        return len(self._asked)

    async def submit(self, message: ShortMessage, until: float, late: Late | None = None) -> tuple[int, str]:
        """Begin to hand one segment over before the moment `until`: the status, and the id where it was taken.

        Raises NeverLeft and NoAnswer; after the latter `late` is told the answer if it comes after all.
        """
        try:
            async with asyncio.timeout_at(until):
                await self._window.acquire()
        except TimeoutError:
            raise NeverLeft("the window is full", wait=1.0) from None
        try:
            await self._turn(until)
            if not self.sends:
                raise NeverLeft("the bind is being left")
            answer = await self._ask(Command.SUBMIT_SM, submit_body(message), self._terms.timeout, late)
        except NoAnswer:
            self._doubt()
            raise
        finally:
            self._window.release()
        return answer.status, self._learn(answer)

    async def cancel(self, message_id: str, source: Address, destination: Address) -> int:
        """Ask the SMSC not to deliver a message it has (section 4.9); the status. Raises NeverLeft and NoAnswer."""
        answer = await self._ask(Command.CANCEL_SM, cancel_body(message_id, source, destination), self._terms.timeout)
        return answer.status

    async def _turn(self, until: float) -> None:
        while True:
            now = self._loop.time()
            turn = self._pace.turn(now, until)
            if turn is None:
                raise NeverLeft("the bind holds back", wait=self._pace.wait(now))
            if turn > now:
                await asyncio.sleep(turn - now)
            if not self._pace.holds(self._loop.time()):
                return

    def _learn(self, answer: Pdu) -> str:
        """The message id of an answer; and whether to go slower."""
        message_id, tlvs = read_submit_response(answer.body)
        congestion = tlvs.get(Tag.CONGESTION_STATE, b"\0")
        if status.is_throttling(answer.status) or congestion[-1:] >= bytes((CONGESTED,)):
            self._pace.throttled(self._loop.time())
        elif answer.status == status.OK:
            self._pace.went_well()
        elif answer.status == status.WRONG_BIND_STATE and self._sends:  # it does not take us for bound
            self._spawn(self.leave("the SMSC does not take us for bound"))
        return message_id if answer.status == status.OK else ""

    @property
    def hold(self) -> float:
        """Seconds that it holds back."""
        return self._pace.wait(self._loop.time())

    async def _ask(self, command: Command, body: bytes, patience: float, late: Late | None = None) -> Pdu:
        if self._transport.is_closing():
            raise NeverLeft("the connection is closed")
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        sequence = self._sequence
        answer: asyncio.Future[Pdu] = self._loop.create_future()
        self._asked[sequence] = command, answer
        self._transport.write(Pdu(command, sequence, body=body).encode())
        try:
            async with asyncio.timeout(patience):
                return await answer
        except TimeoutError:
            if late is not None:
                self._overdue[sequence] = late
                if len(self._overdue) > MOST_OVERDUE:
                    self._overdue.popitem(last=False)
            raise NoAnswer("no answer in time") from None
        finally:
            self._asked.pop(sequence, None)

    # --------------------------------------------------------------------------------------- while it lasts

    async def run(self) -> None:
        """Last until the connection ends; an SMSC that says nothing is asked whether it is still there."""
        while not self._over.is_set():
            heard = self._heard
            try:
                async with asyncio.timeout(self._terms.enquire_every):
                    await self._over.wait()
            except TimeoutError:
                if heard == self._heard:
                    await self._enquire()

    async def leave(self, why: str = "we left") -> None:
        """Let what is under way end, unbind, close (section 4.2). Never raises, and takes a few seconds at most."""
        self._sends = False
        self.why = why
        await self._settle()
        try:
            await self._ask(Command.UNBIND, b"", FAREWELL)
        except (NeverLeft, NoAnswer) as error:
            log.info("smpp.left_without_farewell", error=str(error))
        self._transport.close()
        try:
            async with asyncio.timeout(FAREWELL):
                await self._over.wait()
        except TimeoutError:  # the SMSC does not even read any more
            self.drop()

    def drop(self) -> None:
        """Close the connection as it is, where it is not closed yet."""
        if not self._over.is_set():
            self._transport.abort()

    def _doubt(self) -> None:
        """Nothing more goes to an SMSC that kept silent, before it has said that it is there."""
        if not self._suspect:
            self._suspect = True
            self._spawn(self._enquire())

    async def _enquire(self) -> None:
        try:
            await self._ask(Command.ENQUIRE_LINK, b"", self._terms.timeout)
        except NoAnswer:
            self.why = "the SMSC did not answer whether it is there"
            self.drop()
        except NeverLeft:
            return  # it ended while we were about to ask
        self._suspect = False
        self.ready.set()

    async def _settle(self) -> None:
        """Wait for the answers that are owed on both sides."""
        mine = {task for task in self._tasks if task is not asyncio.current_task()}
        waiting = {answer for _, answer in self._asked.values()} | mine
        if waiting:
            await asyncio.wait(waiting, timeout=FAREWELL)

    # ------------------------------------------------------------------------------------ what comes to us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._sends = False
        self.ended_at = self._loop.time()
        if error is not None:
            self.why = f"the connection was lost ({type(error).__name__})"
        for _, answer in self._asked.values():
            if not answer.done():
                answer.set_exception(NoAnswer("the connection ended"))
        self._over.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._heard += 1
        try:
            for pdu in split(self._buffer):
                self._take(pdu)
        except MalformedPdu as error:
            self.why = str(error)
            self._transport.abort()

    def _take(self, pdu: Pdu) -> None:
        if pdu.command & RESPONSE:
            self._answered(pdu)
        elif pdu.command in (Command.DELIVER_SM, Command.DATA_SM):
            if len(self._tasks) < MOST_HEARD:
                self._spawn(self._keep(pdu))
            else:
                self._answer(pdu, status.TRY_AGAIN)
        elif pdu.command == Command.ENQUIRE_LINK:
            self._answer(pdu)
        elif pdu.command == Command.UNBIND:
            self._sends = False
            self._spawn(self._let_go(pdu))
        elif pdu.command != Command.ALERT_NOTIFICATION:  # the one request that wants no answer
            self._write(Pdu(Command.GENERIC_NACK, pdu.sequence, status.INVALID_COMMAND_ID))

    def _answered(self, pdu: Pdu) -> None:
        command, answer = self._asked.get(pdu.sequence, (0, None))
        if answer is None or answer.done():
            late = self._overdue.pop(pdu.sequence, None)
            if late is not None and pdu.command == Command.SUBMIT_SM | RESPONSE:
                self._spawn(late(pdu.status, self._learn(pdu)))
        elif pdu.command == Command.GENERIC_NACK:  # whatever its status says, it is no yes
            answer.set_result(replace(pdu, status=pdu.status or status.UNKNOWN_ERROR))
        elif pdu.command == command | RESPONSE:
            answer.set_result(pdu)

    async def _keep(self, pdu: Pdu) -> None:
        try:
            message = read_deliver(pdu.body) if pdu.command == Command.DELIVER_SM else read_data(pdu.body)
        except MalformedPdu as error:
            log.warning("smpp.not_understood", why=str(error))
            self._answer(pdu, status.NEVER_AGAIN)
            return
        self._answer(pdu, await self._hear(message, self))

    async def _let_go(self, pdu: Pdu) -> None:
        """The SMSC unbinds: it may still answer what it has."""
        self.why = "the SMSC unbound"
        await self._settle()
        self._answer(pdu)
        self._transport.close()

    def _answer(self, pdu: Pdu, code: int = status.OK) -> None:
        carries_id = pdu.command in (Command.DELIVER_SM, Command.DATA_SM)
        self._write(Pdu(pdu.command | RESPONSE, pdu.sequence, code, b"\0" if carries_id else b""))

    def _write(self, pdu: Pdu) -> None:
        if not self._transport.is_closing():
            self._transport.write(pdu.encode())

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
