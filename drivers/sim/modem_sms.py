"""The message side of a simulated modem, in PDU mode: sending, storing, announcing, acknowledging (3GPP TS 27.005)."""

import asyncio
from collections.abc import Awaitable, Callable

from drivers.sim import sms_pdu
from drivers.sim.modem_dialect import Dialect
from drivers.sim.modem_line import CMS, INVALID_INDEX, INVALID_PDU, Answer, Command, Failed, Handler, Prompt
from drivers.sim.modem_settings import Settings
from drivers.sim.modem_store import PLACES, READ, SENT, UNREAD, UNSENT, Memory, Stored
from drivers.sim.network import SERVICE_CENTRE, ZONE_S, MobileNetwork, Subscriber
from drivers.sim.network_sms import Refused
from drivers.sim.sms_text import message_class, text_parts

ACKNOWLEDGE_S = 15.0  # s that a host has for AT+CNMA before direct delivery is switched off
NOT_ALLOWED, NO_ACK_EXPECTED, MEMORY_FAILURE, MEMORY_FULL, NO_NETWORK = 302, 340, 320, 322, 331  # +CMS ERROR
OLD_TEXT, OLD_SENDER, OLD_S = "Pesan lama", "363", 86400.0  # what fills memories came a day before


class Messages:
    """`say` sends an unsolicited line; `burst` is waited for before the radio sends, and may never come back."""

    def __init__(
        self,
        modem: Subscriber,
        network: MobileNetwork,
        dialect: Dialect,
        settings: Settings,
        say: Callable[[str], None],
        burst: Callable[[], Awaitable[None]],
    ) -> None:
        self._modem, self._network, self._dialect = modem, network, dialect
        self._settings, self._say, self._burst = settings, say, burst
        self.memories = {name: Memory(name) for name in dialect.memories}
        self.reference = 0  # of the last message; wraps from 255 to 0
        self._acknowledged: asyncio.Future[bool] | None = None
        self.reset()

    def reset(self) -> None:
        """Power-up or ATZ: memories stay, routing does not."""
        self._cnmi = list(self._dialect.cnmi)
        self._service = 0
        self._chosen = [self._dialect.memory] * 3
        self._service_centre = SERVICE_CENTRE
        if self._acknowledged and not self._acknowledged.done():
            self._acknowledged.set_result(False)

    def fill(self) -> int:
        """Put old messages into the memory for incoming ones until it is full; how many."""
        memory, count = self.memories[self._chosen[2]], 0
        data, began = text_parts(OLD_TEXT, 0)[0], self._network.wall() - OLD_S
        while memory.put(Stored(READ, sms_pdu.deliver(OLD_SENDER, data, began + count, ZONE_S))) is not None:
            count += 1
        return count

    async def take(self, tpdu: bytes) -> bool:
        """From the network; False when the host or the memory did not take it."""
        if not self._modem.reachable:
            return False
        return await (self._take_report if tpdu[0] & 0x03 == sms_pdu.STATUS_REPORT else self._take_message)(tpdu)

    async def _take_message(self, tpdu: bytes) -> bool:
        mode, routing = self._cnmi[0], self._cnmi[1]
        kind = message_class(_coding_of(tpdu))
        direct = (routing == 2 and kind != 2) or (routing == 3 and kind == 3)
        if mode and direct:
            pdu = self._on_the_wire(tpdu)
            return await self._hand_over(f"+CMT: {self._dialect.alpha},{len(tpdu)}\r\n{pdu}")
        memory = self.memories["SM" if kind == 2 else self._chosen[2]]
        index = memory.put(Stored(UNREAD, tpdu))
        if index is None:
            for line in self._dialect.memory_full(memory.name, self._settings.flags):
                self._say(line)
            return False
        if mode and routing:
            self._say(f'+CMTI: "{memory.name}",{index}')
        return True

    async def _take_report(self, tpdu: bytes) -> bool:
        mode, routing = self._cnmi[0], self._cnmi[3]
        if mode and routing == 1:
            return await self._hand_over(f"+CDS: {len(tpdu)}\r\n{self._on_the_wire(tpdu)}")
        if mode and routing == 2 and "SR" in self.memories:
            index = self.memories["SR"].put(Stored(UNREAD, tpdu))
            if index is None:
                return False
            self._say(f'+CDSI: "SR",{index}')
        return True  # with 0 the report is thrown away

    async def _hand_over(self, line: str) -> bool:
        """Straight to the host; with AT+CSMS=1 it must acknowledge, or gets no more of them."""
        self._say(line)
        if not self._service:
            return True
        self._acknowledged = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ACKNOWLEDGE_S):
                return await self._acknowledged
        except TimeoutError:
            self._cnmi[1] = self._cnmi[3] = 0
            return False
        finally:
            self._acknowledged = None

    def commands(self) -> dict[str, Handler]:
        return {
            "+CMGF": self._format,
            "+CSMS": self._services,
            "+CSCA": self._centre,
            "+CPMS": self._choose,
            "+CNMI": self._routing,
            "+CNMA": self._acknowledge,
            "+CMGS": self._send,
            "+CMGW": self._write,
            "+CMSS": self._send_stored,
            "+CMGL": self._list,
            "+CMGR": self._read,
            "+CMGD": self._delete,
        }

    def _on_the_wire(self, tpdu: bytes) -> str:
        return (sms_pdu.service_centre(self._service_centre) + tpdu).hex().upper()

    def _format(self, command: Command) -> Answer:
        """PDU mode only: a driver that falls back to text mode must hear it."""
        if command.op == "=?":
            return Answer(("+CMGF: (0)",))
        if command.op == "?":
            return Answer(("+CMGF: 0",))
        if command.number(0) != 0:
            raise Failed(CMS, NOT_ALLOWED)
        return Answer()

    def _services(self, command: Command) -> Answer:
        if command.op == "?":
            return Answer((f"+CSMS: {self._service},1,1,1",))
        if command.op == "=?":
            return Answer(("+CSMS: (0,1)",))
        self._service = min(1, command.number(0))
        return Answer(("+CSMS: 1,1,1",))

    def _centre(self, command: Command) -> Answer:
        if command.op == "?":
            return Answer((f'+CSCA: "{self._service_centre}",145',))
        if command.op == "=" and command.listed[0].removeprefix("+").isdecimal():
            self._service_centre = command.listed[0]
        return Answer()

    def _choose(self, command: Command) -> Answer:
        if command.op == "=?":
            readable, others = (
                ",".join(f'"{name}"' for name in names)
                for names in (self.memories, [name for name in self.memories if name != "SR"])
            )
            return Answer((f"+CPMS: ({readable}),({others}),({others})",))
        if command.op == "?":
            return Answer(("+CPMS: " + ",".join(f'"{name}",{self._used(name)}' for name in self._chosen),))
        chosen = [name.upper() for name in command.listed]
        if not 1 <= len(chosen) <= 3 or any(name not in self.memories for name in chosen) or "SR" in chosen[1:]:
            raise Failed(CMS, NOT_ALLOWED)
        self._chosen[: len(chosen)] = chosen
        return Answer(("+CPMS: " + ",".join(self._used(name) for name in self._chosen),))

    def _used(self, name: str) -> str:
        return f"{len(self.memories[name].messages)},{self.memories[name].places}"

    def _routing(self, command: Command) -> Answer:
        if command.op == "?":
            return Answer((f"+CNMI: {','.join(map(str, self._cnmi))}",))
        if command.op == "=?":
            most = self._dialect.cnmi_most
            return Answer(("+CNMI: " + ",".join(f"({','.join(map(str, range(n + 1)))})" for n in most),))
        wanted = [command.number(i, current) for i, current in enumerate(self._cnmi)]
        if any(value > most for value, most in zip(wanted, self._dialect.cnmi_most, strict=True)):
            raise Failed(CMS, NOT_ALLOWED)
        self._cnmi = wanted
        return Answer()

    def _acknowledge(self, command: Command) -> Answer:
        if command.op == "=?":
            return Answer(("+CNMA: (0-2)",))
        if self._acknowledged is None or self._acknowledged.done():
            raise Failed(CMS, NO_ACK_EXPECTED)
        self._acknowledged.set_result(command.number(0, 0) < 2)
        return Answer()

    def _send(self, command: Command) -> Answer | Prompt:
        if command.op == "=?":
            return Answer()
        length = command.number(0)

        async def then(typed: str) -> Answer:
            return Answer((f"+CMGS: {await self._transmit(_tpdu(typed, length))}",))

        return Prompt(then)

    def _write(self, command: Command) -> Answer | Prompt:
        if command.op == "=?":
            return Answer()
        length, status = command.number(0), command.number(1, UNSENT)

        async def then(typed: str) -> Answer:
            index = self.memories[self._chosen[1]].put(Stored(status, _tpdu(typed, length)))
            if index is None:
                raise Failed(CMS, MEMORY_FULL)
            return Answer((f"+CMGW: {index}",))

        return Prompt(then)

    async def _send_stored(self, command: Command) -> Answer:
        message = self.memories[self._chosen[1]].messages.get(command.number(0))
        if message is None:
            raise Failed(CMS, INVALID_INDEX)
        reference = await self._transmit(message.tpdu)
        message.status = SENT
        return Answer((f"+CMSS: {reference}",))

    async def _transmit(self, tpdu: bytes) -> int:
        """The message reference, which is the modem's own count. Raises Failed."""
        if not self._modem.reachable:
            raise Failed(CMS, NO_NETWORK)
        await self._burst()
        reference = self.reference = (self.reference + 1) % 256
        try:
            await self._network.submit(self._modem, reference, tpdu)
        except Refused as e:
            raise Failed(CMS, e.code) from e
        except ValueError as e:
            raise Failed(CMS, INVALID_PDU) from e
        return reference

    def _shown(self, stored: Stored) -> str:
        return f"{self._dialect.alpha},{len(stored.tpdu)}\r\n{self._on_the_wire(stored.tpdu)}"

    def _list(self, command: Command) -> Answer:
        if command.op == "=?":
            return Answer(("+CMGL: (0-4)",))
        status = command.number(0, 0)
        if status > 4:
            raise Failed(CMS, NOT_ALLOWED)
        lines = []
        for index, stored in self.memories[self._chosen[0]].listed(status):
            lines.append(f"+CMGL: {index},{stored.status},{self._shown(stored)}")
            stored.status = stored.status or 1
        return Answer(tuple(lines))

    def _read(self, command: Command) -> Answer:
        if command.op == "=?":
            return Answer()
        stored = self.memories[self._chosen[0]].messages.get(command.number(0))
        if stored is None:
            raise Failed(CMS, INVALID_INDEX)
        line = f"+CMGR: {stored.status},{self._shown(stored)}"
        stored.status = stored.status or 1
        return Answer((line,))

    def _delete(self, command: Command) -> Answer:
        if command.op == "=?":
            return Answer((f"+CMGD: (1-{PLACES}),(0-4)",))
        memory = self.memories[self._chosen[0]]
        index, flag = command.number(0), command.number(1, 0)
        if flag > 4 or (flag == 0 and not 0 <= index <= memory.places):
            raise Failed(CMS, INVALID_INDEX)
        if flag:
            memory.delete(flag)
        else:
            memory.messages.pop(index, None)
        self._network.available(self._modem)
        return Answer()


def _tpdu(typed: str, length: int) -> bytes:
    """The TPDU behind the service centre's address. Raises Failed when hex, address and length do not agree."""
    try:
        octets = bytes.fromhex(typed)
    except ValueError as e:
        raise Failed(CMS, INVALID_PDU) from e
    if not octets or len(octets) - 1 - octets[0] != length:
        raise Failed(CMS, INVALID_PDU)
    return octets[1 + octets[0] :]


def _coding_of(tpdu: bytes) -> int:
    """TP-DCS of a DELIVER, behind the address and the protocol identifier; 0 where there is none."""
    at = 2 + 1 + (tpdu[1] + 1) // 2 + 1 if len(tpdu) > 1 else 0
    return tpdu[at] if 0 < at < len(tpdu) else 0
