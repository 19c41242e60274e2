"""A GSM modem on a serial port: found, started, watched, and found again for as long as `run()` runs."""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from drivers.modem import answers
from drivers.modem.answers import AnswerError
from drivers.modem.at import Urc
from drivers.modem.command import WITH_A_SECOND_LINE
from drivers.modem.errors import CommandRefused, LinkLost, LostCode, ModemBusy, NotDone, PayloadUnanswered, SmsFailed
from drivers.modem.events import ModemEvent, PortLost, PortUp, RecoveryStep, StatusChanged
from drivers.modem.exchange import Exchange, Priority
from drivers.modem.ladder import Ladder
from drivers.modem.pdu import Tpdu, encode_submit
from drivers.modem.profile import Profile
from drivers.modem.recorder import Recorder
from drivers.modem.serial_port import SerialPort
from drivers.modem.session import RESTART, UNKNOWN, Session
from drivers.modem.sim_card import SimCard
from drivers.modem.telephone import Telephone

REOPEN_FIRST, REOPEN_MOST = 0.5, 5.0  # s between attempts to open the port
PING_EVERY = 5.0  # s while the modem is mute
PINGS_BEFORE_RESET = 3  # behind an anew opened port
PINGS_BEFORE_REOPEN = 6  # then the port itself is tried anew
MAX_EARLY = 32  # messages handed over before the modem was understood; one that wants acknowledgements sends one
SMS_SENT = 40.0  # s for the network to take a message; it answers 332 by itself after some 30
NETWORKS = 10.0  # s to take another choice of networks


