"""The annunciator's lines: claimed by its wiring, and anew when that is changed, without touching what is on."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from appliance import annunciator_protocol as say
from appliance.annunciator_button import RedButton
from appliance.annunciator_config import SOUNDING, AnnunciatorConfig, ConfigRefused
from appliance.annunciator_followers import Followers
from appliance.annunciator_locks import Locks
from appliance.annunciator_rewire import fixed, rewiring
from appliance.annunciator_siren import Siren
from appliance.annunciator_start import StartContacts
from appliance.annunciator_stuck import StuckWatch
from drivers.gpio.errors import GpioError
from drivers.gpio.factory import Board
from drivers.gpio.inputs import Input
from drivers.gpio.outputs import Output
from drivers.jsonsocket import Refusal

log = logging.getLogger(__name__)

AGAIN = 1.0  # s between looks whether what waits for a new wiring is off


class Wiring:
    """It has no line until `claim`. `read` reads the file once more; `push` tells whoever is connected."""

    def __init__(
        self, config: AnnunciatorConfig, read: Callable[[], AnnunciatorConfig] | None,
        push: Callable[[msgspec.Struct], None],
        on_output: Callable[[str, str | None, str], None], on_input: Callable[[str, bool], None],
    ) -> None:  # fmt: skip
        self.config = self._wanted = config
        self._read, self._push, self._on_output, self._on_input = read, push, on_output, on_input
        self._loop = asyncio.get_running_loop()
        self._again: asyncio.TimerHandle | None = None
        self.on_rewired: Callable[[AnnunciatorConfig], None] = lambda _: None
        self.faults: dict[str, str] = {}
        self.outputs: dict[str, Output] = {}
        self.sirens: dict[str, Siren] = {}
        self.starts = StartContacts(on_output)
        self.followers = Followers(on_output)
        self.stuck = StuckWatch(on_output)
        self.inputs: dict[str, Input] = {}
        self.locks = Locks()
        self.button: RedButton | None = None

    def claim(self, board: Board) -> None:
        """Claim every line; outputs are off then. One that fails is told as a fault, the others work."""
        self._board = board
        for name in self.config.output:
            self._claim_output(name)
        self._make_button()
        for name in self.config.input:
            self._claim_input(name)
        self._watch_relays()

    def _claim_output(self, name: str) -> None:
        out, button = self.config.output[name], self.config.button
        with self._alone(name):
            made = Output(
                name, out.pin, self._board, max_s=out.max_s, active_high=out.active_high, pwm=out.pwm,
                ramp_s=out.ramp_s, inverse=out.inverse,
            )  # fmt: skip
            self.outputs[name] = made
            if out.kind in SOUNDING:
                self.sirens[name] = Siren(made, partial(self._on_output, name))
            elif out.kind == "start":
                self.starts.add(made)
            elif button and button.lamp == name:  # core does not switch it
                made.when_ended = partial(self._on_lamp, name)
            else:
                self.followers.add(made, out)

    def _claim_input(self, name: str) -> None:
        into = self.config.input[name]
        with self._alone(name):
            changed = partial(self._on_input, name)
            self.inputs[name] = Input(
                name, into.pin, self._board, pull=into.pull, debounce_s=into.debounce_s, on_change=changed
            )

    def _make_button(self) -> None:
        button, before = self.config.button, self.button
        self.button = None
        if button:
            lamp = self.outputs.get(button.lamp) if button.lamp else None
            self.button = RedButton(
                button, self.sirens.get(button.output), self.followers, lamp, self._push, self.locks, before
            )

    def _watch_relays(self) -> None:
        proofs = [(self.config.input[name], into) for name, into in self.inputs.items()]
        self.stuck.start(self.outputs, [(wired, into) for wired, into in proofs if wired.of])

    @contextlib.contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        try:
            yield
        except GpioError as e:
            self.faults[name] = str(e)
            log.error("%s", e)

    def reload(self) -> say.Rewired:
        """Read the file again, and take over what is off. Raises Refusal: then nothing is changed."""
        if self._read is None:
            raise Refusal("no_file", "This annunciator was given no file.", "Start it again.")
        try:
            new = self._read()
        except ConfigRefused as e:
            raise Refusal("wiring", str(e), "Repair the file; all is as it was.") from e
        if keys := fixed(self.config, new):
            raise Refusal(
                "restart", f"A change of {', '.join(keys)} takes a start.",
                "When nothing sounds: systemctl restart siaga-annunciator",
            )  # fmt: skip
        self._wanted = new
        return self._rewire()

    def _rewire(self) -> say.Rewired:
        """What waits is looked at again until it is off."""
        if self._again:
            self._again.cancel()
        busy = [name for name, output in self.outputs.items() if output.on or output.stuck]
        todo = rewiring(self.config, self._wanted, busy, tuple(self.faults))
        offered = self.button is not None and self.button.asking
        if offered and todo.button:
            self._again = self._loop.call_later(AGAIN, self._rewire)
            return say.Rewired((), ("button",))
        self.config = todo.config
        if todo.outputs or todo.inputs or todo.button:
            self.stuck.close()
            memory = {name: self.sirens[name].orders for name in todo.outputs if name in self.sirens}
            for name in todo.outputs:
                self._let_go(name)
            for name in todo.inputs:
                self.faults.pop(name, None)
                if name in self.inputs:
                    self.inputs.pop(name).close()
            self.on_rewired(self.config)
            for name in todo.outputs & self.config.output.keys():
                self._claim_output(name)
                if name in memory and name in self.sirens:
                    self.sirens[name].orders = memory[name]  # what was stopped stays stopped
            if todo.button:
                if self.button:
                    self.button.close()
                self._make_button()
            for name in todo.inputs & self.config.input.keys():
                self._claim_input(name)
            self._watch_relays()
        self._again = self._loop.call_later(AGAIN, self._rewire) if todo.waiting else None
        taken = tuple(sorted(todo.outputs | todo.inputs))
        if taken or not todo.waiting:
            log.info("wiring taken over: %s; waits until it is off: %s", taken or "nothing", todo.waiting or "nothing")
        return say.Rewired(taken, todo.waiting)

    def _let_go(self, name: str) -> None:
        """An output that is off."""
        self.faults.pop(name, None)
        if name in self.sirens:
            self.sirens.pop(name).close()
        self.starts.outputs.pop(name, None)
        self.followers.remove(name)
        if name in self.outputs:
            self.outputs.pop(name).close()

    def close(self) -> None:
        """Switch everything off and give the lines back."""
        if self._again:
            self._again.cancel()
        self.stuck.close()
        for siren in self.sirens.values():
            siren.close()
        for out in self.outputs.values():
            out.close()
        for into in self.inputs.values():
            into.close()
        if self.button:
            self.button.close()
        self.button = None  # peers that leave from here on light no lamp
        self.sirens, self.outputs, self.inputs = {}, {}, {}

    def _on_lamp(self, name: str, _cut: bool) -> None:
        self._on_output(name, None, "limit")
