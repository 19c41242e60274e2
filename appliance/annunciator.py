"""The process that owns GPIO. It has no database, no network and no broker, and sounds on when core is gone.

Core orders over a Unix socket; what sounds ends by the annunciator's own clock.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from appliance import annunciator_protocol as say
from appliance import logs
from appliance.annunciator_button import RedButton
from appliance.annunciator_config import ONLY_FOLLOWS, SOUNDING, AnnunciatorConfig, ConfigRefused, load
from appliance.annunciator_followers import Followers
from appliance.annunciator_locks import Locks
from appliance.annunciator_siren import Siren
from appliance.annunciator_start import StartContacts
from appliance.annunciator_stuck import StuckWatch
from appliance.model import AlertKind
from drivers import notify
from drivers.clock import Clock
from drivers.gpio.errors import BoardUnavailable, GpioError
from drivers.gpio.factory import Board, open_board
from drivers.gpio.inputs import Input
from drivers.gpio.outputs import Output
from drivers.jsonsocket import Message, Peer, Refusal, Server
from drivers.sim.pins import SimulatedPins
from drivers.sim.wires import Wire

log = logging.getLogger(__name__)

SOUNDS = (AlertKind.ACTUAL, AlertKind.SOUNDING_TEST)
BAD_CONFIG = 78  # EX_CONFIG of sysexits.h; the unit does not start again on it


class Annunciator:
    """Answers core, watches the inputs, sounds the orders. Made on a running loop; it has no pins until `claim`."""

    def __init__(self, config: AnnunciatorConfig) -> None:
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._started_at = self._loop.time()
        self._uids = {0, os.getuid(), *config.uids}
        self._peers: set[Peer] = set()
        self._cores: set[Peer] = set()
        self._faults: dict[str, str] = {}
        self._outputs: dict[str, Output] = {}
        self._sirens: dict[str, Siren] = {}
        self._starts = StartContacts(self._output_changed)
        self._followers = Followers(self._output_changed)
        self._stuck = StuckWatch(self._output_changed)
        self._inputs: dict[str, Input] = {}
        self._locks = Locks()
        self._button: RedButton | None = None

    def claim(self, board: Board) -> None:
        """Claim every line; outputs are off then. One that fails is told as a fault, the others work."""
        button = self._config.button
        for name, out in self._config.output.items():
            with self._alone(name):
                made = Output(
                    name, out.pin, board, max_s=out.max_s, active_high=out.active_high, pwm=out.pwm, ramp_s=out.ramp_s,
                    inverse=out.inverse,
                )  # fmt: skip
                self._outputs[name] = made
                if out.kind in SOUNDING:
                    self._sirens[name] = Siren(made, partial(self._output_changed, name))
                elif out.kind == "start":
                    self._starts.add(made)
                elif button and button.lamp == name:  # core does not switch it
                    made.when_ended = partial(self._lamp_ended, name)
                else:
                    self._followers.add(made, out)
        if button:
            lamp = self._outputs.get(button.lamp) if button.lamp else None
            self._button = RedButton(
                button, self._sirens.get(button.output), self._followers, lamp, self._push, self._locks
            )
        for name, into in self._config.input.items():
            with self._alone(name):
                changed = partial(self._input_changed, name)
                self._inputs[name] = Input(
                    name, into.pin, board, pull=into.pull, debounce_s=into.debounce_s, on_change=changed
                )
        proofs = [(self._config.input[name], into) for name, into in self._inputs.items()]
        self._stuck.start(self._outputs, [(wired, into) for wired, into in proofs if wired.of])

    @contextlib.contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        try:
            yield
        except GpioError as e:
            self._faults[name] = str(e)
            log.error("%s", e)

    def close(self) -> None:
        """Switch everything off and give the lines back."""
        self._stuck.close()
        for siren in self._sirens.values():
            siren.close()
        for out in self._outputs.values():
            out.close()
        for into in self._inputs.values():
            into.close()
        if self._button:
            self._button.close()
        self._button = None  # peers that leave from here on light no lamp
        self._sirens, self._outputs, self._inputs = {}, {}, {}

    async def answer(self, peer: Peer, message: Message) -> Any:
        """Answer a request of the socket. Raises Refusal."""
        if peer.uid not in self._uids:
            raise Refusal("not_allowed", f"User {peer.uid} may not use the annunciator.", "Add it to uids.")
        try:
            request = msgspec.convert(message, say.Request)
        except msgspec.ValidationError as e:
            raise Refusal("bad_request", f"{message.get('do')!r}: {e}.") from e
        self._peers.add(peer)
        match request:
            case say.Sound():
                return self._sound(request)
            case say.Stop():
                return self._stop(request.orders)
            case say.Silence():
                siren = self._siren(request.output)
                return say.Stopped(tuple(siren.silence()), siren.output.on)
            case say.Light():
                return self._switch(request.output, request.on)
            case say.Hold():
                return self._hold(peer, request.output, request.on)
            case say.Lock():
                return self._lock(request.outputs, request.seconds)
            case say.Take():
                return self._take(peer, request.press)
            case say.Hello():
                self._cores.add(peer)
                if self._button:
                    self._button.core_came()
        return self._standing()

    def gone(self, peer: Peer) -> None:
        """A peer left. What it ordered sounds on; a generator that it wanted started it wants no more."""
        self._peers.discard(peer)
        was_core = peer in self._cores
        self._cores.discard(peer)
        self._starts.left(peer)
        if was_core and not self._cores and self._button:
            self._button.core_left()

    def _sound(self, asked: say.Sound) -> say.Sounding:
        if asked.kind not in SOUNDS:
            told = asked.kind.replace("_", " ")
            raise Refusal("not_allowed", f"A {told} sounds nothing.", "Actual orders and sounding tests do.")
        try:
            siren = self._siren(asked.output)
            self._locks.check(asked.output)
            sounding = siren.sound(
                asked.order, asked.pattern, asked.seconds, priority=asked.priority, level=asked.level,
                test=asked.kind is not AlertKind.ACTUAL,
            )  # fmt: skip
        except Refusal as no:
            if no.code == "not_driven":  # a crew that hears nothing wakes by light
                self._followers.begin(asked.output, asked.order, asked.kind, asked.seconds)
            raise
        if sounding.ended is None:
            self._followers.begin(asked.output, asked.order, asked.kind, sounding.remaining_s)
        return sounding

    def _siren(self, name: str) -> Siren:
        if name not in self._sirens:
            raise self._no_output(name, "sounds", self._sirens)
        return self._sirens[name]

    def _no_output(self, name: str, does: str, known: Iterable[str]) -> Refusal:
        if name in self._faults:
            return Refusal("not_driven", self._faults[name], "Repair this line and start the annunciator again.")
        return Refusal("no_output", f"There is no output {name!r} that {does}.", f"There are: {', '.join(known)}.")

    def _stop(self, orders: tuple[str, ...]) -> say.Stopped:
        ended = {siren: siren.end(orders, "stopped") for siren in self._sirens.values()}
        self._followers.end(orders)
        stopped = dict.fromkeys(order for here in ended.values() for order in here)
        return say.Stopped(tuple(stopped), any(here and siren.output.on for siren, here in ended.items()))

    def _switch(self, name: str, on: bool) -> dict[str, bool]:
        lights = {n: x for n, x in self._followers.lights.items() if self._config.output[n].kind not in ONLY_FOLLOWS}
        if name not in lights:
            raise self._no_output(name, "core may light", lights)
        return {"on": lights[name].switch(on)}

    def _lock(self, outputs: tuple[str, ...], seconds: float) -> dict[str, tuple[str, ...]]:
        for name in outputs:
            if name not in self._config.output or self._config.output[name].kind not in SOUNDING:
                raise self._no_output(name, "sounds", self._sirens)
        self._locks.set(outputs, seconds)
        for name in outputs if seconds else ():
            if name in self._sirens:  # one whose line is dead is locked all the same
                self._sirens[name].silence()
        return {"locked": outputs if seconds else ()}

    def _hold(self, peer: Peer, name: str, on: bool) -> dict[str, bool]:
        if peer not in self._cores:
            raise Refusal("say_hello", "Only core starts generators.", "Say hello first.")
        if name not in self._starts.outputs:
            raise self._no_output(name, "starts a generator", self._starts.outputs)
        return {"on": self._starts.hold(peer, name, on)}

    def _take(self, peer: Peer, press: int) -> dict[str, int]:
        if peer not in self._cores or self._button is None:
            raise Refusal("say_hello", "Only core takes presses.", "Say hello first.")
        self._button.take(press)
        return {"taken": press}

    def _standing(self) -> say.Standing:
        outputs = {}
        for name, output in self._outputs.items():
            orders = tuple(self._sirens[name].orders.sounding) if name in self._sirens else ()
            left = output.remaining_s
            fault, stuck = self._stuck.fault(name), self._stuck.stuck(name)
            outputs[name] = say.OutputState(output.on, orders, None if left == float("inf") else left, fault, stuck)
        local_only = self._button.local_only if self._button else not self._cores
        inputs = {name: into.active for name, into in self._inputs.items()}
        locked = {name: left for name in self._config.output if (left := self._locks.left(name))}
        barred_s = self._button.barred_s if self._button else None
        return say.Standing(outputs, inputs, self._started_at, local_only, self._faults, locked, barred_s)

    def _input_changed(self, name: str, active: bool) -> None:
        self._push(say.InputChange(name, active, self._loop.time()))
        if active and self._button and self._config.button and name == self._config.button.input:
            self._button.pressed()

    def _output_changed(self, name: str, order: str | None, why: str) -> None:
        if order:
            log.info("%s: order %s %s", name, order, why, extra=logs.about(alert=order, output=name))
        self._push(say.OutputChange(name, self._outputs[name].on, order, why, self._loop.time()))

    def _lamp_ended(self, name: str, _cut: bool) -> None:
        self._output_changed(name, None, "limit")

    def _push(self, what: msgspec.Struct) -> None:
        message = msgspec.to_builtins(what)
        for peer in tuple(self._peers):
            peer.send(message)


async def run(config: AnnunciatorConfig, stop: asyncio.Event, on_ready: Callable[[], Any] = notify.ready) -> None:
    """Own the pins and answer until `stop`; then everything is off. Raises BoardUnavailable, OSError (the socket)."""
    async with contextlib.AsyncExitStack() as stack:
        box = Annunciator(config)
        server = Server(Path(config.socket), box.answer, on_gone=box.gone)
        await server.start()  # before any pin is touched: a second annunciator stops here
        stack.push_async_callback(server.stop)
        board = open_board(config.factory)
        if config.factory == "mock" and config.knobs:
            names = {name: wired.pin for name, wired in (config.output | config.input).items()}
            wires = {name: Wire(into.of, into.kind == "current") for name, into in config.input.items() if into.of}
            bench = SimulatedPins(board.factory, names, Path(config.knobs), wires)
            await bench.start()
            stack.push_async_callback(bench.stop)
        stack.callback(box.close)
        box.claim(board)
        async with asyncio.TaskGroup() as tasks:
            fed = tasks.create_task(notify.watchdog())
            on_ready()
            await stop.wait()
            notify.stopping()
            fed.cancel()


async def _run_until_signalled(config: AnnunciatorConfig) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(config, stop)


def main(argv: list[str] | None = None) -> int:
    """`python -m appliance.annunciator --config FILE.toml`; returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="siaga annunciator", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="what is wired to which pin")
    arguments = parser.parse_args(argv)
    logs.set_up("siaga-annunciator")
    try:
        Clock.from_environment().run(_run_until_signalled(load(arguments.config)))
    except ConfigRefused as e:
        log.critical("%s", e)
        return BAD_CONFIG
    except (BoardUnavailable, OSError) as e:
        log.critical("%s", e)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
