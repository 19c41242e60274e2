"""What a scenario can see of a running site, each sight a function from the expectation's table to (seen, what)."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from appliance.demo_site import CENTRE
from appliance.entry import Entry
from appliance.journal import follow_chain
from appliance.journal_file import JournalUnreadable, read_entries
from appliance.scenario import SIGHTS
from appliance.scenario_page import Page
from appliance.scenario_sound import Ears
from drivers.jsonsocket import Client, Gone, Refusal
from drivers.sim.knobs import turn

PROCESS_OF = {
    "mains": "building", "genset": "building", "fuel": "building", "ups": "building", "bus": "building",
    "meter": "building",
    "call": "mobile", "sms": "mobile", "modem": "mobile", "network": "mobile", "phone": "mobile",
    "sim": "mobile", "ussd": "mobile", "person": "person", "headset": "headset",
    "net": "net", "wire": "wire", "broker": "broker",
    "trunk": "trunk", "process": "processes", "disk": "processes",
    "calendar": "processes", "site": "processes", "pins": "pins", "input": "pins",
}  # fmt: skip

Seen = tuple[bool, str]


class Site:
    """The running demo as `siaga demo where` tells of it. `marks` is where in each journal looking begins."""

    def __init__(self, where: dict[str, Any]) -> None:
        self.where = where
        passwords = where.get("passwords") or {where["operator"]: where["password"]}
        self._pages = {name: Page(where.get("page", ""), name, password) for name, password in passwords.items()}
        self._far = set(where["nodes"]) - {CENTRE}
        self._rounds = 1
        self._began = 0.0
        self.marks: dict[str, int] = {}
        self._starts: dict[str, int] = {}
        self._texts: list[dict[str, Any]] = []
        self._mqtt: dict[str, str] = {}
        self.ears = Ears(Path(where.get("folder", "")))

    def journal(self, node: str) -> Path:
        return Path(self.where["nodes"][node]["state"]) / "journal.db"

    def entries(self, node: str, after: int) -> list[Entry]:
        try:
            return list(read_entries(self.journal(node), after=after))
        except (sqlite3.Error, JournalUnreadable):
            return []  # not there yet, or its process is just dying: looked at again

    def page(self, name: str = "") -> Page:
        """As this person sees it, else as the operator. Raises Refusal."""
        if (name or self.where["operator"]) not in self._pages:
            raise Refusal("no_person", f"Nobody here is called {name!r}.", f"There is {', '.join(self._pages)}.")
        return self._pages[name or self.where["operator"]]

    async def value(self, path: str, node: str = CENTRE) -> Any:
        """What a node's view has there; None: nothing. Raises Gone, Refusal."""
        value = await self._view(node)
        for name in path.split("."):
            value = _enter(value, name)
        return value

    def begin(self, now: float, rounds: int = 1) -> None:
        """A story begins here; `now` is the site's clock."""
        self._began, self._rounds = now, rounds
        self.mark()
        self._starts = dict(self.marks)
        self._texts.clear()

    def mark(self) -> None:
        """From here on counts what comes next."""
        for node in self.where["nodes"]:
            rows = self.entries(node, self.marks.get(node, 0))
            self.marks[node] = rows[-1].seq if rows else self.marks.get(node, 0)
        self.ears.mark()

    async def turn(self, name: str, args: dict[str, Any]) -> None:
        """Do something in the story; texts that are sent in are remembered."""
        if name.endswith((".record", ".say", ".wear")):
            args = self.ears.in_folder(args)
        if name == "sms.from":
            self._texts.append({"number": args.get("number"), "text": args.get("text")})
        await self.knob(name, args)

    async def at_rest(self) -> Seen:
        """Whether all is as it was found: lines registered, no call on them, modems empty, no alarm on, no siren heard,
        each text told exactly once; and a building at rest, its set ready."""
        told = [msgspec.json.decode(e.body) for e in self._told("sms.received")]
        for text in self._texts:
            if (count := sum(1 for one in told if text.items() <= one.items())) != 1:
                return False, f"{text} was told {count} times"
        modems = (await self.knob("status", {"process": "mobile"}))["modems"].values()
        left = [m["name"] for m in modems if any(m["stored"].values()) or m["held_by_network"]]
        try:
            view = await self._view(CENTRE)
        except (Gone, Refusal) as e:
            return False, str(e)
        if calls := [call["id"] for line in view["lines"] for call in line["calls"]]:
            return False, f"calls that are not over: {calls}"
        ill = [line["id"] for line in view["lines"] if line["can_take_call"] not in ("registered", "proven")]
        alarms = [f"{a['alarm']}/{a['about']}" for a in view["alarms"] if a["cleared"] is None]
        seen = f"lines not registered: {ill}, messages left in: {left}, alarms: {alarms}"
        if ill or left or alarms:
            return False, seen
        if open_ := [alert["id"] for alert in view["alerts"] if alert["ended"] is None]:
            return False, f"orders that are not over: {open_}"
        if loud := [name for name, siren in view["sirens"].items() if siren["on"]]:
            return False, f"sirens that sound: {loud}"
        if away := [
            s["id"] for s in view["stations"] if s["id"] in self._far and not (s["contact"] or {}).get("online")
        ]:
            return False, f"stations that are not heard: {away}"
        if "building" in self.where["knobs"] and (restless := _restless(view["power"])):
            return False, restless
        return True, f"{len(self._texts)} texts told once"

    def _told(self, kind: str) -> list[Entry]:
        return [e for e in self.entries(CENTRE, self._starts.get(CENTRE, 0)) if e.kind == kind]

    async def knob(self, name: str, args: dict[str, Any]) -> Any:
        """Turn a knob by its name alone; pins need `node`, and `status` needs `process`."""
        args = dict(args)
        process = args.pop("process", None) or PROCESS_OF.get(name.split(".")[0], name.split(".")[0])
        if process == "pins":
            process = f"{args.pop('node', CENTRE)}/pins"
        if process not in self.where["knobs"]:
            raise Refusal(
                "no_knob", f"There is no knob {name!r} at this site.", "See docs/architecture.md for them all."
            )
        return await turn(Path(self.where["knobs"][process]), name, timeout=60.0, **args)

    async def see(self, expected: dict[str, Any]) -> Seen:
        """Whether this expectation holds now, and what was seen instead."""
        for kind in SIGHTS:
            if kind in expected:
                rest = {k: v for k, v in expected.items() if k != kind}
                seen: Seen = await getattr(self, f"_see_{kind}")(expected[kind], rest)
                return seen
        raise ValueError(f"nothing to see in {expected}")

    async def _see_event(self, kind: str, fields: dict[str, Any]) -> Seen:
        """`count`: exactly so many, `each`: so many a round; `since = "start"`: in the whole story.

        Other keys are fields, subject or actor.
        """
        fields = dict(fields)
        node, count = fields.pop("node", CENTRE), fields.pop("count", None)
        if "each" in fields:
            count = fields.pop("each") * self._rounds
        after = (self._starts if fields.pop("since", "") == "start" else self.marks).get(node, 0)
        of_kind = [e for e in self.entries(node, after) if e.kind == kind]
        found = [e for e in of_kind if _fits(e, fields)]
        if found and count in (None, len(found)):
            return True, _short(found[0])
        return count == 0 and not found, f"{len(of_kind)} {kind}: {'; '.join(_short(e) for e in of_kind[:3])}"

    async def _see_alarm(self, code: str, fields: dict[str, Any]) -> Seen:
        return await self._see_event("alarm.raised", {"alarm": code, **fields})

    async def _see_view(self, path: str, test: dict[str, Any]) -> Seen:
        """A dotted path into the view; lists are entered by index, by `id`, or by `name=value`."""
        try:
            value = await self.value(path, test.get("node", CENTRE))
        except (Gone, Refusal) as e:
            return False, str(e)
        return _holds(value, test), f"{path} is {value!r}"

    async def _view(self, node: str) -> Any:
        client = Client(Path(self.where["nodes"][node]["control"]))
        try:
            await client.connect()
            return await client.request({"do": "view"})
        finally:
            client.close()

    async def _see_pin(self, name: str, test: dict[str, Any]) -> Seen:
        """`is`: its level now. `rises`: how often it went on in this story, and since its process started."""
        node = test.get("node", CENTRE)
        try:
            if "rises" in test:
                record = await self.knob("pins.record", {"node": node, "name": name})
                rises = sum(1 for change in record if change["value"] and change["at"] >= self._began)
                return rises == test["rises"], f"{node} {name} rose {rises} times"
            levels = await self.knob("pins.read", {"node": node})
        except (Gone, Refusal) as e:
            return False, str(e)
        return levels.get(name) == test["is"], f"{node} {name} is {levels.get(name)}"

    async def _see_mqtt(self, topic: str, test: dict[str, Any]) -> Seen:
        """What a stranger, mosquitto_sub, gets retained on a topic."""
        broker = self.where["broker"]
        process = await asyncio.create_subprocess_exec(
            "mosquitto_sub", "-h", broker["host"], "-p", str(broker["port"]), "--cafile", broker["authority"],
            "--cert", broker["certificate"], "--key", broker["key"], "-t", topic, "-C", "1", "-W", "1",
            "--retained-only", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        out, _ = await process.communicate()
        said = out.decode(errors="replace").strip()
        return bool(said) and str(test.get("has", "")) in said, f"{topic}: {said[:200] or 'nothing'}"

    async def _see_knob(self, name: str, test: dict[str, Any]) -> Seen:
        """What a simulator says: `has` must be in its answer."""
        args = {k: v for k, v in test.items() if k != "has"}
        answer = msgspec.json.encode(await self.knob(name, args)).decode()
        return str(test["has"]) in answer, f"{name} says {answer[-300:]}"

    async def _see_journal(self, node: str, _test: dict[str, Any]) -> Seen:
        wrong = follow_chain(self.entries(node, 0))
        return wrong is None, wrong or "unbroken"

    async def _see_get(self, path: str, test: dict[str, Any]) -> Seen:
        """A page as the logged-in operator gets it, or who stands in `as`: `has` or `has_not` a text.

        Several in `has` must come in this order.
        """
        text = await self.page(test.get("as", "")).get(path)
        has = test.get("has", "")
        good = _in_order(text, [has] if isinstance(has, str) else has)
        good = good and ("has_not" not in test or test["has_not"] not in text)
        return good, f"{path}: {len(text)} characters" + ("" if good else " without it")

    async def _see_heard(self, name: str, test: dict[str, Any]) -> Seen:
        """What a phone or a person kept in this file since the last `do`."""
        return await self.ears.heard(name, test)

    async def _see_recording(self, line: str, test: dict[str, Any]) -> Seen:
        """The newest recording of a line's calls in this story, or the `part`th."""
        told = [msgspec.json.decode(e.body) for e in self._told("call.recorded")]
        files = [one["file"] for one in told if one["line"] == line]
        state = Path(self.where["nodes"][CENTRE]["state"])
        return await self.ears.recorded([state / file for file in files], test)


def _restless(power: dict[str, Any]) -> str:
    """What in the plant is not as on an ordinary day, "" for nothing."""
    unready = [id for id, genset in power["gensets"].items() if not genset["ready"]]
    if power["source"] == "mains" and power["stage"] == "normal" and not unready:
        return ""
    return f"source {power['source']}, stage {power['stage']}, not ready: {unready}"


def _fits(entry: Entry, fields: dict[str, Any]) -> bool:
    body = msgspec.json.decode(entry.body) | {"subject": entry.subject, "actor": entry.actor}
    return all(body.get(k) == v for k, v in fields.items())


def _in_order(text: str, parts: list[str]) -> bool:
    at = 0
    for part in parts:
        if (found := text.find(part, at)) < 0:
            return False
        at = found + len(part)
    return True


def _short(entry: Entry) -> str:
    return f"{entry.kind} {entry.body.decode()}"[:160]


def _enter(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list):
        if name.isdigit():
            return value[int(name)] if int(name) < len(value) else None
        key, equals, wanted = name.partition("=")
        key, wanted = (key, wanted) if equals else ("id", name)
        return next((x for x in value if isinstance(x, dict) and x.get(key) == wanted), None)
    return None


def _holds(value: Any, test: dict[str, Any]) -> bool:
    number = isinstance(value, int | float)
    return (
        ("is" not in test or value == test["is"])
        and ("none" not in test or (value is None) == test["none"])
        and ("above" not in test or (number and value > test["above"]))
        and ("below" not in test or (number and value < test["below"]))
        and ("has" not in test or test["has"] in (value or ""))
    )