class Modem:
    """`on_event` is called from the loop with each ModemEvent, and must not block.

    The API below raises LinkLost while the modem is not there; nothing is kept for later.
    """

    def __init__(
        self,
        port: Path | str,
        profiles: Sequence[Profile],
        *,
        on_event: Callable[[ModemEvent], None],
        pin: str = "",
        recorder: Recorder | None = None,
        serial_sound: bool = False,
    ) -> None:
        """`pin` is the SIM's, 4 to 8 digits, empty for none. `serial_sound`: calls' sound comes by a serial port."""
        self._serial_sound = serial_sound
        self._recorder = recorder
        self._path, self._profiles, self._on_event = Path(port), profiles, on_event
        self._urcs = [name for profile in profiles for name in profile.urcs]
        self._two_line = [name for profile in profiles for name in profile.two_line_urcs]
        self._sim, self._ladder = SimCard(pin), Ladder()
        self._vendor_reset: str | None = None
        self._mute_openings = 0
        self._exchange: Exchange | None = None
        self._asked = 0
        self._session: Session | None = None
        self._early: deque[Urc] = deque(maxlen=MAX_EARLY)
        self._up: bool | None = None
        self.telephone = Telephone(self._linked)
        self._reference = secrets.randbelow(256)  # of long messages; not the same again after each restart

    @property
    def up(self) -> bool:
        """Whether the modem answers and is initialised."""
        return self._up is True

    @property
    def status(self) -> StatusChanged:
        """The line as last seen; all unknown while the modem is not there."""
        return self._session.status if self._session is not None and self.up else UNKNOWN

    async def run(self) -> None:
        """Hold the link for ever; ends only by cancellation."""
        wait = REOPEN_FIRST
        while True:
            try:
                if await self._hold_port():
                    wait = REOPEN_FIRST
            except LinkLost as e:
                self._lost(str(e), e.code)
            await asyncio.sleep(wait)
            wait = min(wait * 2, REOPEN_MOST)

    async def _hold_port(self) -> bool:
        """Serve one opening of the port; whether the modem ever answered. Raises LinkLost when there is no port."""
        answered = False
        port = SerialPort(self._path, self._received, self._port_gone, self._recorder)
        try:
            pings = 0
            exchange = self._new_exchange(port)
            while port.is_open and pings < PINGS_BEFORE_REOPEN:
                # Twice: the second attempt leaves the prompt in which a process that was killed may have left it.
                if not (await exchange.wake() or await exchange.wake()):
                    pings += 1
                    self._lost(f"{self._path}: the modem is mute; it does not answer.", "mute")
                    self._recover(port, pings)
                    await asyncio.sleep(PING_EVERY)
                    continue
                answered, pings, self._mute_openings = True, 0, 0
                await self._serve(exchange)
                exchange = self._new_exchange(port)
        finally:
            self._asked = self._exchange.asked if self._exchange is not None else self._asked
            self._exchange = self._session = None
            port.close()
        return answered

    def _recover(self, port: SerialPort, pings: int) -> None:
        """Tell each mild step once; write a reset blindly to a modem that is mute behind an anew opened port too."""
        if pings == 1:
            self._mute_openings += 1
            if self._mute_openings <= 2:
                self._on_event(RecoveryStep("ping" if self._mute_openings == 1 else "reopen"))
        if self._mute_openings < 2 or pings < PINGS_BEFORE_RESET:
            return
        now = asyncio.get_running_loop().time()
        step = self._ladder.next_reset(now, vendor=self._vendor_reset is not None)
        if step is not None:
            self._on_event(RecoveryStep(step))
            command = RESTART if step == "restart" else self._vendor_reset or RESTART
            port.write(b"\x1b\r" + command.encode() + b"\r")

    def _new_exchange(self, port: SerialPort) -> Exchange:
        self._asked = self._exchange.asked if self._exchange is not None else self._asked
        self._exchange = Exchange(port.write, self._urc, urcs=self._urcs, two_line=self._two_line, asked=self._asked)
        return self._exchange

    async def _serve(self, exchange: Exchange) -> None:
        self._session = Session(
            exchange, self._profiles, self._sim, self._ladder, self._told, serial_sound=self._serial_sound
        )
        while self._early:
            self._session.urc(self._early.popleft())
        # A task of its own: a group that failed leaves its task marked as cancelled, and before Python 3.11.3 no
        # deadline in such a task works.
        serving = asyncio.create_task(self._session.run())
        try:
            await serving
        except* LinkLost as group:
            lost = group.exceptions[0]
            self._lost(str(lost), lost.code if isinstance(lost, LinkLost) else "gone")
        finally:
            self._vendor_reset = self._session.profile.reset
            self._session = None

    def _received(self, data: bytes) -> None:
        if self._exchange is not None:
            self._exchange.received(data)

    def _urc(self, urc: Urc) -> None:
        if self._session is not None:
            self._session.urc(urc)
        elif urc.name in WITH_A_SECOND_LINE:
            self._early.append(urc)

    def _port_gone(self, reason: str, code: LostCode) -> None:
        if self._exchange is not None:
            self._exchange.lose(reason, code)

    def _told(self, event: ModemEvent) -> None:
        if isinstance(event, PortUp):
            self._up = True
        self._on_event(event)

    def _lost(self, reason: str, code: LostCode) -> None:
        if self._up is not False:
            self._up = False
            missing = not Path(self._path).exists()  # a cable that is pulled shows as an error first
            self._on_event(PortLost(reason, "no_port" if missing else code))

    def _linked(self) -> tuple[Exchange, Session]:
        if self._exchange is None or self._session is None or not self.up:
            raise LinkLost(f"{self._path}: the modem is not there; it is looked for.")
        return self._exchange, self._session

    async def send_sms(
        self,
        number: str,
        text: str | None = None,
        data: bytes | None = None,
        *,
        ports: tuple[int, int] | None = None,
        report: bool = False,
        validity: timedelta | None = None,
        priority: Priority = Priority.NORMAL,
    ) -> list[int]:
        """Hand a message to the network; the reference of each part, which its delivery report carries.

        `validity` is for how long the network tries, 5 minutes at least; None: as long as it likes.
        URGENT goes before everything that waits, also between the parts of another message. Raises PduError,
        LinkLost and ModemBusy (nothing went out), SmsFailed (`sent` tells which parts did, `certain` whether more may).
        """
        exchange, session = self._linked()
        self._reference = (self._reference + 1) % 256
        parts = encode_submit(
            number, text, data, ports=ports, report=report, validity=validity, reference=self._reference
        )
        sent: list[int] = []
        for part in parts:
            if len(parts) > 1 and session.profile.quirks.keeps_link_open:
                await self._keep_link_open(exchange, priority, sent)
            sent.append(await self._send_part(exchange, part, priority, sent))
        return sent

    async def _keep_link_open(self, exchange: Exchange, priority: Priority, sent: list[int]) -> None:
        """AT+CMMS=1 lasts until some seconds pass without a part; without it a part takes longer, no more."""
        try:
            await exchange.ask("AT+CMMS=1", priority=priority)
        except NotDone:
            return
        except LinkLost as e:
            if not sent:
                raise
            raise SmsFailed(f"Sent {len(sent)} parts; then: {e}", tuple(sent), certain=True) from e

    async def _send_part(self, exchange: Exchange, part: Tpdu, priority: Priority, sent: list[int]) -> int:
        try:
            response = await exchange.ask(
                f"AT+CMGS={part.octets}", payload=part.hex.encode(), timeout=SMS_SENT, priority=priority
            )
            return answers.cmgs(response.lines[0] if response.lines else "")
        except (LinkLost, ModemBusy) as e:
            if not sent:
                raise
            raise SmsFailed(f"Sent {len(sent)} parts; then: {e}", tuple(sent), certain=True) from e
        except (PayloadUnanswered, AnswerError) as e:
            raise SmsFailed(f"A part may or may not have gone out: {e}", tuple(sent), certain=False) from e
        except NotDone as e:
            code = e.code if isinstance(e, CommandRefused) and e.final == "+CMS ERROR" else None
            raise SmsFailed(f"The message did not go out: {e}", tuple(sent), certain=True, code=code) from e

    async def ask(self, line: str) -> tuple[str, ...]:
        """One command of a person's own; its answer's lines. Raises ModemError, ValueError on what is no command."""
        exchange, _ = self._linked()
        return (await exchange.ask(line, priority=Priority.NORMAL)).lines

    @property
    def can_narrow(self) -> bool:
        """Whether this make can leave LTE for a while."""
        return self._session is not None and self.up and self._session.profile.only_2g is not None

    async def narrow(self) -> bool:
        """Leave LTE for 2G; False when it is set otherwise than usual, and was left alone. Raises ModemError."""
        exchange, session = self._linked()
        ways = session.profile.only_2g
        if ways is None:
            return False
        now = "".join((await exchange.ask(ways.ask)).lines).replace(" ", "").upper()
        if now != ways.usual.replace(" ", "").upper():
            return False
        await exchange.ask(ways.narrow, timeout=NETWORKS)
        return True

    async def widen(self) -> None:
        """All networks again. Raises ModemError."""
        exchange, session = self._linked()
        if session.profile.only_2g is not None:
            await exchange.ask(session.profile.only_2g.widen, timeout=NETWORKS)

    async def delete_sms(self, index: int, memory: str | None = None) -> None:
        """Free a place in the modem's memory, or acknowledge what was HANDED_OVER, after the caller stored it durably.

        Raises ModemError.
        """
        _, session = self._linked()
        await session.inbox.delete(index, memory)
