"""A Modbus line that is never believed without proof: pymodbus for the bytes, our rules for what counts.

One transaction at a time, no retries. A line that answered late or wrongly is left alone until it was quiet, because
RTU answers carry no number and the late one would pass for the next. Writes go first and are sent once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from pymodbus.exceptions import ConnectionException, ModbusIOException
from pymodbus.pdu import ModbusPDU

from drivers.modbus.errors import (
    GATEWAY_SILENCE,
    BadAnswer,
    BusError,
    DeviceRefused,
    LineNeverQuiet,
    LinkLost,
    NoAnswer,
)
from drivers.modbus.frames import (
    COIL_ON,
    READ_COILS,
    READ_DISCRETES,
    READ_HOLDING,
    READ_INPUT,
    WRITE_COIL,
    WRITE_REGISTER,
    WRITE_REGISTERS,
    Question,
)
from drivers.modbus.line import Client, Line
from drivers.modbus.registers import BIT_TABLES, Table
from drivers.modbus.tally import Tallies
from drivers.modbus.tap import Tap
from drivers.modbus.turns import Turns

Function = Literal["registers", "register", "coil"]

TIMEOUT_S = 1.0  # a controller thinks 20 to 300 ms; 125 registers at 9600 baud take 280 ms more
LONGEST_TIMEOUT_S = 60.0  # pymodbus's own clock; ours ends every question long before
QUIET_S = 0.3  # measured: answers up to 80 ms late were all caught by this
NEVER_QUIET_S = 3.0  # a line that babbles longer has a second master, or the wrong speed
OPENING_S = 2.0  # a lost SYN is sent again after 1 s
RETRY_FIRST_S, RETRY_MOST_S = 0.5, 1.5  # between attempts to open a line: with a poll a second it is back within 5 s
DEAF_AFTER = 3  # questions in a row, to whomever, without an answer: a connection may be dead and not know it
FUNCTIONS: dict[Table, int] = {
    "coil": READ_COILS,
    "discrete": READ_DISCRETES,
    "holding": READ_HOLDING,
    "input": READ_INPUT,
}
WRITES: dict[Function, int] = {"registers": WRITE_REGISTERS, "register": WRITE_REGISTER, "coil": WRITE_COIL}


class Bus:
    """One line and all units on it. Opens itself when first used and again whenever it was lost.

    `timeout_s` is that of a unit whose reader does not say another. `tallies` count what every unit did.
    """

    def __init__(self, line: Line, *, timeout_s: float = TIMEOUT_S, quiet_s: float = QUIET_S) -> None:
        self.line = line
        self.timeout_s = timeout_s
        self.tallies = Tallies()
        self.quiet_s = 0.0 if line.numbered else quiet_s
        self._turns = Turns()
        self._client: Client | None = None
        self._tap: Tap | None = None
        self._next_attempt = float("-inf")
        self._retry_s = RETRY_FIRST_S
        self._unanswered = 0
        # All it has to say comes to us as errors, and whoever asked says it once and in words.
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)

    async def read(
        self, unit: int, table: Table, address: int, count: int, *, gap_s: float = 0.0, timeout_s: float | None = None
    ) -> list[int]:
        """`count` registers as numbers of 0 to 65535, or coils as 0 and 1.

        `gap_s` is the least silence that the device wants before. Raises NoAnswer, BadAnswer, DeviceRefused, LinkLost.
        """

        def send(client: Client) -> Awaitable[ModbusPDU]:
            ask = {
                "coil": client.read_coils,
                "discrete": client.read_discrete_inputs,
                "holding": client.read_holding_registers,
                "input": client.read_input_registers,
            }[table]
            return ask(address, count=count, device_id=unit)

        question = Question(unit, FUNCTIONS[table], address, count)
        answer = await self._ask(question, send, gap_s, timeout_s, urgent=False)
        return [int(bit) for bit in answer.bits[:count]] if table in BIT_TABLES else list(answer.registers)

    async def write(
        self,
        unit: int,
        address: int,
        values: Sequence[int],
        *,
        function: Function = "registers",
        gap_s: float = 0.0,
        timeout_s: float | None = None,
    ) -> None:
        """Write, before all reads that wait, and once: after an error with `sent`, look first.

        `values` go in one FC16; `register` (FC6) and `coil` (FC5) take one. Raises as `read` does.
        """
        carried = values[0] if function == "register" else COIL_ON if values[0] else 0

        def send(client: Client) -> Awaitable[ModbusPDU]:
            if function == "registers":
                return client.write_registers(address, list(values), device_id=unit)
            if function == "register":
                return client.write_register(address, values[0], device_id=unit)
            return client.write_coil(address, bool(values[0]), device_id=unit)

        count = len(values) if function == "registers" else carried
        await self._ask(Question(unit, WRITES[function], address, count), send, gap_s, timeout_s, urgent=True)

    def check_unit(self, unit: int) -> None:
        """Raises ValueError for a number that no unit on this kind of line can have."""
        if unit not in self.line.units:
            raise ValueError(f"{self.line}: no unit can be {unit}; give one of 1 to 247.")

    def close(self) -> None:
        """Let go of the port; the next question opens it again."""
        if self._client is not None:
            self._client.close()
        self._client = self._tap = None

    async def _ask(
        self,
        question: Question,
        send: Callable[[Client], Awaitable[ModbusPDU]],
        gap_s: float,
        timeout_s: float | None,
        *,
        urgent: bool,
    ) -> ModbusPDU:
        self.check_unit(question.unit)
        await self._turns.take(urgent=urgent)
        try:
            with self.tallies.question(question.unit, asyncio.get_running_loop().time):
                return await self._transact(question, send, gap_s, timeout_s or self.timeout_s)
        finally:
            self._turns.hand_on()

    async def _transact(
        self, question: Question, send: Callable[[Client], Awaitable[ModbusPDU]], gap_s: float, timeout_s: float
    ) -> ModbusPDU:
        what = f"{self.line}: unit {question.unit}, {question}"
        client, tap = await self._linked()
        await self._silence(tap, gap_s)
        loop = asyncio.get_running_loop()
        asked = loop.time()
        tap.open(question, 0.0 if self.line.numbered else timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                answer = await send(client)
            _still_wanted()
        except ConnectionException as e:
            raise LinkLost(f"{what}: the line was lost before this was sent.") from e
        except (ModbusIOException, TimeoutError) as e:
            raise self._failure(what, client, tap, timeout_s) from e
        finally:
            tap.close()
        self._retry_s = RETRY_FIRST_S
        self._unanswered = 0
        if not answer.isError():
            self.tallies.took(question.unit, loop.time() - asked)
            return answer
        if answer.exception_code in GATEWAY_SILENCE:
            raise NoAnswer(f"{what}: the gateway gets no answer. Check the unit's power, wiring and number.")
        raise DeviceRefused(what, answer.exception_code)

    def _failure(self, what: str, client: Client, tap: Tap, timeout_s: float) -> BusError:
        if tap.wrong:
            if self.line.numbered:
                self.close()  # only a new connection is certain to start between two frames
            return BadAnswer(f"{what}: got {tap.wrong}. Check for a second master, a number used twice, the wiring.")
        if not client.connected and not self.line.numbered:
            return LinkLost(f"{what}: the port vanished. Check the adapter and its cable.", sent=True)
        self._unanswered += 1
        if self._unanswered >= DEAF_AFTER and self.line.has_connection:
            self._unanswered = 0
            self.close()
        return NoAnswer(f"{what}: no answer within {timeout_s:g} s. Check power, wiring, speed and unit number.")

    async def _silence(self, tap: Tap, gap_s: float) -> None:
        """Wait until the line may be spoken on."""
        gap_s = max(gap_s, self.line.silence_s)
        quiet_s = max(gap_s, self.quiet_s)
        loop = asyncio.get_running_loop()
        give_up = loop.time() + quiet_s + NEVER_QUIET_S
        while (clear := tap.clear_at(gap_s, quiet_s)) > (now := loop.time()):
            if now > give_up:
                raise LineNeverQuiet(f"{self.line}: bytes come unasked. Check for a second master, and the speed.")
            await asyncio.sleep(clear - now)

    async def _linked(self) -> tuple[Client, Tap]:
        """The open line; opens it, though not more often than the retry time allows."""
        if self._client is not None and self._tap is not None and self._client.connected:
            return self._client, self._tap
        self.close()
        loop = asyncio.get_running_loop()
        if loop.time() < self._next_attempt:
            raise LinkLost(f"{self.line}: closed, and it is too soon to try again.")
        up = asyncio.Event()
        tap = Tap(loop.time, self.line.find, self.line.character_s)
        client = self.line.client(LONGEST_TIMEOUT_S, tap.packet, lambda connected: up.set() if connected else None)
        try:
            async with asyncio.timeout(OPENING_S):
                opened = await client.connect()
                _still_wanted()
                if opened:
                    await up.wait()  # a serial port is ready only some turns of the loop later
        except TimeoutError:
            opened = False
        except asyncio.CancelledError:
            client.close()
            raise
        finally:
            self._next_attempt = loop.time() + self._retry_s
            self._retry_s = min(2 * self._retry_s, RETRY_MOST_S)
        if not opened:
            client.close()
            raise LinkLost(f"{self.line}: cannot be opened. {self.line.absent}")
        self._client, self._tap = client, tap
        return client, tap


def _still_wanted() -> None:
    """Pass on a cancellation that pymodbus lost: `asyncio.wait_for` of Python 3.11 drops one that comes just with the
    answer, and the task that was told to end would go on for ever."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
