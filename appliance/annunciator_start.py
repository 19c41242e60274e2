"""Contacts at the remote start inputs of generators: closed for as long as the core that wants it is there.

The safe value is open: a set in auto then looks after itself.
"""

from collections.abc import Callable
from functools import partial

from drivers.gpio.errors import NotDriven
from drivers.gpio.outputs import Output
from drivers.jsonsocket import Peer, Refusal

Changed = Callable[[str, str | None, str], None]  # output, order (none here), why


class StartContacts:
    """`outputs` by name. `on_change` is told of each change that was not asked for, and of those that were."""

    def __init__(self, on_change: Changed) -> None:
        self._on_change = on_change
        self.outputs: dict[str, Output] = {}
        self._holders: dict[str, Peer] = {}

    def add(self, output: Output) -> None:
        self.outputs[output.name] = output
        output.when_ended = partial(self._ran_out, output.name)

    def hold(self, peer: Peer, name: str, on: bool) -> bool:
        """Close it for `peer`, or open it; whether it is closed. Held again it holds no longer. Raises Refusal."""
        output = self.outputs[name]
        try:
            if on and not output.on:
                output.switch_on()
                self._on_change(name, None, "ordered")
            elif not on:
                self._open(name, "ordered")
        except NotDriven as e:
            raise Refusal("not_driven", str(e), "Start the set at its panel and repair this line.") from e
        if on:
            self._holders[name] = peer
        return output.on

    def left(self, peer: Peer) -> None:
        """Who held it is gone."""
        for name in [name for name, holder in self._holders.items() if holder is peer]:
            try:
                self._open(name, "left")
            except NotDriven:  # the output has logged it, and tries each second
                continue

    def _open(self, name: str, why: str) -> None:
        self._holders.pop(name, None)
        output = self.outputs[name]
        was = output.on
        if not output.off():
            raise NotDriven(f"Output {name} {output.fault}.")
        if was:
            self._on_change(name, None, why)

    def _ran_out(self, name: str, _cut: bool) -> None:
        self._holders.pop(name, None)
        self._on_change(name, None, "limit")
