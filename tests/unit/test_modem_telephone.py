"""What a modem is told of its calls, in each make's words, and what the makes' reports say."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from appliance.lines.call_machine import RINGS, SETS_UP, TALKED, Reason, Said
from appliance.lines.call_words import rows, word
from appliance.lines.calls_machine import Listed, Word
from drivers.clock import VirtualClock
from drivers.modem.answers import clcc
from drivers.modem.at import Response, Urc
from drivers.modem.command import name_of
from drivers.modem.errors import CommandRefused, NumberRefused
from drivers.modem.news import events_of
from drivers.modem.profile import load_profiles
from drivers.modem.telephone import Telephone

PROFILES = {
    profile.name: profile for profile in load_profiles(Path(__file__).parents[2] / "firmware-config" / "modems")
}
EG25, SIM7600, HUAWEI = "Quectel EG25-G", "SIMCom SIM7600", "Huawei E-series"


class Asked:
    """An exchange that notes what it was asked, and refuses each of these once."""

    def __init__(self, *refused: str) -> None:
        self.lines: list[str] = []
        self.at: list[float] = []
        self._refused = list(refused)

    def cut_short(self) -> None:
        """Nothing is being dialled."""

    async def ask(self, line: str, **_more: Any) -> Response:
        self.lines.append(line)
        self.at.append(asyncio.get_running_loop().time())
        if line in self._refused:
            self._refused.remove(line)
            raise CommandRefused(line, "ERROR")
        return Response(line, (), "OK")


def told(make: str, exchange: Asked, act: Callable[[Telephone], Any]) -> Any:
    """What comes of it."""
    session: Any = SimpleNamespace(profile=PROFILES[make], expect_call=lambda: None)
    link: Any = (exchange, session)

    async def main() -> Any:
        return await act(Telephone(lambda: link))

    return VirtualClock().run(main())


@pytest.mark.parametrize(
    ("act", "line"),
    [
        (lambda t: t.answer(), "ATA"),
        (lambda t: t.hang_up(), "AT+CHUP"),
        (lambda t: t.refuse(), "AT+CHUP"),
        (lambda t: t.refuse_waiting(), "AT+CHLD=0"),
        (lambda t: t.end_held(), "AT+CHLD=0"),
        (lambda t: t.end_one(3), "AT+CHLD=13"),
        (lambda t: t.swap(), "AT+CHLD=2"),
        (lambda t: t.talk_alone_with(2), "AT+CHLD=22"),
        (lambda t: t.join(), "AT+CHLD=3"),
        (lambda t: t.leave(), "AT+CHLD=4"),
        (lambda t: t.dial("0811 222 333"), "ATD0811222333;"),
    ],
)
def test_each_order_is_one_command(act: Callable[[Telephone], Any], line: str) -> None:
    exchange = Asked()
    told(EG25, exchange, act)
    assert exchange.lines == [line]


@pytest.mark.parametrize(
    ("make", "lines"), [(EG25, ['AT+VTS="1"', 'AT+VTS="#"']), (HUAWEI, ["AT^DTMF=2,1", "AT^DTMF=2,#"])]
)
def test_keys_go_out_one_by_one(make: str, lines: list[str]) -> None:
    exchange = Asked()
    told(make, exchange, lambda t: t.press("1#", 2))
    assert exchange.lines == lines


@pytest.mark.parametrize("keys", ["", "1;ATD112", "1" * 33, "é"])
def test_what_is_no_key_never_reaches_the_modem(keys: str) -> None:
    exchange = Asked()
    with pytest.raises(NumberRefused):
        told(EG25, exchange, lambda t: t.press(keys))
    assert exchange.lines == []


def test_a_number_is_dialled_and_never_an_emergency_number() -> None:
    exchange = Asked()

    async def act(t: Telephone) -> None:
        await t.dial("0811222333")
        with pytest.raises(NumberRefused):
            await t.dial("112")

    told(EG25, exchange, act)
    assert exchange.lines == ["ATD0811222333;"]


def test_an_eg25_g_sends_its_sound_where_the_site_file_says_from_its_start_on_and_in_each_call() -> None:
    usb, serial = ["AT+QPCMV=1,2"], ['AT+QGPSCFG="outport","none"', "AT+QPCMV=1,0"]
    of_sound = {*usb, *serial}
    for by_serial, wanted in ((False, usb), (True, serial)):
        at_start = [i.send for i in PROFILES[EG25].at_start(serial_sound=by_serial) if i.send in of_sound]
        assert at_start == wanted
        exchange = Asked()
        assert told(EG25, exchange, lambda t, by=by_serial: t.sound(on=True, serial=by)) is True
        assert exchange.lines == wanted
    assert PROFILES[SIM7600].at_start(serial_sound=True) == PROFILES[SIM7600].init


def test_a_simcom_s_sound_starts_a_moment_behind_the_call_and_a_first_refusal_is_told() -> None:
    exchange = Asked()
    assert told(SIM7600, exchange, lambda t: t.sound(on=True)) is True
    assert told(SIM7600, exchange, lambda t: t.sound(on=False)) is True
    assert exchange.lines == ["AT+CPCMREG=1", "AT+CPCMREG=0"]
    assert exchange.at[0] >= 0.1
    exchange = Asked("AT+CPCMREG=1")
    assert told(SIM7600, exchange, lambda t: t.sound(on=True)) is False
    assert exchange.lines == ["AT+CPCMREG=1"] * 2
    with pytest.raises(CommandRefused):
        told(SIM7600, Asked("AT+CPCMREG=1", "AT+CPCMREG=1"), lambda t: t.sound(on=True))


def test_only_a_make_that_has_a_cure_for_mute_calls_is_restarted() -> None:
    exchange = Asked()
    assert told(SIM7600, exchange, lambda t: t.reset_sound()) is True
    assert told(EG25, exchange, lambda t: t.reset_sound()) is False
    assert told(HUAWEI, exchange, lambda t: t.sound(on=True)) is True
    assert exchange.lines == ["AT+CRESET"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("RING", Word(Said.INCOMING, out=False)),
        ("+CRING: VOICE", Word(Said.INCOMING, out=False)),
        ('+CLIP: "0811",129,,,,0', Word(Said.INCOMING, "0811", out=False)),
        ('+CLIP: "",128,,,,1', Word(Said.INCOMING, out=False)),
        ('+CCWA: "0811",129,1,,0', Word(Said.INCOMING, "0811", out=False, waiting=True)),
        ('+QIND: "ccinfo",2,1,4,0,0,"0811",129', Word(Said.INCOMING, "0811", 2, out=False)),
        ('+QIND: "ccinfo",3,1,5,0,0,"0811",129', Word(Said.INCOMING, "0811", 3, out=False, waiting=True)),
        ('+QIND: "ccinfo",3,0,3,0,0,"0811",129', Word(Said.ALERTING, "0811", 3, out=True)),
        ('+QIND: "ccinfo",3,1,0,0,1,"0811",129', Word(Said.JOINED, "0811", 3, out=False)),
        ('+QIND: "ccinfo",3,1,-1,0,0,"0811",129', Word(Said.GONE, "0811", 3, out=False)),
        ('+QIND: "ccinfo",1,0,0,1,0,"",128', None),  # the data session that VoLTE keeps
        ("^DSCI: 2,1,0,0,0811,129", Word(Said.ACTIVE, "0811", 2, out=False)),
        ('+CLCC: 4,1,1,0,0,"0811",129', Word(Said.HELD, "0811", 4, out=False)),
        ("+CLCC: 4,1,6,0,0", Word(Said.GONE, None, 4, out=False)),
        ("VOICE CALL: BEGIN", Word(Said.CONNECTED)),
        ("VOICE CALL: END: 000008", Word(Said.GONE, among=TALKED)),
        ("MISSED_CALL: 11:53AM 0811", Word(Said.GONE, "0811", among=RINGS)),
        ("MO RING", Word(Said.ALERTING, out=True)),
        ("^ORIG:1,0", Word(Said.DIALLING, index=1, out=True)),
        ("^CONF:1", Word(Said.ALERTING, index=1, out=True)),
        ("^CONN:2,0", Word(Said.CONNECTED, index=2)),
        ("^CEND:1,5,29,16", Word(Said.GONE, index=1)),
        ("^CEND:1,0,29,17", Word(Said.GONE, index=1, why=Reason.BUSY)),
        ("^CEND:1,0,29,3", Word(Said.GONE, index=1, why=Reason.UNREACHABLE)),
        ("^CEND:oh", None),
        ("NO CARRIER", Word(Said.GONE)),
        ("BUSY", Word(Said.GONE, why=Reason.BUSY, among=SETS_UP)),
        ("NO ANSWER", Word(Said.GONE, why=Reason.NO_ANSWER, among=SETS_UP)),
    ],
)
def test_all_makes_say_the_same_few_words(line: str, said: Word | None) -> None:
    assert [word(event) for event in events_of(Urc(name_of(line), line))] == ([] if said is None else [said])


def test_a_list_tells_who_waits_is_held_or_joined_and_forgets_who_is_gone() -> None:
    lines = [
        '1,1,0,0,1,"0811",129',
        '2,0,1,0,0,"0822",129',
        "3,1,5,0,0",
        '4,1,6,0,0,"0833",129',
        '5,0,2,0,0,"0844",129',
    ]
    assert rows([clcc(f"+CLCC: {line}") for line in lines]) == [
        Listed(Said.JOINED, "0811", 1),
        Listed(Said.HELD, "0822", 2, out=True),
        Listed(Said.INCOMING, None, 3, waiting=True),
        Listed(Said.DIALLING, "0844", 5, out=True),
    ]
