"""What the annunciator refuses: strangers, requests it does not understand, wiring that cannot be; and its end."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from annunciator_box import WIRING, Box, play, wiring

from appliance.annunciator import Annunciator
from appliance.annunciator_config import AnnunciatorConfig, ConfigRefused, check, load
from appliance.annunciator_protocol import Standing
from drivers.clock import VirtualClock
from drivers.gpio.factory import open_board
from drivers.jsonsocket import Client, Peer, Refusal
from drivers.sim.pins import SimulatedPins


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"do": "dance"}, "bad_request"),
        ({"do": "sound", "order": "a1", "output": "siren", "pattern": "wail"}, "bad_request"),
        ({"do": "sound", "order": "x'; --", "output": "siren", "pattern": "wail", "seconds": 5}, "bad_request"),
        ({"do": "sound", "order": "a1", "output": "siren", "pattern": "wail", "seconds": 5, "loud": 1}, "bad_request"),
        ({"do": "sound", "order": "a1", "output": "siren", "pattern": "wail", "seconds": 0}, "bad_request"),
        ({"do": "sound", "order": "a1", "output": "siren", "pattern": "song", "seconds": 5}, "no_pattern"),
        ({"do": "sound", "order": "a1", "output": "amber", "pattern": "wail", "seconds": 5}, "no_output"),
        ({"do": "stop", "orders": ["a"] * 257}, "bad_request"),
    ],
)
def test_a_request_that_is_not_understood_is_refused_and_moves_nothing(
    tmp_path: Path, request_: dict[str, Any], code: str
) -> None:
    async def story(box: Box) -> None:
        async with box.running():
            client = Client(box.socket)
            await client.connect()
            with pytest.raises(Refusal) as refused:
                await client.request(request_)
            assert refused.value.code == code
            assert await box.changes() == []
            client.close()

    play(tmp_path, story)


async def test_only_root_its_own_user_and_those_in_the_file_may_ask() -> None:
    box = Annunciator(wiring(uids=[1234]))
    for uid in (0, 1234):
        peer = Peer(lambda peer, message: None)
        peer.uid = uid
        assert isinstance(await box.answer(peer, {"do": "look"}), Standing)
    peer.uid = 4321
    with pytest.raises(Refusal, match="4321"):
        await box.answer(peer, {"do": "look"})


def test_closing_leaves_every_output_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()

    async def main() -> None:
        board = open_board("mock")
        names = {name: out["pin"] for name, out in WIRING["output"].items()}
        bench = SimulatedPins(board.factory, names, tmp_path / "knobs")
        box = Annunciator(wiring())
        box.claim(board)
        peer = Peer(lambda peer, message: None)
        peer.uid = 0
        await box.answer(peer, {"do": "sound", "order": "a1", "output": "siren", "pattern": "steady", "seconds": 60})
        await box.answer(peer, {"do": "light", "output": "amber", "on": True})
        assert bench.read() == {"siren": 1, "buzzer": 0, "amber": 1, "strobe": 0, "local": 1}
        await box.answer(peer, {"do": "hello"})
        box.close()
        assert not any(bench.read().values())
        box.gone(peer)  # its lamp says no more that core is gone
        await asyncio.sleep(100)
        assert not any(bench.read().values())
        assert caplog.records == []

    clock.run(main())


def output(**keys: Any) -> dict[str, Any]:
    return {"output": WIRING["output"] | {"siren": WIRING["output"]["siren"] | keys}}


def button(**keys: Any) -> dict[str, Any]:
    return {"button": WIRING["button"] | keys}


def input_(**keys: Any) -> dict[str, Any]:
    return {"input": WIRING["input"] | {"button": WIRING["input"]["button"] | keys}}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"socket": ""}, "socket"),
        ({"socket": "/" + "x" * 107}, "socket"),
        ({"factory": "lgpio", "knobs": "/run/k"}, "knobs"),
        ({"uids": [-1]}, "uids"),
        (output(pin=23), "input.button.pin"),
        (output(pin=28), "output.siren.pin"),
        (output(pin=5), "output.siren.pin"),
        (output(max_s=None), "output.siren.max_s"),
        (output(max_s=5000), "output.siren.max_s"),
        (output(active_high=False), "output.siren.active_high"),
        (output(pin=14), "output.siren.pin"),
        ({"output": WIRING["output"] | {"Siren 2": {"pin": 9, "kind": "light"}}}, "output.Siren 2"),
        ({"output": WIRING["output"] | {"ack": {"pin": 9, "kind": "light"}}}, "input.ack"),
        (input_(debounce_s=2), "input.button.debounce_s"),
        (input_(pin=3, pull="down"), "input.button.pull"),
        (button(input="ack"), "button.input"),
        (button(output="amber"), "button.output"),
        (button(pattern="song"), "button.pattern"),
        (button(seconds=181), "button.seconds"),
        (button(take_within_s=0), "button.take_within_s"),
        (button(lamp="amber"), "button.lamp"),
    ],
)
def test_wiring_that_cannot_be_is_refused_by_its_key(changes: dict[str, Any], key: str) -> None:
    assert check(wiring()) == []
    reasons = check(wiring(**changes))
    assert len(reasons) == 1
    assert reasons[0].startswith(f"{key}: ")


def added(**keys: Any) -> dict[str, Any]:
    """One more output, on a line that is free."""
    return {"output": WIRING["output"] | {"more": {"pin": 26, "kind": "light", **keys}}}


def told(**keys: Any) -> dict[str, Any]:
    return {"input": WIRING["input"] | {"more": {"pin": 5, "kind": "current", "of": "siren", **keys}}}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        (added(kind="door"), "output.more.follows"),
        (added(follows="amber"), "output.more.follows"),
        (added(follows="nothing"), "output.more.follows"),
        (added(kind="siren", max_s=60, follows="siren"), "output.more.follows"),
        (added(kind="start", max_s=60, follows="siren"), "output.more.follows"),
        (added(kind="lamp", follows="siren") | {"button": {**WIRING["button"], "lamp": "more"}}, "output.more.follows"),
        (added(hold_s=5), "output.more.hold_s"),
        (added(follows="siren", hold_s=0.1), "output.more.hold_s"),
        (added(follows="siren", hold_s=20_000), "output.more.hold_s"),
        (added(follows="siren", hold_s=30, max_s=20), "output.more.hold_s"),
        (added(kind="stove", follows="siren"), "output.more.hold_s"),
        (added(kind="door", follows="siren", active_high=False), "output.more.active_high"),
        (added(kind="stove", follows="siren", hold_s=5, pin=7), "output.more.pin"),
        (added(pattern="song"), "output.more.pattern"),
        (added(kind="lamp", pattern="pulse"), "output.more.pattern"),
        (added(inverse=True), "output.more.inverse"),
        (added(kind="door", follows="siren", pwm=True), "output.more.pwm"),
        (added(pwm=True, active_high=False), "output.more.active_high"),
        (added(ramp_s=5), "output.more.ramp_s"),
        (added(pwm=True, ramp_s=500), "output.more.ramp_s"),
        (told(of=None), "input.more.of"),
        (told(of="nothing"), "input.more.of"),
        (told(kind="contact"), "input.more.of"),
    ],
)  # fmt: skip
def test_followers_dimmers_and_proofs_that_cannot_be_are_refused_by_their_key(
    changes: dict[str, Any], key: str
) -> None:
    reasons = check(wiring(**changes))
    assert len(reasons) == 1, reasons
    assert reasons[0].startswith(f"{key}: ")


@pytest.mark.parametrize(
    "changes",
    [
        added(follows="siren"),
        added(follows="siren", pattern="alternating", inverse=True, pwm=True, ramp_s=30, zone="dormitory"),
        added(kind="door", follows="siren"),
        added(kind="stove", follows="siren", hold_s=1800),
        added(kind="siren", max_s=60, pwm=True, ramp_s=5),
        told(),
        told(kind="feedback"),
        told(kind="feedback", of=None),
        told(kind="supply", of=None),
    ],
)
def test_what_a_station_has_is_taken(changes: dict[str, Any]) -> None:
    assert check(wiring(**changes)) == []


def test_the_example_in_the_document_is_one_that_is_taken() -> None:
    text = (Path(__file__).parents[2] / "docs" / "site-file-alerting.md").read_text()
    example = next(block for block in text.split("```toml\n") if block.startswith("[annunciator.output."))
    wired = msgspec.toml.decode(example.split("```")[0])["annunciator"]
    config = msgspec.convert({"socket": "/run/a.sock", "factory": "mock", **wired}, AnnunciatorConfig)
    assert check(config) == []


def test_a_key_that_nobody_knows_is_named(tmp_path: Path) -> None:
    file = tmp_path / "annunciator.toml"
    file.write_text('socket = "/run/a"\nfactory = "mock"\n[output.siren]\npin = 17\nkind = "siren"\nloud = true\n')
    with pytest.raises(ConfigRefused, match="loud"):
        load(file)
    with pytest.raises(ConfigRefused, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml")
