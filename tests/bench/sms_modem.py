"""A modem of the bench's own: hand-written bytes on a pty, answers at once, one process. It shares no code with ours.

Run as a program it needs the standard library alone. It prints its port; then each line of JSON on its stdin is a
thing to do, and each line of JSON that it prints is a thing that happened, with the moment of CLOCK_MONOTONIC.
"""

import json
import os
import re
import select
import sqlite3
import sys
import time
import tty

SERVICE_CENTRE = "0691261800002143"[:14]  # seven octets, its length in front
PLACES = 255
STATED = {  # a question's constant answer
    "I": ["BENCH", "BM1"], "+CGMI": ["BENCH"], "+GMI": ["BENCH"], "+CGMM": ["BM1"], "+GMM": ["BM1"], "+CGMR": ["1"],
    "+CGSN": ["490154203237518"], "+GSN": ["490154203237518"], "+CIMI": ["510100000000001"],
    "+CPIN?": ["+CPIN: READY"], "+CFUN?": ["+CFUN: 1"], "+CSQ": ["+CSQ: 20,0"], "+CREG?": ["+CREG: 0,1"],
    "+CGREG?": ["+CGREG: 0,1"], "+CEREG?": ["+CEREG: 0,1"], "+COPS?": ['+COPS: 0,0,"BENCH",7'],
    "+CSCS?": ['+CSCS: "GSM"'], "+CSCS=?": ['+CSCS: ("GSM","IRA","UCS2")'], "+CMGF?": ["+CMGF: 0"],
    "+CMGF=?": ["+CMGF: (0,1)"], "+CSCA?": ['+CSCA: "+62811000000",145'], "+CMEE?": ["+CMEE: 1"],
    "+CNMI=?": ["+CNMI: (0-2),(0-3),(0-3),(0-2),(0,1)"], "+CPMS=?": ['+CPMS: ("SM"),("SM"),("SM")'],
    "+CBC": ["+CBC: 0,100"],
}  # fmt: skip
TAKEN = re.compile(
    r"|[EVQZ]\d?|&[FCDKW]\d?|S0=\d+|X\d"
    r"|\+(CMEE|CLIP|CRC|CVHU|CMMS|CSCS|CSMP|CMGF|CFUN|COPS|CREG|CGREG|CEREG|CSCA|CCWA|COLP|CTZR|CTZU|CLCC)=.*|\+CLCC"
)


