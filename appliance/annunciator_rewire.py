"""What of a changed wiring can be taken over now: all but what is on at this moment, which waits until it is off.

Pure: from two wirings and what is busy, the wiring that may be in force, and what waits.
"""

from collections.abc import Collection

import msgspec
from msgspec.structs import replace

from appliance.annunciator_config import AnnunciatorConfig, ButtonConfig, check

FIXED = ("socket", "factory", "knobs")  # of the process itself


class Rewiring(msgspec.Struct, frozen=True):
    """`config`: in force from now on; `outputs` and `inputs`: lines to be let go and claimed anew; `waiting`: names."""

    config: AnnunciatorConfig
    outputs: frozenset[str]
    inputs: frozenset[str]
    button: bool
    waiting: tuple[str, ...] = ()


def fixed(old: AnnunciatorConfig, new: AnnunciatorConfig) -> list[str]:
    """Keys that only a restart changes."""
    return [key for key in FIXED if getattr(old, key) != getattr(new, key)]


def rewiring(
    old: AnnunciatorConfig, new: AnnunciatorConfig, busy: Collection[str], broken: Collection[str] = ()
) -> Rewiring:
    """`busy`: outputs that are on; `broken`: lines that could not be claimed, to be tried again."""
    waiting = {name for name in busy if old.output.get(name) != new.output.get(name)}
    if old.button and old.button != new.button and old.button.output in busy:
        waiting.add("button")
    waiting |= _without_place(old, new, waiting)
    config = _mixed(old, new, waiting)
    if check(config):  # half of it would contradict itself: all of it waits
        waiting = {name for name in {*old.output, *new.output} if old.output.get(name) != new.output.get(name)}
        waiting |= {name for name in {*old.input, *new.input} if old.input.get(name) != new.input.get(name)}
        waiting |= {"button"} if old.button != new.button else set()
        config = replace(old, uids=new.uids)
    outputs = _changed(old.output, config.output) | {name for name in broken if name in config.output}
    inputs = _changed(old.input, config.input) | {name for name in broken if name in config.input}
    return Rewiring(
        config, frozenset(outputs - set(busy)), frozenset(inputs),
        old.button != config.button or bool(_lines(config.button) & (outputs | inputs)), tuple(sorted(waiting)),
    )  # fmt: skip


def _mixed(old: AnnunciatorConfig, new: AnnunciatorConfig, waiting: Collection[str]) -> AnnunciatorConfig:
    """The new wiring, but for what waits."""
    output = {name: one for name, one in new.output.items() if name not in waiting}
    output |= {name: one for name, one in old.output.items() if name in waiting}
    inputs = {name: one for name, one in new.input.items() if name not in waiting}
    inputs |= {name: one for name, one in old.input.items() if name in waiting}
    return replace(new, output=output, input=inputs, button=old.button if "button" in waiting else new.button)


def _without_place(old: AnnunciatorConfig, new: AnnunciatorConfig, waiting: Collection[str]) -> set[str]:
    """What is new or moved and has no pin yet, for one that waits still has it; and so on."""
    known: set[str] = set(waiting)
    while True:
        held = {old.output[n].pin for n in known if n in old.output} | {
            old.input[n].pin for n in known if n in old.input
        }
        more = {name for name, one in new.output.items() if name not in known and one.pin in held}
        more |= {name for name, one in new.input.items() if name not in known and one.pin in held}
        if not more:
            return known
        known |= more


def _changed(old: dict[str, msgspec.Struct] | object, new: object) -> set[str]:
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def _lines(button: ButtonConfig | None) -> set[str]:
    return {button.input, button.output, *([button.lamp] if button.lamp else [])} if button else set()
