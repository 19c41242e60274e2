"""The knobs of the simulated mobile network: people outside, a slow or forgetful network."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from drivers.sim.knobs import Knob
from drivers.sim.mobile_arguments import a_number, a_switch, a_whole, find_modem, one_of
from drivers.sim.modem import SimModem
from drivers.sim.modem_knobs import ModemKnobs
from drivers.sim.network import MobileNetwork, canonical
from drivers.sim.network_calls import RING_S, Call
from drivers.sim.network_ussd import DONE, TIMED_OUT, Credit
from drivers.sim.sound_knobs import SoundKnobs

DELAY_MOST = 86400.0  # s; a day of delay shows what a longer one would
RING_MOST = 600.0  # s; no network rings longer
TIME_OFF_MOST = 1e9  # s; networks have told years that are over
TPDU_MOST = 164  # octets; no radio interface carries a longer one
RUPIAH_MOST = 100_000_000  # no operator sells more at once


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
            "sms.raw": self.sms_raw,
            "sms.report": self.sms_report,
            "ussd.credit": self.ussd_credit,
            "ussd.text": self.ussd_text,
            "network.time_off": self.network_time_off,
            "network.delay": self.network_delay,
            "network.calls": self.network_calls,
            "network.hold": self.network_hold,
            "network.validity": self.network_validity,
            "status": self.status,
            **ModemKnobs(self._modems).knobs(),
            **SoundKnobs(self._network, self._modems).knobs(),
        }

    def call_from(self, number: str, to: str, ring_s: float = RING_S, withheld: bool = False) -> dict[str, Any]:
        """A phone outside calls, with or without its number shown, and gives up after `ring_s` of ringing."""
        modem = self._modem(to)
        ring = a_number("ring_s", ring_s, 0.1, RING_MOST)
        hidden = a_switch(withheld)
        return self._network.call_from_outside(_caller(number), modem, ring, withheld=hidden).described()

    def call_drop(self, to: str, number: str = "") -> None:
        """The other end hangs up: that of the oldest call, or the one with this number."""
        modem, call = self._call_at(to, number)
        self._network.calls.release(call, call.other(modem))

    def call_press(self, to: str, keys: str, number: str = "", how: str = "both") -> None:
        """The other end presses keys: that of the oldest call, or the one with this number.

        `how`: the network tells of them (`told`), they are `tones` in the sound, or `both`.
        """
        one_of("how", how, ("both", "told", "tones"))
        modem, call = self._call_at(to, number)
        other = call.other(modem)
        if other is None:
            raise ValueError(f"nobody is at the other end of call {call.identity} yet")
        self._network.calls.press(call, other, str(keys), told=how != "tones", tones=how != "told")

    def call_status(self) -> dict[str, Any]:
        """Calls that are, and the last that were."""
        calls = self._network.calls
        return {
            "active": [call.described() for call in calls.active.values()],
            "ended": [call.described() for call in calls.history],
        }

    def phone_place(self, number: str, does: str = "answer", after_s: float = 3.0) -> None:
        """A phone outside that will answer or refuse after some seconds, ring, be busy or off."""
        self._network.place_phone(_caller(number), does, a_number("after_s", after_s, 0.0, RING_MOST))

    def sms_from(self, number: str, text: str, to: str) -> dict[str, int]:
        """A phone outside writes to a modem."""
        if not isinstance(text, str) or not text:
            raise ValueError("text must not be empty")
        return {"parts": self._network.text(_caller(number), self._modem(to), text)}

    def sms_binary(self, number: str, data_hex: str, to: str, src_port: int, dst_port: int) -> dict[str, int]:
        """A phone outside sends octets to an application port."""
        data = bytes.fromhex(data_hex)
        source, destination = a_whole("src_port", src_port, 0, 65535), a_whole("dst_port", dst_port, 0, 65535)
        return {"parts": self._network.binary(_caller(number), self._modem(to), data, source, destination)}

    def sms_outbox(self, after: int = 0) -> list[dict[str, Any]]:
        """Messages that modems sent to numbers outside, a part an entry, oldest first; those behind the `after`th."""
        return [sent.described() for sent in self._network.sms.outbox if sent.count > after]

    def sms_refuse(self, name: str, code: int = 38, times: int = 1) -> None:
        """The network answers the modem's next messages with +CMS ERROR `code` (38: network out of order)."""
        modem = self._modem(name)
        self._network.refuse_messages(modem, a_whole("code", code, 0, 1000), a_whole("times", times, 0, 1000))

    def sms_raw(self, to: str, pdu_hex: str) -> None:
        """The network hands a modem these octets as a TPDU, whatever they are; the service centre stands before."""
        tpdu = bytes.fromhex(pdu_hex)
        if not 1 <= len(tpdu) <= TPDU_MOST:
            raise ValueError(f"pdu_hex has {len(tpdu)} octets; 1 to {TPDU_MOST} can be sent")
        self._network.raw(self._modem(to), tpdu)

    def sms_report(self, name: str, fate: str, times: int = 1) -> None:
        """What becomes of the reports of a modem's next messages: lost, failed, trying (then the real one), twice."""
        self._network.sms.order_fate(self._modem(name), fate, a_whole("times", times, 0, 1000))

    def ussd_credit(self, name: str, rupiah: int, until: str) -> None:
        """What the operator tells of the credit when asked by USSD; `until` is the last day, as 2027-12-31."""
        credit = Credit(a_whole("rupiah", rupiah, 0, RUPIAH_MOST), date.fromisoformat(until))
        self._network.ussd.set_credit(self._modem(name).number, credit)

    def ussd_text(self, name: str, text: str, state: int = DONE) -> None:
        """What the operator says to every code, whatever it is; an empty text: its own words again. `state` is <m>."""
        told = (a_whole("state", state, DONE, TIMED_OUT), str(text)) if text else None
        self._network.ussd.set_text(self._modem(name).number, told)

    def network_time_off(self, seconds: float) -> None:
        """The network tells modems a time that is wrong by so much."""
        self._network.time_off = a_number("seconds", seconds, -TIME_OFF_MOST, TIME_OFF_MOST)

    def network_hold(self, seconds: float) -> None:
        """Nothing is delivered for so long, neither messages nor reports; 0 lets go."""
        self._network.sms.hold(a_number("seconds", seconds, 0.0, DELAY_MOST))

    def network_validity(self, heeded: bool = True) -> None:
        """Whether the network throws a message away when the time that its sender gave it is over."""
        self._network.sms.heeds_validity = a_switch(heeded)

    def network_delay(self, seconds: float, radio: float | None = None, retry: float | None = None) -> dict[str, float]:
        """`seconds` from the network's acceptance to delivery; `radio` is how long sending itself takes.

        `retry` is how long the network rests when a phone did not take a message.
        """
        sms = self._network.sms
        sms.delivery_s = a_number("seconds", seconds, 0.0, DELAY_MOST)
        if radio is not None:
            sms.radio_s = a_number("radio", radio, 0.0, DELAY_MOST)
        if retry is not None:
            sms.retry_s = a_number("retry", retry, 0.0, DELAY_MOST)
        return {"seconds": sms.delivery_s, "radio": sms.radio_s, "retry": sms.retry_s}

    def status(self) -> dict[str, Any]:
        return {
            "modems": {name: modem.described() for name, modem in self._modems.items()},
            "calls": len(self._network.calls.active),
            "outbox": len(self._network.sms.outbox),
            "delay": {"seconds": self._network.sms.delivery_s, "radio": self._network.sms.radio_s},
            "lost_messages": self._network.sms.lost,
        }

    def _modem(self, name: str) -> SimModem:
        return find_modem(self._modems, name)

    def network_calls(self, waiting: bool = True, transfers: bool = False) -> None:
        """Whether a second caller gets through to an engaged modem, and whether AT+CHLD=4 is carried out."""
        self._network.call_waiting = a_switch(waiting)
        self._network.transfers = a_switch(transfers)

    def _call_at(self, name: str, number: str = "") -> tuple[SimModem, Call]:
        modem = self._modem(name)
        calls = self._network.calls.calls_of(modem)
        if number:
            known = canonical(number)
            calls = [c for c in calls if known in (c.caller.number, canonical(c.dialled))]
        if not calls:
            raise ValueError(f"{modem.name} is in no call" + (f" with {number}" if number else ""))
        return modem, calls[0]


def _caller(number: str) -> str:
    if not isinstance(number, str) or not number.strip():
        raise ValueError(f"{number!r} is no phone number")
    return number