class Modem:
    def __init__(self, journal: str) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.store: dict[int, str] = {}
        self.typed = bytearray()
        self.unacknowledged = ""
        self.power_up()
        self.inside: tuple[str, str] | None = None  # (command, PDU): it comes while that command is answered
        self.journal = sqlite3.connect(f"file:{journal}?mode=ro", uri=True) if journal else None

    def power_up(self) -> None:
        """Settings are forgotten, messages stay."""
        self.echo, self.mode, self.routing, self.service = True, 0, 0, 0

    def tell(self, what: str, **more: object) -> None:
        sys.stdout.write(json.dumps({"what": what, "at": time.monotonic(), **more}) + "\n")
        sys.stdout.flush()

    def write(self, text: str) -> None:
        os.write(self.master, text.encode())

    def answer(self, *lines: str, final: str = "OK") -> None:
        self.write("".join(f"\r\n{line}\r\n" for line in (*lines, final)))

    def deliver(self, tpdu: str, direct: bool = False) -> None:
        """From the network: handed over or stored, as the host has asked for, or handed over all the same."""
        pdu, length = SERVICE_CENTRE + tpdu, len(tpdu) // 2
        if direct or (self.mode and self.routing == 2):
            self.unacknowledged = pdu
            at = time.monotonic()
            self.write(f"\r\n+CMT: ,{length}\r\n{pdu}\r\n")
        else:
            index = next(i for i in range(1, PLACES + 1) if i not in self.store)
            self.store[index] = pdu
            at = time.monotonic()
            if self.mode and self.routing == 1:
                self.write(f'\r\n+CMTI: "SM",{index}\r\n')
        self.tell("said", said=at, pdu=pdu)

    def kept(self, pdu: str) -> bool:
        """Whether the journal's file has it: what another connection sees in WAL mode has been synced."""
        if self.journal is None:
            return False
        found = self.journal.execute(
            "SELECT body FROM events WHERE kind='sms.part_received' ORDER BY seq DESC LIMIT 20"
        )
        return any(pdu in body for (body,) in found)

    def line(self, line: str) -> None:
        if line[:2].upper() != "AT":
            return
        at, command = time.monotonic(), line[2:].upper()
        if self.inside and command.startswith(self.inside[0]):
            tpdu, self.inside = self.inside[1], None
            self.deliver(tpdu)
        name, _, value = command.partition("=")
        used = f"{len(self.store)},{PLACES}"
        if command in STATED:
            self.answer(*STATED[command])
        elif command == "+CPMS?":
            self.answer("+CPMS: " + ",".join([f'"SM",{used}'] * 3))
        elif name == "+CPMS":
            self.answer(f"+CPMS: {used},{used},{used}")
        elif name == "+CSMS?" or (name == "+CSMS" and value == "?"):
            self.answer(f"+CSMS: {self.service},1,1,1")
        elif name == "+CSMS":
            self.service = int(value)
            self.answer("+CSMS: 1,1,1")
        elif command == "+CNMI?":
            self.answer(f"+CNMI: {self.mode},{self.routing},0,0,0")
        elif name == "+CNMI":
            self.mode, self.routing = [int(part or 0) for part in [*value.split(","), "0"]][:2]
            self.answer()
        elif command == "+CNMA":
            self.acknowledged(at)
        elif name in ("+CMGL", "+CMGR", "+CMGD"):
            self.messages(name, value, at)
        elif TAKEN.fullmatch(command):
            self.echo = {"E0": False, "E1": True}.get(command, self.echo)
            self.answer()
        else:
            self.answer(final="ERROR")

    def acknowledged(self, at: float) -> None:
        pdu, self.unacknowledged = self.unacknowledged, ""
        if pdu and self.service:
            self.tell("acknowledged", by=at, pdu=pdu, kept=self.kept(pdu))
            self.answer()
        else:
            self.answer(final="+CMS ERROR: 340")

    def messages(self, name: str, value: str, at: float) -> None:
        if name == "+CMGL":
            shown = [f"+CMGL: {index},1,,{len(pdu) // 2 - 7}\r\n{pdu}" for index, pdu in sorted(self.store.items())]
            self.answer(*(shown if value in ("4", '"ALL"', "1") else []))
            return
        index = int(value.partition(",")[0] or 0)
        pdu = self.store.get(index)
        if name == "+CMGR" and pdu is not None:
            self.answer(f"+CMGR: 0,,{len(pdu) // 2 - 7}\r\n{pdu}")
            self.tell("read", by=at, pdu=pdu)
        elif name == "+CMGD":
            if self.store.pop(index, None) is not None:
                self.tell("acknowledged", by=at, pdu=pdu, kept=self.kept(str(pdu)))
            self.answer()
        else:
            self.answer(final="+CMS ERROR: 321")

    def take(self, data: bytes) -> None:
        for octet in data:
            if octet == 0x1B:
                self.typed.clear()
            elif octet in (10, 13):
                line = self.typed.decode(errors="replace").strip()
                self.typed.clear()
                if line:
                    if self.echo:
                        self.write(line + "\r")
                    self.line(line)
            else:
                self.typed.append(octet)

    def run(self) -> None:
        told = os.fdopen(0, "rb", buffering=0)
        waiting = b""
        print(os.ttyname(self.slave), flush=True)
        while True:
            ready, _, _ = select.select([self.master, told], [], [])
            if told in ready:
                data = told.read(65536)
                if not data:
                    return
                *lines, waiting = (waiting + data).split(b"\n")
                for line in lines:
                    self.do(**json.loads(line))
            if self.master in ready:
                self.take(os.read(self.master, 4096))

    def do(self, do: str, **with_: str) -> None:
        match do:
            case "deliver":
                self.deliver(with_["tpdu"])
            case "hand_over":
                self.deliver(with_["tpdu"], direct=True)
            case "inside":
                self.inside = with_["command"], with_["tpdu"]
            case "power_up":
                self.power_up()
            case "forget":
                self.store.clear()


if __name__ == "__main__":
    Modem(sys.argv[1] if len(sys.argv) > 1 else "").run()
