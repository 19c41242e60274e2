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
from appliance.annunciator_config import ONLY_FOLLOWS, SOUNDING, AnnunciatorConfig, ConfigRefused, load
from appliance.annunciator_siren import Siren
from appliance.annunciator_wiring import Wiring
from appliance.model import AlertKind
from drivers import notify
from drivers.clock import Clock
from drivers.gpio.errors import BoardUnavailable
from drivers.gpio.factory import open_board
from drivers.jsonsocket import Message, Peer, Refusal, Server
from drivers.sim.pins import SimulatedPins
from drivers.sim.wires import Wire

log = logging.getLogger(__name__)

SOUNDS = (AlertKind.ACTUAL, AlertKind.SOUNDING_TEST)
BAD_CONFIG = 78  # EX_CONFIG of sysexits.h; the unit does not start again on it


class Annunciator:
    """Answers core, watches the inputs, sounds the orders. Made on a running loop; it has no pins until `claim`."""

    def __init__(self, config: AnnunciatorConfig, read: Callable[[], AnnunciatorConfig] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._started_at = self._loop.time()
        self._peers: set[Peer] = set()
        self._cores: set[Peer] = set()
        self._wires = Wiring(config, read, self._push, self._output_changed, self._input_changed)
        self.claim, self.close, self.reload = self._wires.claim, self._wires.close, self._wires.reload

    def on_rewired(self, told: Callable[[AnnunciatorConfig], None]) -> None:
        """Called with each wiring that is in force from then on, before its lines are claimed."""
        self._wires.on_rewired = told

    async def answer(self, peer: Peer, message: Message) -> Any:
        """Answer a request of the socket. Raises Refusal."""
        if peer.uid not in (0, os.getuid(), *self._wires.config.uids):
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
            case say.Reload():
                return self.reload()
            case say.Hello():
                self._cores.add(peer)
                if self._wires.button:
                    self._wires.button.core_came()
        return self._standing()

    def gone(self, peer: Peer) -> None:
        """A peer left. What it ordered sounds on; a generator that it wanted started it wants no more."""
        self._peers.discard(peer)
        was_core = peer in self._cores
        self._cores.discard(peer)
        self._wires.starts.left(peer)
        if was_core and not self._cores and self._wires.button:
            self._wires.button.core_left()

    def _sound(self, asked: say.Sound) -> say.Sounding:
        if asked.kind not in SOUNDS:
            told = asked.kind.replace("_", " ")
            raise Refusal("not_allowed", f"A {told} sounds nothing.", "Actual orders and sounding tests do.")
        try:
            siren = self._siren(asked.output)
            self._wires.locks.check(asked.output)
            sounding = siren.sound(
                asked.order, asked.pattern, asked.seconds, priority=asked.priority, level=asked.level,
                test=asked.kind is not AlertKind.ACTUAL,
            )  # fmt: skip
        except Refusal as no:
            if no.code == "not_driven":  # a crew that hears nothing wakes by light
                self._wires.followers.begin(asked.output, asked.order, asked.kind, asked.seconds)
            raise
        if sounding.ended is None:
            self._wires.followers.begin(asked.output, asked.order, asked.kind, sounding.remaining_s)
        return sounding

    def _siren(self, name: str) -> Siren:
        if name not in self._wires.sirens:
            raise self._no_output(name, "sounds", self._wires.sirens)
        return self._wires.sirens[name]

    def _no_output(self, name: str, does: str, known: Iterable[str]) -> Refusal:
        if name in self._wires.faults:
            return Refusal("not_driven", self._wires.faults[name], "Repair this line and start the annunciator again.")
        return Refusal("no_output", f"There is no output {name!r} that {does}.", f"There are: {', '.join(known)}.")

    def _stop(self, orders: tuple[str, ...]) -> say.Stopped:
        ended = {siren: siren.end(orders, "stopped") for siren in self._wires.sirens.values()}
        self._wires.followers.end(orders)
        stopped = dict.fromkeys(order for here in ended.values() for order in here)
        return say.Stopped(tuple(stopped), any(here and siren.output.on for siren, here in ended.items()))

    def _switch(self, name: str, on: bool) -> dict[str, bool]:
        lights = {
            n: x
            for n, x in self._wires.followers.lights.items()
            if self._wires.config.output[n].kind not in ONLY_FOLLOWS
        }
        if name not in lights:
            raise self._no_output(name, "core may light", lights)
        return {"on": lights[name].switch(on)}

    def _lock(self, outputs: tuple[str, ...], seconds: float) -> dict[str, tuple[str, ...]]:
        for name in outputs:
            if name not in self._wires.config.output or self._wires.config.output[name].kind not in SOUNDING:
                raise self._no_output(name, "sounds", self._wires.sirens)
        self._wires.locks.set(outputs, seconds)
        for name in outputs if seconds else ():
            if name in self._wires.sirens:  # one whose line is dead is locked all the same
                self._wires.sirens[name].silence()
        return {"locked": outputs if seconds else ()}

    def _hold(self, peer: Peer, name: str, on: bool) -> dict[str, bool]:
        if peer not in self._cores:
            raise Refusal("say_hello", "Only core starts generators.", "Say hello first.")
        if name not in self._wires.starts.outputs:
            raise self._no_output(name, "starts a generator", self._wires.starts.outputs)
        return {"on": self._wires.starts.hold(peer, name, on)}

    def _take(self, peer: Peer, press: int) -> dict[str, int]:
        if peer not in self._cores or self._wires.button is None:
            raise Refusal("say_hello", "Only core takes presses.", "Say hello first.")
        self._wires.button.take(press)
        return {"taken": press}

    def _standing(self) -> say.Standing:
        outputs = {}
        for name, output in self._wires.outputs.items():
            orders = tuple(self._wires.sirens[name].orders.sounding) if name in self._wires.sirens else ()
            left = output.remaining_s
            fault, stuck = self._wires.stuck.fault(name), self._wires.stuck.stuck(name)
            outputs[name] = say.OutputState(output.on, orders, None if left == float("inf") else left, fault, stuck)
        local_only = self._wires.button.local_only if self._wires.button else not self._cores
        inputs = {name: into.active for name, into in self._wires.inputs.items()}
        locked = {name: left for name in self._wires.config.output if (left := self._wires.locks.left(name))}
        barred_s = self._wires.button.barred_s if self._wires.button else None
        return say.Standing(outputs, inputs, self._started_at, local_only, self._wires.faults, locked, barred_s)

    def _input_changed(self, name: str, active: bool) -> None:
        self._push(say.InputChange(name, active, self._loop.time()))
        if active and self._wires.button and self._wires.config.button and name == self._wires.config.button.input:
            self._wires.button.pressed()

    def _output_changed(self, name: str, order: str | None, why: str) -> None:
        if order:
            log.info("%s: order %s %s", name, order, why, extra=logs.about(alert=order, output=name))
        self._push(say.OutputChange(name, self._wires.outputs[name].on, order, why, self._loop.time()))

    def _push(self, what: msgspec.Struct) -> None:
        message = msgspec.to_builtins(what)
        for peer in tuple(self._peers):
            peer.send(message)


async def run(
    config: AnnunciatorConfig, stop: asyncio.Event, on_ready: Callable[[], Any] = notify.ready,
    read: Callable[[], AnnunciatorConfig] | None = None,
) -> None:  # fmt: skip
    """Own the pins and answer until `stop`; then everything is off. Raises BoardUnavailable, OSError (the socket).

    `read` reads the file once more, when core or SIGHUP asks for it.
    """
    async with contextlib.AsyncExitStack() as stack:
        box = Annunciator(config, read)
        server = Server(Path(config.socket), box.answer, on_gone=box.gone)
        await server.start()  # before any pin is touched: a second annunciator stops here
        stack.push_async_callback(server.stop)
        board = open_board(config.factory)
        if config.factory == "mock" and config.knobs:
            names, wires = _bench(config)
            bench = SimulatedPins(board.factory, names, Path(config.knobs), wires)
            box.on_rewired(lambda now: bench.rewire(*_bench(now)))
            await bench.start()
            stack.push_async_callback(bench.stop)
        stack.callback(box.close)
        box.claim(board)
        with _hangup(box):
            await _until(stop, on_ready)


def _bench(config: AnnunciatorConfig) -> tuple[dict[str, int], dict[str, Wire]]:
    """Pins by name, and what inputs tell of outputs, for simulated pins."""
    names = {name: wired.pin for name, wired in (config.output | config.input).items()}
    return names, {name: Wire(into.of, into.kind == "current") for name, into in config.input.items() if into.of}


@contextlib.contextmanager
def _hangup(box: Annunciator) -> Iterator[None]:
    """SIGHUP has the file read again, as core does."""

    def again() -> None:
        try:
            box.reload()
        except Refusal as e:
            log.error("%s All is as it was.", e)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, again)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


async def _until(stop: asyncio.Event, on_ready: Callable[[], Any]) -> None:
    async with asyncio.TaskGroup() as tasks:
        fed = tasks.create_task(notify.watchdog())
        on_ready()
        await stop.wait()
        notify.stopping()
        fed.cancel()


async def _run_until_signalled(config: AnnunciatorConfig, file: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(config, stop, read=partial(load, file))


def main(argv: list[str] | None = None) -> int:
    """`python -m appliance.annunciator --config FILE.toml`; returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="siaga annunciator", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="what is wired to which pin")
    arguments = parser.parse_args(argv)
    logs.set_up("siaga-annunciator")
    try:
        Clock.from_environment().run(_run_until_signalled(load(arguments.config), arguments.config))
    except ConfigRefused as e:
        log.critical("%s", e)
        return BAD_CONFIG
    except (BoardUnavailable, OSError) as e:
        log.critical("%s", e)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
