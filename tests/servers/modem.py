"""A GSM modem on a pseudo terminal, as far as gammu's generic AT driver asks it (3GPP TS 27.005 and 27.007).

What it is given to send is kept in `sent`, decoded from the PDU that would go on the air (3GPP TS 23.040); what phones
write and what the network reports is put into it.
"""

from __future__ import annotations

import asyncio
import os
import tty
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

import gsm0338

SMSC = "+393359609600"
_GSM7 = gsm0338.Codec()

_ANSWERS = {
    "AT+CGMI": "Example",
    "AT+CGMM": "Example One",
    "AT+CGMR": "1.0",
    "AT+CGSN": "490154203237518",
    "AT+CIMI": "222011234567890",
    "AT+CPIN?": "+CPIN: READY",
    "AT+CSQ": "+CSQ: 20,0",
    "AT+CBC": "+CBC: 0,100",
    "AT+CSCA?": f'+CSCA: "{SMSC}",145',
    "AT+CSCS?": '+CSCS: "GSM"',
    "AT+CSCS=?": '+CSCS: ("GSM","UCS2")',
    "AT+CNMI=?": "+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)",
    "AT+CPMS=?": '+CPMS: ("SM"),("SM"),("SM")',
}
_FINE = ("AT", "ATE1", "AT+CMEE=1", "AT+CFUN=1", "AT+CMGF=0", "AT+CMMS=2", "")
_FINE_WITH = ("AT+CNMI=", "AT+CSCS=", "AT+CREG=")


@dataclass(frozen=True, slots=True)
class Sent:
    """One SMS as it left: an SMS-SUBMIT."""

    reference: int
    """TP-MR, which its report carries."""
    number: str
    text: str
    alphabet: str
    header: bytes
    """The user data header without its length."""
    wants_report: bool
    validity: int | None
    """TP-VP."""


