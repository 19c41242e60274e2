"""The simulated mobile network that joins the modems: numbers, messages, calls and phones outside."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from drivers.sim import sms_pdu
from drivers.sim.network_calls import Call, Exchange, OutsidePhone, Party
from drivers.sim.network_sms import Handset, Refused, SmsCentre
from drivers.sim.network_sound import Talks
from drivers.sim.network_ussd import UssdCentre
from drivers.sim.phone_voice import PhoneVoice
from drivers.sim.sms_text import binary_parts, text_parts

COUNTRY = "+62"
ZONE_S = 7 * 3600  # WIB; a network stamps messages in its own zone
SERVICE_CENTRE = "+6281100000"
PHONES = 200  # phones outside that are remembered
NO_NETWORK = 331  # +CMS ERROR


class Subscriber(Party, Handset, Protocol):
    """A modem with a number in this network."""

    @property
    def name(self) -> str: ...


def canonical(number: str) -> str:
    """+62811... for 0811..., +62 811-..., 0062811...; short codes and names stay."""
    bare = number.replace(" ", "").replace("-", "")
    if bare.startswith("00"):
        return "+" + bare[2:]
    return COUNTRY + bare[1:] if bare.startswith("0") else bare


class MobileNetwork:
    """All of it. `wall` gives unix seconds; everything else runs on the loop's time."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self.wall = wall
        self.call_waiting = True  # the service that lets a second caller through to an engaged phone
        self.transfers = False  # whether AT+CHLD=4 is carried out; few networks do
        self.time_off = 0.0  # s by which the time is wrong that it tells
        self._subscribers: dict[str, Subscriber] = {}
        self._phones: dict[str, OutsidePhone] = {}
        self._refusals: dict[str, list[int]] = {}
        self.sms = SmsCentre(wall, canonical, ZONE_S)
        self.calls = Exchange(self._party)
        self.ussd = UssdCentre()
        self._voices: dict[str, PhoneVoice] = {}
        self.sound = Talks(self.calls.on_the_line, self.calls.talks)
        self.calls.changed = self.sound.changed

    def told_time(self) -> float:
        """Unix seconds, as modems are told them."""
        return self.wall() + self.time_off

    def attach(self, subscriber: Subscriber) -> None:
        """Give a modem its number. Raises ValueError when the number is taken; call before `run`."""
        if canonical(subscriber.number) != subscriber.number:
            raise ValueError(f"{subscriber.name}: write the number as {canonical(subscriber.number)}")
        if subscriber.number in self._subscribers:
            raise ValueError(f"{subscriber.name}: {subscriber.number} belongs to another modem")
        self._subscribers[subscriber.number] = subscriber
        self.sms.attach(subscriber)

    async def run(self) -> None:
        await self.sms.run()

    def available(self, subscriber: Subscriber) -> None:
        """It registered, or freed memory."""
        self.sms.awake(subscriber)

    def lost(self, subscriber: Subscriber) -> None:
        """It has no network or no power any more."""
        self.calls.party_lost(subscriber)

    async def submit(self, sender: Subscriber, reference: int, tpdu: bytes) -> None:
        """A modem's SUBMIT over the radio. Raises Refused, or ValueError when the bytes are no SUBMIT."""
        submit = sms_pdu.read_submit(tpdu, self.wall())
        await asyncio.sleep(self.sms.radio_s)
        if not sender.reachable:
            raise Refused(NO_NETWORK)
        if codes := self._refusals.get(sender.number):
            raise Refused(codes.pop())
        self.sms.accept(sender.number, reference, submit)

    def refuse_messages(self, sender: Subscriber, code: int, times: int) -> None:
        """Answer the next `times` messages of a modem with +CMS ERROR `code`."""
        self._refusals[sender.number] = [code] * times

    def text(self, origin: str, to: Subscriber, text: str) -> int:
        """A phone outside writes; returns in how many parts."""
        parts = text_parts(text, self.sms.next_reference())
        self.sms.post(canonical(origin), to.number, parts)
        return len(parts)

    def binary(self, origin: str, to: Subscriber, data: bytes, source_port: int, destination_port: int) -> int:
        """A phone outside sends octets to a port; returns in how many parts."""
        parts = binary_parts(data, source_port, destination_port, self.sms.next_reference())
        self.sms.post(canonical(origin), to.number, parts)
        return len(parts)

    def raw(self, to: Subscriber, tpdu: bytes) -> None:
        """Octets that the network hands on as if they were a message, whatever they are."""
        self.sms.post_raw(to.number, tpdu)

    def place_phone(self, number: str, does: str, after_s: float) -> None:
        """A phone outside that answers after some seconds, rings on, is busy or off."""
        if len(self._phones) >= PHONES:
            raise ValueError(f"{PHONES} phones are outside already")
        if canonical(number) in self._subscribers:
            raise ValueError(f"{number} is a modem's number")
        phone = OutsidePhone(canonical(number), self.voice(number), does, after_s)
        phone.exchange = self.calls
        self._phones[phone.number] = phone

    def call_from_outside(self, number: str, to: Subscriber, ring_s: float, *, withheld: bool = False) -> Call:
        """A phone outside calls a modem and gives up after `ring_s` of ringing."""
        caller = OutsidePhone(canonical(number), self.voice(number))
        call = self.calls.dial(caller, to.number, ring_s, setup_s=0.0)
        call.withheld = withheld
        return call

    def voice(self, number: str) -> PhoneVoice:
        """Of a phone outside, whether it calls, is called or will be. The oldest is forgotten when there are many."""
        known = canonical(number)
        if known not in self._voices and len(self._voices) >= PHONES:
            self._voices.pop(next(iter(self._voices))).alone()
        return self._voices.setdefault(known, PhoneVoice(self.sound.changed))

    def _party(self, number: str) -> Party | None:
        known = canonical(number)
        return self._subscribers.get(known) or self._phones.get(known)
