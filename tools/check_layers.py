"""Imports run one way, web -> appliance -> drivers, and a room's pure machine knows only the vocabulary.

It reads every import in the source, also those inside functions; nothing is run. A room is a package inside
`appliance`; only `core*.py` and `station*.py` may know more rooms than their own.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

BENEATH = {"drivers": set[str](), "appliance": {"drivers"}, "web": {"appliance", "drivers"}}
WIRING = ("core", "station")  # how the names of the modules begin that wire rooms together
# A station judges what a centre signs, by the same format, and speaks by what calls' sound is made of.
BESIDE = {"station": {"alerting", "sound"}}
WORDS = (
    "model", "event", "events", "alert_events", "sms_events", "call_events", "line_events", "trunk_events",
    "key_events", "audio_protocol", "command", "commands", "call_commands", "stamp", "desk_state",
    "state", "power_events", "power_state", "power_commands", "power_view", "figure", "power_order_events",
    "power_order_state", "alarm_events", "alarm_state",
    "alarm_commands", "alert_state", "alert_view", "station_events",
)  # fmt: skip
VOCABULARY = {f"appliance.{name}" for name in WORDS}
PURE = VOCABULARY | {"msgspec"}
NEVER_PURE = {"asyncio", "os", "random", "secrets", "socket", "sqlite3", "subprocess", "threading", "time"}
MACHINE = "_machine"


def imports(file: Path, package: str) -> Iterator[tuple[int, str]]:
    """Line and full name of each thing that `file` imports; `from a import b` gives `a.b`."""
    for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def room_of(name: str, rooms: set[str]) -> str:
    """The room that a dotted module name lies in, or an empty string."""
    parts = name.split(".")
    return parts[1] if parts[0] == "appliance" and len(parts) > 1 and parts[1] in rooms else ""


def is_wiring(name: str, rooms: set[str]) -> bool:
    parts = name.split(".")
    if room_of(name, rooms) or ".".join(parts[:2]) in VOCABULARY:
        return False
    return parts[0] == "appliance" and len(parts) > 1 and parts[1].startswith(WIRING)


def must_be_pure(module: str) -> bool:
    """Machines, and the vocabulary: a machine is no purer than what it imports."""
    return module in VOCABULARY or (module.startswith("appliance.") and module.endswith(MACHINE))


def is_of_machine(name: str) -> bool:
    """Whether it is, or stands in, a machine; one may build on another of its room."""
    return any(part.endswith(MACHINE) for part in name.split("."))


def is_pure(name: str) -> bool:
    if any(name == known or name.startswith(f"{known}.") for known in PURE):
        return True
    top = name.split(".")[0]
    return top in sys.stdlib_module_names and top not in NEVER_PURE


def fault(module: str, name: str, rooms: set[str]) -> str:
    """Why `module` may not import `name`, or an empty string."""
    layer, target = module.split(".")[0], name.split(".")[0]
    if target in {"tests", "tools"} or (target in BENEATH and target != layer and target not in BENEATH[layer]):
        return f"{layer} may import only {', '.join(sorted(BENEATH[layer])) or 'nothing of the project'}"
    room, other = room_of(module, rooms), room_of(name, rooms)
    if other and other != room and other not in BESIDE.get(room, ()) and not is_wiring(module, rooms):
        return "only appliance/core*.py and appliance/station*.py know the rooms of others"
    if room and is_wiring(name, rooms):
        return "a room does not know who wires it"
    if must_be_pure(module) and not is_pure(name) and not (room and room == other and is_of_machine(name)):
        return (
            "pure machines and the vocabulary import only the vocabulary, msgspec and the standard library's pure part"
        )
    return ""


def faults(root: Path) -> Iterator[str]:
    """One line for each import under `root` that goes the wrong way."""
    rooms = {init.parent.name for init in root.glob("appliance/*/__init__.py")}
    for layer in BENEATH:
        for file in sorted((root / layer).rglob("*.py")):
            path = file.relative_to(root)
            module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
            for line, name in imports(file, ".".join(path.parent.parts)):
                if why := fault(module, name, rooms):
                    yield f"{path}:{line}: imports {name}: {why}."


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = list(faults(root))
    print("\n".join(found) if found else "Layers hold: every import runs one way.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
