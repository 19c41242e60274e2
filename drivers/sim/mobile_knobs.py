"""The knobs of the simulated mobile network: people outside, broken modems, a slow network."""

from collections.abc import Mapping
from typing import Any

from drivers.sim.knobs import Knob
from drivers.sim.modem import SimModem
from drivers.sim.network import MobileNetwork, canonical
from drivers.sim.network_calls import RING_S, Call

DELAY_MOST = 86400.0  # s; a day of delay shows what a longer one would
RING_MOST = 600.0  # s; no network rings longer
LOG_MOST = 200  # lines; a modem remembers no more


class MobileKnobs:
    """What a person, a scenario or a test turns. `to` and `name` are a modem's name or number."""

    def __init__(self, network: MobileNetwork, modems: Mapping[str, SimModem]) -> None:
        self._network, self._modems = network, modems

    def knobs(self) -> dict[str, Knob]:
        return {
            "call.from": self.call_from,
            "call.drop": self.call_drop,
            "call.press": self.call_press,
            "call.status": self.call_status,
            "phone.place": self.phone_place,
            "sms.from": self.sms_from,
            "sms.binary": self.sms_binary,
            "sms.outbox": self.sms_outbox,
            "sms.refuse": self.sms_refuse,
            "modem.mute": lambda name, on=True: self._modem(name).mute(_switch(on)),
            "modem.deny": lambda name, on=True: self._modem(name).deny(_switch(on)),
            "modem.unplug": lambda name: self._modem(name).unplug(),
            "modem.plug": lambda name: self._modem(name).plug(),
            "modem.reset": lambda name: self._modem(name).reset(),
            "modem.log": lambda name, last=50: self._modem(name).log(_whole("last", last, 1, LOG_MOST)),
            "network.delay": self.network_delay,
            "status": self.status,
        }

    def call_from(self, number: str, to: str, ring_s: float = RING_S) -> dict[str, Any]:
        """A phone outside calls, and gives up after `ring_s` of ringing."""
        modem = self._modem(to)
        ring = _number("ring_s", ring_s, 0.1, RING_MOST)
        return self._network.call_from_outside(_caller(number), modem, ring).described()

    def call_drop(self, to: str) -> None:
        """The other end hangs up."""
        modem, call = self._call_at(to)
        self._network.calls.release(call, call.other(modem))

    def call_press(self, to: str, keys: str) -> None:
        """The other end presses keys."""
        modem, call = self._call_at(to)
        other = call.other(modem)
        if other is None:
            raise ValueError(f"nobody is at the other end of call {call.identity} yet")
        self._network.calls.press(call, other, str(keys))

    def call_status(self) -> dict[str, Any]:
        """Calls that are, and the last that were."""
        calls = self._network.calls
        return {
            "active": [call.described() for call in calls.active.values()],
            "ended": [call.described() for call in calls.history],
        }

    def phone_place(self, number: str, does: str = "answer", after_s: float = 3.0) -> None:
        """A phone outside that will answer after some seconds, ring, be busy or off."""
        self._network.place_phone(_caller(number), does, _number("after_s", after_s, 0.0, RING_MOST))

    def sms_from(self, number: str, text: str, to: str) -> dict[str, int]:
        """A phone outside writes to a modem."""
        if not isinstance(text, str) or not text:
            raise ValueError("text must not be empty")
        return {"parts": self._network.text(_caller(number), self._modem(to), text)}

    def sms_binary(self, number: str, data_hex: str, to: str, src_port: int, dst_port: int) -> dict[str, int]:
        """A phone outside sends octets to an application port."""
        data = bytes.fromhex(data_hex)
        source, destination = _whole("src_port", src_port, 0, 65535), _whole("dst_port", dst_port, 0, 65535)
        return {"parts": self._network.binary(_caller(number), self._modem(to), data, source, destination)}

    def sms_outbox(self) -> list[dict[str, Any]]:
        """Messages that modems sent to numbers outside, a part an entry, oldest first."""
        return [sent.described() for sent in self._network.sms.outbox]

    def sms_refuse(self, name: str, code: int = 38, times: int = 1) -> None:
        """The network answers the modem's next messages with +CMS ERROR `code` (38: network out of order)."""
        modem = self._modem(name)
        self._network.refuse_messages(modem, _whole("code", code, 0, 1000), _whole("times", times, 0, 1000))

    def network_delay(self, seconds: float, radio: float | None = None) -> dict[str, float]:
        """`seconds` from the network's acceptance to delivery; `radio` is how long sending itself takes."""
        sms = self._network.sms
        sms.delivery_s = _number("seconds", seconds, 0.0, DELAY_MOST)
        if radio is not None:
            sms.radio_s = _number("radio", radio, 0.0, DELAY_MOST)
        return {"seconds": sms.delivery_s, "radio": sms.radio_s}

    def status(self) -> dict[str, Any]:
        return {
            "modems": {name: modem.described() for name, modem in self._modems.items()},
            "calls": len(self._network.calls.active),
            "outbox": len(self._network.sms.outbox),
            "delay": {"seconds": self._network.sms.delivery_s, "radio": self._network.sms.radio_s},
            "lost_messages": self._network.sms.lost,
        }

    def _modem(self, name: str) -> SimModem:
        for modem in self._modems.values():
            if isinstance(name, str) and (modem.name == name or modem.number == canonical(name)):
                return modem
        known = ", ".join(f"{modem.name} ({modem.number})" for modem in self._modems.values())
        raise ValueError(f"there is no modem {name!r}; there are {known}")

    def _call_at(self, name: str) -> tuple[SimModem, Call]:
        modem = self._modem(name)
        calls = self._network.calls.calls_of(modem)
        if not calls:
            raise ValueError(f"{modem.name} is in no call")
        return modem, calls[0]


def _caller(number: str) -> str:
    if not isinstance(number, str) or not number.strip():
        raise ValueError(f"{number!r} is no phone number")
    return number


def _number(name: str, value: float, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}; it must be a number from {least:g} to {most:g}")
    return float(value)


def _whole(name: str, value: int, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}; it must be a whole number from {least} to {most}")
    return value


def _switch(on: bool) -> bool:
    if not isinstance(on, bool):
        raise ValueError(f"on is {on!r}; it must be true or false")
    return on
