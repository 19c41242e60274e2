"""`siaga sim ...`: turns the knobs of the running demo's simulators from another terminal."""

import argparse
from pathlib import Path
from typing import Any

import msgspec

from appliance.cli import say_no
from appliance.cli_node import running_demo
from appliance.demo_site import CENTRE, STATIONS, default_folder
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal
from drivers.sim.knobs import turn

# what a person says: (process, knob, fixed arguments, names of the words that follow)
WORDS: dict[tuple[str, str], tuple[str, str, dict[str, Any], tuple[str, ...]]] = {
    ("mains", "off"): ("building", "mains.cut", {}, ()),
    ("mains", "on"): ("building", "mains.return", {}, ()),
    ("genset", "refuse"): ("building", "genset.refuse", {"on": True}, ()),
    ("genset", "obey"): ("building", "genset.refuse", {"on": False}, ()),
    ("genset", "mode"): ("building", "genset.mode", {}, ("mode",)),
    ("ups", "test"): ("building", "ups.test", {}, ()),
    ("trunk", "dead"): ("trunk", "trunk.dead", {"on": True}, ()),
    ("trunk", "alive"): ("trunk", "trunk.dead", {"on": False}, ()),
    ("call", "from"): ("mobile", "call.from", {}, ("number", "to")),
    ("call", "drop"): ("mobile", "call.drop", {}, ("to",)),
    ("sms", "from"): ("mobile", "sms.from", {}, ("number", "text", "to")),
    ("net", "cut"): ("net", "net.cut", {}, ("line",)),
    ("net", "restore"): ("net", "net.restore", {}, ("line",)),
    ("modem", "mute"): ("mobile", "modem.mute", {"on": True}, ("name",)),
    ("modem", "unmute"): ("mobile", "modem.mute", {"on": False}, ("name",)),
    ("modem", "unplug"): ("mobile", "modem.unplug", {}, ("name",)),
    ("modem", "plug"): ("mobile", "modem.plug", {}, ("name",)),
    ("broker", "stop"): ("broker", "broker.stop", {}, ()),
    ("broker", "kill"): ("broker", "broker.kill", {}, ()),
    ("broker", "start"): ("broker", "broker.start", {}, ()),
    ("process", "kill"): ("processes", "process.kill", {}, ("name",)),
    ("process", "stop"): ("processes", "process.stop", {}, ("name",)),
    ("process", "start"): ("processes", "process.start", {}, ("name",)),
}
DEFAULTS = {"to": f"{CENTRE}-l1", "line": STATIONS[0]}
PRESS_HOLD = 0.3  # s that a finger stays on a button

EXAMPLES = """
  siaga sim mains off                    siaga sim call from +628115550101
  siaga sim genset refuse                siaga sim sms from +628115550101 "Api di pasar"
  siaga sim net cut damkar-passo         siaga sim modem mute pusat-l2
  siaga sim press pusat alarm_button     siaga sim press damkar-kota acknowledge
  siaga sim knob building bus.mute device=genset on=true
"""


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    said = sorted(f"  {a} {b} {' '.join(names)}".rstrip() for (a, b), (_, _, _, names) in WORDS.items())
    parser.epilog = "what there is:\n" + "\n".join([*said, "  press NODE INPUT", "  knob PROCESS KNOB key=value ..."])
    parser.epilog += f"\n\nexamples:{EXAMPLES}"
    parser.add_argument("--folder", type=Path, default=default_folder(), help="the demo's folder")
    parser.add_argument("words", nargs="+", metavar="WORD")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    where = running_demo(options.folder)
    if where is None:
        return say_no(f"No demo runs in {options.folder}. Start one: siaga demo")
    try:
        process, knob, args = understand(options.words)
    except ValueError as e:
        return say_no(f"{e} See siaga sim --help.", code=2)
    if process not in where["knobs"]:
        return say_no(f"There is no simulator {process!r}; there is {', '.join(where['knobs'])}.", code=2)
    try:
        done = Clock().run(turn(Path(where["knobs"][process]), knob, timeout=20.0, **args))
    except (Gone, Refusal) as e:
        return say_no(str(e))
    if done is not None:
        print(msgspec.json.format(msgspec.json.encode(done)).decode())
    return 0


def understand(words: list[str]) -> tuple[str, str, dict[str, Any]]:
    """(process, knob, arguments) of what a person said. Raises ValueError."""
    if words[0] == "press" and len(words) == 3:
        return f"{words[1]}/pins", "input.press", {"name": words[2], "hold_s": PRESS_HOLD}
    if words[0] == "knob" and len(words) >= 3:
        return words[1], words[2], dict(_assignment(w) for w in words[3:])
    found = WORDS.get((words[0], words[1])) if len(words) > 1 else None
    if found is None:
        raise ValueError(f"Nothing is called {' '.join(words[:2])!r}.")
    process, knob, args, names = found
    given = dict(zip(names, words[2:], strict=False))
    if len(words) - 2 > len(names):
        raise ValueError(f"{' '.join(words[:2])} takes {', '.join(names) or 'nothing more'}.")
    missing = [n for n in names if n not in given and n not in DEFAULTS]
    if missing:
        raise ValueError(f"{' '.join(words[:2])} needs {', '.join(missing)}.")
    return process, knob, {**args, **{n: DEFAULTS[n] for n in names if n in DEFAULTS}, **given}


def _assignment(word: str) -> tuple[str, Any]:
    name, equals, value = word.partition("=")
    if not equals:
        raise ValueError(f"{word!r} is not key=value.")
    try:
        return name, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return name, value