@dataclass
class Modem:
    """One modem. `script` says what the next texts come to: an error of the network, None for one without a number."""

    sent: list[Sent] = field(default_factory=list)
    script: deque[int | None] = field(default_factory=deque)
    stored: dict[int, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    _incoming: bytes = b""
    _wants_pdu: bool = False
    _references: int = 0
    _locations: int = 0
    _master: int = -1
    _slave: int = -1

    def open(self) -> str:
        """Switch it on; the device that it is."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._read)
        return os.ttyname(self._slave)

    def close(self) -> None:
        """Switch it off."""
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)

    def hears(self, number: str, text: str, *, header: bytes = b"", unicode: bool = False, at: datetime) -> None:
        """A phone writes: an SMS-DELIVER is stored until gammu fetches it."""
        alphabet = 8 if unicode else 0
        first = 0x04 | (0x40 if header else 0)
        body = _body(text, header, unicode=unicode)
        self._locations += 1
        self.stored[self._locations] = b"".join(
            (_smsc(), bytes((first,)), _address(number), bytes((0, alphabet)), _stamp(at), body)
        )

    def reports(self, sent: Sent, status: int = 0) -> None:
        """The network says what became of an SMS: an SMS-STATUS-REPORT, given at once."""
        stamp = _stamp(datetime.now(UTC))
        pdu = b"".join((bytes((0x06, sent.reference)), _address(sent.number), stamp, stamp, bytes((status,))))
        self._say(f"+CDS: {len(pdu)}\r\n{(_smsc() + pdu).hex().upper()}")

    def _read(self) -> None:
        self._incoming += os.read(self._master, 65_536)
        while (end := self._incoming.find(b"\x1a" if self._wants_pdu else b"\r")) >= 0:
            line, self._incoming = self._incoming[:end].strip(), self._incoming[end + 1 :]
            if self._wants_pdu:
                self._wants_pdu = False
                self._send(bytes.fromhex(line.decode()))
            else:
                self._answer(line.decode("latin-1"))

    def _answer(self, command: str) -> None:
        self.asked.append(command)
        os.write(self._master, command.encode("latin-1") + b"\r")
        if command.startswith("AT+CMGS="):
            self._wants_pdu = True
            os.write(self._master, b"\r\n> ")
        elif command in _ANSWERS:
            self._say(_ANSWERS[command], "OK")
        elif command.startswith("AT+CPMS="):
            used = f"{len(self.stored)},50"
            self._say(f"+CPMS: {used},{used},{used}", "OK")
        elif command.startswith("AT+CMGL"):
            lines = [
                f"+CMGL: {at},1,,{len(pdu) - len(_smsc())}\r\n{pdu.hex().upper()}" for at, pdu in self.stored.items()
            ]
            self._say(*lines, "OK")
        elif command.startswith("AT+CMGR="):
            pdu = self.stored[int(command.partition("=")[2])]
            self._say(f"+CMGR: 1,,{len(pdu) - len(_smsc())}\r\n{pdu.hex().upper()}", "OK")
        elif command.startswith("AT+CMGD="):
            self.stored.pop(int(command.partition("=")[2].split(",")[0]), None)
            self._say("OK")
        else:
            self._say("OK" if command in _FINE or command.startswith(_FINE_WITH) else "ERROR")

    def _send(self, pdu: bytes) -> None:
        self._references = (self._references + 1) % 256
        self.sent.append(_submit(pdu, self._references))
        if not self.script:
            self._say(f"+CMGS: {self._references}", "OK")
        else:
            error = self.script.popleft()
            self._say("ERROR" if error is None else f"+CMS ERROR: {error}")

    def _say(self, *lines: str) -> None:
        for line in lines:
            os.write(self._master, f"\r\n{line}\r\n".encode())


def _submit(pdu: bytes, reference: int) -> Sent:
    pdu = pdu[pdu[0] + 1 :]
    first, digits, at = pdu[0], pdu[2], 4
    octets = pdu[at : at + (digits + 1) // 2]
    number = ("+" if pdu[3] == 0x91 else "") + _swapped(octets)[:digits]
    at += len(octets)
    coding = pdu[at + 1]
    at += 2
    validity = pdu[at] if first & 0x18 == 0x10 else None
    at += 0 if validity is None else 1
    length, data = pdu[at], pdu[at + 1 :]
    skipped = data[0] + 1 if first & 0x40 else 0
    header = data[1:skipped]
    if coding == 8:
        alphabet, text = "UCS-2", data[skipped:length].decode("utf-16-be")
    else:
        septets = bytes(int.from_bytes(data, "little") >> 7 * at & 0x7F for at in range(-(-skipped * 8 // 7), length))
        alphabet, text = "GSM", str(_GSM7.decode(septets)[0])
    return Sent(reference, number, text, alphabet, header, bool(first & 0x20), validity)


def _body(text: str, header: bytes, *, unicode: bool) -> bytes:
    """TP-UDL and TP-UD."""
    head = bytes((len(header),)) + header if header else b""
    if unicode:
        octets = head + text.encode("utf-16-be", "surrogatepass")
        return bytes((len(octets),)) + octets
    septets: bytes = _GSM7.encode(text)[0]
    skipped = -(-len(head) * 8 // 7)
    packed = sum(septet << 7 * at for at, septet in enumerate(septets, skipped)) | int.from_bytes(head, "little")
    length = skipped + len(septets)
    return bytes((length,)) + packed.to_bytes(-(-length * 7 // 8), "little")


def _address(number: str) -> bytes:
    """TP-OA or TP-DA: international with a plus, digits as they are, or a name."""
    digits = number.removeprefix("+")
    if digits.isdecimal():
        return bytes((len(digits), 0x91 if number != digits else 0x81)) + _nibbles(digits)
    septets: bytes = _GSM7.encode(number)[0]
    packed = sum(septet << 7 * at for at, septet in enumerate(septets)).to_bytes(-(-len(septets) * 7 // 8), "little")
    return bytes((-(-len(septets) * 7 // 4), 0xD0)) + packed


def _smsc() -> bytes:
    octets = b"\x91" + _nibbles(SMSC.removeprefix("+"))
    return bytes((len(octets),)) + octets


def _stamp(at: datetime) -> bytes:
    """TP-SCTS, in UTC."""
    return _nibbles(at.astimezone(UTC).strftime("%y%m%d%H%M%S") + "00")


def _nibbles(digits: str) -> bytes:
    even = digits + "F" * (len(digits) % 2)
    return bytes.fromhex("".join(even[at + 1] + even[at] for at in range(0, len(even), 2)))


def _swapped(octets: bytes) -> str:
    return "".join(f"{octet & 15:X}{octet >> 4:X}" for octet in octets)
