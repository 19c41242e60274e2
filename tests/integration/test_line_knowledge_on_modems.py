"""What lines know of SIM and network, from simulated modems over real ptys: credit, cell, time, PIN, a moved cable."""

import asyncio
import fcntl
import logging
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest
from lines_box import NUMBERS, OUTSIDE, World, play
from scripted_modem import Line, ScriptedModem

from appliance.events import (
    CallAnswered,
    CallRinging,
    CellChanged,
    CreditLow,
    CreditSeen,
    LineDown,
    LineNarrowed,
    LineUp,
    SimBad,
    SimGood,
    SmsReceived,
)
from drivers.clock import VirtualClock
from drivers.modem.errors import LinkLost
from drivers.modem.events import StatusChanged
from drivers.modem.serial_port import SerialPort

PIN = "47110815"  # so long that no time in a recording has the same figures
Story = Callable[[World], Awaitable[None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[..., None]:
    return partial(play, tmp_path)


def test_credit_cell_and_time_come_from_the_network_by_lte_and_by_2g(tell: Callable[..., None]) -> None:
    async def story(there: World) -> None:
        turn = there.network.turn
        await turn("ussd.credit", name="l1", rupiah=4_500, until="2035-01-31")
        await turn("ussd.text", name="l2", text="Sisa Pulsa Anda Rp. 82.000, Masa Aktif s/d 03 Agt 2035")
        await turn("ussd.style", name="l2", style="refused_on_lte")
        await turn("network.time_off", seconds=300)
        box = await there.start(ask_at=0.0)
        await box.event(CreditSeen, 2)
        await box.event(CreditLow)
        await box.event(LineNarrowed, 2)
        seen = {e.line: (e.rupiah, e.until) for e in box.all(CreditSeen)}
        assert seen == {"l1": (4_500, "2035-01-31"), "l2": (82_000, "2035-08-03")}
        assert [(e.line, e.networks) for e in box.all(LineNarrowed)] == [("l2", "2g"), ("l2", "all")]
        assert "AT+CNMP=2'" in await there.network.typed("l2")
        assert [(e.line, e.why) for e in box.all(CreditLow)] == [("l1", "credit")]
        assert {(e.line, e.area, e.cell) for e in box.all(CellChanged)} >= {("l1", "4CA", "81DE445")}
        view, now = box.view("l1"), asyncio.get_running_loop().time()
        assert view.credit
        assert view.credit.known(now)
        assert (view.credit.value, view.credit_until, view.credit_why) == (4_500, "2035-01-31", "")
        assert view.cell
        assert view.cell.value == "4CA 81DE445"
        assert view.trend
        assert view.trend[-1] == -69
        assert {line for line, _ in box.offsets} == {"l1"}  # the other was registered before it listened for the time
        assert all(240 < offset < 360 for _, offset in box.offsets)

    tell(story)


def test_a_modem_on_another_socket_goes_on_where_it_was(tell: Callable[..., None]) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("call.from", number=OUTSIDE, to="l1", ring_s=100)
        await box.event(CallRinging)
        await box.lines.answer("l1", "", "sari")
        old = (there.network.folder / "l1").readlink()
        await there.network.turn("modem.move", name="l1")
        assert (there.network.folder / "l1").readlink() != old
        await there.network.turn("sms.from", number=OUTSIDE, text="Tolong", to="l1")
        assert (await box.event(LineDown)).reason.endswith("leads to another device now.")
        await box.until(lambda: len([e for e in box.all(LineUp) if e.line == "l1"]) == 2, "up again")
        assert (await box.event(SmsReceived)).text == "Tolong"
        await box.event(CallAnswered, 2)
        assert [c.number for c in box.state.calls.values() if c.phase == "talking"] == [OUTSIDE]
        assert (proof := box.view("l1").proof)
        assert proof.kind in ("call", "sms_received")
        assert box.all(LineDown)[0].line == "l1"
        assert len(box.all(LineDown)) == 1

    tell(story)


def test_a_right_pin_opens_the_sim_and_is_seen_nowhere(
    tell: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    async def story(there: World) -> None:
        for name, pin in (("l1", PIN), ("l2", "9999")):
            await there.network.turn("sim.lock", name=name, pin=pin)
            await there.network.turn("modem.reset", name=name)
        box = await there.start(pin=PIN, credit="postpaid")
        bad = await box.event(SimBad)
        assert (bad.line, bad.state, bad.reason) == ("l2", "pin", "pin_refused")
        await box.until(lambda: box.view("l1").can_take_call == "registered", "registered")
        assert box.view("l2").why == "sim_pin_refused"
        assert (await there.network.turn("status"))["modems"]["l2"]["pin_tries"] == 2
        said = [b"".join(e.body for e in box.entries), msgspec.json.encode(box.lines.views()), caplog.text.encode()]
        said.append(msgspec.json.encode([box.lines.bench(name).recording() for name in NUMBERS]))
        assert not [text for text in said if PIN.encode() in text]
        await there.network.turn("sim.lock", name="l2", pin="")
        assert (await box.event(SimGood)).line == "l2"

    with caplog.at_level(logging.DEBUG):
        tell(story)


@pytest.mark.parametrize(("set_to", "goes"), [("0", True), ("2", False)])
def test_lte_is_left_only_by_a_modem_that_is_set_as_usual(tmp_path: Path, set_to: str, goes: bool) -> None:
    async def story() -> None:
        fake = ScriptedModem(tmp_path / "modem")
        fake.table['AT+QCFG="nwscanmode"'] = f'+QCFG: "nwscanmode",{set_to}'
        line = Line(fake)
        running = asyncio.create_task(line.modem.run())
        try:
            await line.until(StatusChanged)
            assert line.modem.can_narrow
            assert await line.modem.narrow() is goes
            assert ('AT+QCFG="nwscanmode",1,1' in fake.heard) is goes
            await line.modem.widen()
            assert fake.heard[-1] == 'AT+QCFG="nwscanmode",0,1'
        finally:
            running.cancel()
            await asyncio.wait({running})
            fake.unplug()

    VirtualClock().run(story())


def test_a_port_that_another_program_has_is_said_and_taken_once_it_is_free(tmp_path: Path) -> None:
    async def story() -> None:
        master, slave = os.openpty()
        path = tmp_path / "modem"
        path.symlink_to(os.ttyname(slave))
        try:
            with path.open("rb", buffering=0) as other:
                fcntl.flock(other, fcntl.LOCK_EX)
                with pytest.raises(LinkLost, match=r"modem: another program has the port; fuser -v"):
                    SerialPort(path, lambda data: None, lambda reason: None)
            SerialPort(path, lambda data: None, lambda reason: None).close()
        finally:
            os.close(master)
            os.close(slave)

    asyncio.run(story())
