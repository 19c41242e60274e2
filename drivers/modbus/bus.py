"""A Modbus line that is never believed without proof: pymodbus for the bytes, our rules for what counts.

One transaction at a time, no retries. A line that answered late or wrongly is left alone until it was quiet, because
RTU answers carry no number and the late one would pass for the next. Writes go first and are sent once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

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
from drivers.modbus.frames import READ_HOLDING, READ_INPUT, WRITE_REGISTERS, Question
from drivers.modbus.line import Client, Line
from drivers.modbus.registers import Table
from drivers.modbus.tap import Tap
from drivers.modbus.turns import Turns

TIMEOUT_S = 1.0  # a controller thinks 20 to 300 ms; 125 registers at 9600 baud take 280 ms more
QUIET_S = 0.3  # measured: answers up to 80 ms late were all caught by this
NEVER_QUIET_S = 3.0  # a line that babbles longer has a second master, or the wrong speed
RETRY_FIRST_S, RETRY_MOST_S = 0.5, 5.0  # between attempts to open a line; pymodbus's own goes to 300 s
FUNCTIONS: dict[Table, int] = {"coil": 1, "discrete": 2, "holding": READ_HOLDING, "input": READ_INPUT}


class Bus:
    """One line and all units on it. Opens itself when first used and again whenever it was lost."""

    def __init__(self, line: Line, *, timeout_s: float = TIMEOUT_S, quiet_s: float = QUIET_S) -> None:
        self.line = line
        self._timeout_s = timeout_s
        self._quiet_s = 0.0 if line.numbered else quiet_s
        self._turns = Turns()
        self._client: Client | None = None
        self._tap: Tap | None = None
        self._next_attempt = float("-inf")
        self._retry_s = RETRY_FIRST_S
        # All it has to say comes to us as errors, and whoever asked says it once and in words.
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)

    async def read(self, unit: int, table: Table, address: int, count: int, *, gap_s: float = 0.0) -> list[int]:
        """`count` registers as numbers of 0 to 65535. `gap_s` is the least silence that the device wants before.

        Raises NoAnswer, BadAnswer, DeviceRefused or LinkLost.
        """

        def send(client: Client) -> Awaitable[ModbusPDU]:
            if table == "holding":
                return client.read_holding_registers(address, count=count, device_id=unit)
            return client.read_input_registers(address, count=count, device_id=unit)

        answer = await self._ask(Question(unit, FUNCTIONS[table], address, count), send, gap_s, urgent=False)
        return list(answer.registers)

    async def write(self, unit: int, address: int, values: list[int], *, gap_s: float = 0.0) -> None:
        """Write registers in one FC16, before all reads that wait, and once: after an error with `sent`, look first.

        Raises NoAnswer, BadAnswer, DeviceRefused or LinkLost.
        """

        def send(client: Client) -> Awaitable[ModbusPDU]:
            return client.write_registers(address, values, device_id=unit)

        await self._ask(Question(unit, WRITE_REGISTERS, address, len(values)), send, gap_s, urgent=True)

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
        self, question: Question, send: Callable[[Client], Awaitable[ModbusPDU]], gap_s: float, *, urgent: bool
    ) -> ModbusPDU:
        self.check_unit(question.unit)
        what = f"{self.line}: unit {question.unit}, {question}"
        async with self._turns.turn(urgent=urgent):
            client, tap = await self._linked()
            await self._silence(tap, gap_s)
            tap.open(question, 0.0 if self.line.numbered else self._timeout_s)
            try:
                answer = await send(client)
                _still_wanted()
            except ConnectionException as e:
                raise LinkLost(f"{what}: the line was lost before this was sent.") from e
            except ModbusIOException as e:
                raise self._failure(what, client, tap) from e
            finally:
                tap.close()
        self._retry_s = RETRY_FIRST_S
        if not answer.isError():
            return answer
        if answer.exception_code in GATEWAY_SILENCE:
            raise NoAnswer(f"{what}: the gateway gets no answer. Check the unit's power, wiring and number.")
        raise DeviceRefused(what, answer.exception_code)

    def _failure(self, what: str, client: Client, tap: Tap) -> BusError:
        if tap.wrong:
            if self.line.numbered:
                self.close()  # only a new connection is certain to start between two frames
            return BadAnswer(f"{what}: got {tap.wrong}. Check for a second master, a number used twice, the wiring.")
        if not client.connected and not self.line.numbered:
            return LinkLost(f"{what}: the port vanished. Check the adapter and its cable.", sent=True)
        return NoAnswer(f"{what}: no answer within {self._timeout_s:g} s. Check power, wiring, speed and unit number.")

    async def _silence(self, tap: Tap, gap_s: float) -> None:
        """Wait until the line may be spoken on."""
        gap_s = max(gap_s, self.line.silence_s)
        quiet_s = max(gap_s, self._quiet_s)
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
        client = self.line.client(self._timeout_s, tap.packet, lambda connected: up.set() if connected else None)
        try:
            async with asyncio.timeout(2 * self._timeout_s):
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
            raise LinkLost(f"{self.line}: cannot be opened. Check that it is there and that no other program has it.")
        self._client, self._tap = client, tap
        return client, tap


def _still_wanted() -> None:
    """Pass on a cancellation that pymodbus lost: `asyncio.wait_for` of Python 3.11 drops one that comes just with the
    answer, and the task that was told to end would go on for ever."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
