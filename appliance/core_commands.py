"""Carries a command that core has taken to the room whose matter it is."""

from collections.abc import Awaitable, Callable
from typing import Any

from appliance.alarm_commands import AlarmCommand
from appliance.call_commands import (
    DeclareFallback,
    Dial,
    EndFallback,
    HangUp,
    HoldCall,
    JoinCalls,
    PressKeys,
    RejectCall,
    SwapCalls,
    ToldAgency,
)
from appliance.commands import (
    AnyCommand,
    ListTexts,
    LookAtKeys,
    LookAtPeople,
    ModemAt,
    ModemRecording,
    ModemUssd,
    QueueText,
    ReloadSite,
    SendText,
)
from appliance.core_alarms import AlarmRoom
from appliance.core_alerting import COMMANDS as ALERT_COMMANDS
from appliance.core_alerting import AlertRoom
from appliance.core_desk import COMMANDS, DeskRoom
from appliance.core_sound import COMMANDS as SOUND_COMMANDS
from appliance.core_sound import SoundRoom
from appliance.lines.service import Lines
from appliance.make_view import both_ways
from appliance.power.orders import Orders
from appliance.power_commands import OrderPlant
from appliance.state import State
from appliance.trunk.fallback import FallbackKeeper
from drivers.jsonsocket import Refusal


class Obey:
    """Call it with a command and its actor; the answer is JSON. Raises Refusal."""

    def __init__(
        self, state: State, lines: Lines, desk: DeskRoom, sound: SoundRoom, alarms: AlarmRoom, alerting: AlertRoom,
        fallback: FallbackKeeper, orders: Orders, look_at_keys: Callable[[], Awaitable[Any]],
        look_at_people: Callable[[str], list[str]], reload: Callable[[str], Awaitable[Any]],
    ) -> None:  # fmt: skip
        self._state, self._lines, self._desk, self._sound = state, lines, desk, sound
        self._look_at_keys, self._look_at_people, self._reload = look_at_keys, look_at_people, reload
        self._alarms, self._alerting, self._fallback, self._orders = alarms, alerting, fallback, orders

    async def __call__(self, command: AnyCommand, actor: str) -> Any:
        if isinstance(command, Dial):
            await self._sound.give_way()
        if isinstance(command, COMMANDS):
            return await self._desk.obey(command, actor)
        if isinstance(command, AlarmCommand):
            return await self._alarms.obey(command, actor)
        if isinstance(command, SOUND_COMMANDS):
            return await self._sound.obey(command, actor)
        if isinstance(command, ALERT_COMMANDS):
            return await self._alerting.obey(command, actor)
        match command:
            case HangUp(line=line):
                return await self._lines.hang_up(line, command.call, actor)
            case RejectCall(line=line):
                return await self._lines.reject(line, command.call, command.reason, actor)
            case HoldCall(line=line):
                return await self._lines.hold(line, actor)
            case SwapCalls(line=line):
                before = self._sound.talked_on(line)
                told = await self._lines.swap(line, actor)
                self._sound.carry(line, before, actor)
                return told
            case JoinCalls(line=line):
                return await self._lines.join(line, actor)
            case PressKeys(line=line):
                return await self._lines.keys(line, command.keys, actor)
            case ModemAt(line=line):
                return await self._lines.bench(line).ask(command.command, actor)
            case ModemUssd(line=line):
                return await self._lines.bench(line).ussd(command.code, actor)
            case SendText(line=line):
                return await self._lines.outgoing.trial(command.number, command.text, actor, line)
            case QueueText(number=number, text=text, line=line):
                return await self._lines.outgoing.text(number, text, actor, line, command.lifetime_s, command.key)
            case ListTexts(last=last):
                return both_ways(self._state, last)
            case ModemRecording(line=line):
                return self._lines.bench(line).recording()
            case LookAtKeys():
                return await self._look_at_keys()
            case LookAtPeople():
                return {"changed": self._look_at_people(actor)}
            case ReloadSite():
                return await self._reload(actor)
            case OrderPlant():
                return await self._orders.order(command, actor)
            case DeclareFallback():
                return await self._fallback.declare(actor)
            case EndFallback():
                return await self._fallback.end(actor)
            case ToldAgency(agency=agency):
                return await self._fallback.told(agency, actor)
        raise Refusal("unknown", f"{command} is not known here.")
