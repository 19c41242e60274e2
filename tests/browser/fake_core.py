"""A core that says what a test or a person wants: the control socket with canned views, as `appliance/view.py` has them.

Run it by hand to look at a page: `python tests/browser/fake_core.py FOLDER calm|blackout|alert [--port 8112]`
makes a site file in FOLDER and serves it; `siaga web --site FOLDER/site.toml` shows it.
"""

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from appliance.clock import boot_id
from appliance.config import load_site, places
from appliance.model import AlertKind, CallPhase, DeliveryState, GensetPhase, Mains, Role, Source
from appliance.model import Path as Way
from appliance.state import (
    Alarm,
    Alert,
    Attempt,
    Call,
    Delivery,
    Genset,
    Link,
    Message,
    Siren,
    Stamp,
    StationContact,
    Ups,
)
from appliance.view import Dark, DeviceView, EntryView, Figure, LineView, PowerView, StationView, View
from drivers.clock import Clock
from drivers.jsonsocket import Peer, Refusal, Server

PASSWORD = "rahasia"
STATIONS = (
    ("pusat", "Damkar Pusat"),
    ("passo", "Damkar Passo"),
    ("teluk", "Damkar Teluk"),
    ("bpbd", "BPBD"),
    ("ambulans", "Ambulans"),
    ("satpol", "Satpol PP"),
    ("posko", "PLN Posko"),
)
ALERT = "7c2f00aa00bb00cc"
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def write_site(folder: Path, port: int, **changes: Any) -> Path:
    """A site file with sockets in `folder`; returns its path."""
    file = folder / "site.toml"
    site: dict[str, Any] = {
        "role": "centre",
        "site": "ambon",
        "id": "centre",
        "name": "Pusat Komando 112 Ambon",
        "web": {"port": port},
        "annunciator": {
            "socket": "annunciator.sock",
            "factory": "mock",
            "output": {"siren": {"pin": 17, "kind": "siren", "max_s": 300}},
        },
        "own": {"id": "pusat", "number": 1, "siren": "siren"},
        "station": [
            {"id": i, "number": n, "name": name, "local": n == 1, "sms": "+6200000010", "phone": f"+62000000{n:02}"}
            | ({} if n == 1 else {"key": f"{n:064x}"})
            for n, (i, name) in enumerate(STATIONS, 1)
        ],
        "line": [
            {"id": "l1", "name": "Saluran 1", "port": "/dev/null", "number": "+6200000001"},
            {"id": "l2", "name": "Saluran 2", "port": "/dev/null", "number": "+6200000002"},
            {"id": "l3", "name": "Saluran 3", "port": "/dev/null", "number": "+6200000003"},
        ],
        "bus": [{"id": "b1", "kind": "tcp", "host": "127.0.0.1"}],
        "genset": [{"id": "g1", "name": "Genset 1", "bus": "b1", "profile": "dse_7320_mk2"}],
        "ups": [{"id": "u1", "name": "UPS 1", "bus": "b1", "profile": "apc_smart_ups"}],
        "trunk": {"host": "127.0.0.1"},
    }
    file.write_text(tomli_w.dumps(site | changes))
    return file


class Moment:
    """Stamps and figures so many seconds ago."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.boot, self.seq = clock, boot_id(), 100

    def ago(self, seconds: float, actor: str = "") -> Stamp:
        self.seq += 1
        return Stamp(self.seq, self.clock.wall() - seconds, self.clock.now() - seconds, self.boot, actor)

    def figure(
        self, value: float | str | bool | None, unit: str = "", *, age: float = 0.4, fresh: float = 5.0
    ) -> Figure:
        return Figure(value, unit, "good" if value is not None else "no_link", self.clock.now() - age, fresh)


def calm(clock: Clock) -> View:
    """A night on which nothing is wrong."""
    m = Moment(clock)
    f = m.figure
    genset = {
        "mode": f("auto"), "fuel_level": f(74, "%"), "battery_v": f(12.6, "V"), "coolant_temperature": f(31, "°C"),
        "mains_v_l1": f(229.4, "V"), "generator_load": f(0.0, "%"), "fuel_low": f(False), "battery_low": f(False),
    }  # fmt: skip
    ups = {
        "charge": f(100.0, "%"), "load": f(34.2, "%"), "output_v": f(229.0, "V"), "output_hz": f(50.0, "Hz"),
        "runtime_s": f(4100, "s"),
    }  # fmt: skip
    up = Link(True, m.ago(11520))
    return View(
        seq=m.seq, head="ab" * 32, at=clock.now(), wall=clock.wall(), clock_quality="ntp", zone="WIT",
        speed=clock.speed, role=Role.CENTRE, site="ambon", id="centre", name="Pusat Komando 112 Ambon",
        language="id", version="0.1.0",
        power=PowerView(
            source=Source.MAINS, mains=Mains.PRESENT, mains_since=m.ago(11520), witnesses=(),
            dark=Dark(None, "mains_feeds", clock.now(), 5.0),
            gensets={"g1": Genset(GensetPhase.STOPPED, m.ago(90000), True, "auto")},
            ups={"u1": Ups(False, m.ago(11500))},
            genset_devices=[DeviceView("g1", "Genset 1", genset, up)],
            ups_devices=[DeviceView("u1", "UPS 1", ups, up)],
        ),
        lines=[
            _line(m, "l1", "Saluran 1", "TELKOMSEL", "lte", -79),
            _line(m, "l2", "Saluran 2", "XL", "gsm", -91),
            _line(m, "l3", "Saluran 3", "INDOSAT", "lte", -85),
        ],
        trunk=up, trunk_watched=True,
        stations=[
            StationView(
                i, name, n, n == 1, f"+62000000{n:02}", n != 1, StationContact(True, "00" * 8, "mqtt", m.ago(7000)),
                clock.now() - 1.0, 9.0, False,
            )
            for n, (i, name) in enumerate(STATIONS, 1)
        ],
        alerts=[], sirens={}, alarms=[], calls=[], messages=[],
        links={"broker": up, "annunciator": up}, disk_failed=None, disk_kept=0,
        last=[
            EntryView(100, clock.wall() - 40, "person.logged_in", "budi", "budi", {"name": "budi"}),
            EntryView(99, clock.wall() - 7000, "station.online", "passo", "", {"station": "passo", "session": "00" * 8, "path": "mqtt"}),
            EntryView(98, clock.wall() - 11520, "power.mains_returned", "", "", {"by": ["g1", "u1"]}),
        ],
    )  # fmt: skip


def _line(m: Moment, id: str, name: str, operator: str, technology: str, signal: int) -> LineView:
    f = m.figure
    return LineView(
        id, name, "+6200000001", Link(True, m.ago(9000)), "EG25", f(operator, fresh=30), f(technology, fresh=30),
        f("home", fresh=30), f(signal, "dBm", fresh=30), "registered", "", None,
    )  # fmt: skip


def blackout(clock: Clock) -> View:
    """Mains lost, the generator failed, on battery; the trunk is down and a call rings."""
    view, m = calm(clock), Moment(clock)
    f = m.figure
    assert view.power
    power = view.power
    power.source, power.mains, power.mains_since, power.witnesses = Source.BATTERY, Mains.LOST, m.ago(206), ("g1", "u1")
    power.dark = Dark(23.4, "ups_runtime", clock.now(), 5.0)
    power.gensets["g1"] = Genset(GensetPhase.FAILED, m.ago(110), False, "auto")
    power.ups["u1"] = Ups(True, m.ago(205))
    genset, ups = power.genset_devices[0].figures, power.ups_devices[0].figures
    genset |= {"mains_v_l1": f(0, "V"), "battery_v": f(9.8, "V"), "battery_low": f(True)}
    ups |= {"charge": f(61.0, "%"), "runtime_s": f(1404, "s")}
    view.trunk = Link(False, m.ago(232), "no_answer")
    call = Call("l1", "aa00aa00", "+6281255504471", CallPhase.RINGING, m.ago(4), m.ago(4))
    view.lines[0].call = call
    missed = [
        Call("l2", f"aa00aa0{n}", "+6281311112222", CallPhase.MISSED, m.ago(n * 90), m.ago(n * 80)) for n in (1, 2)
    ]
    view.calls = [call, *missed]
    view.lines[1].can_take_call = "registered"
    view.lines[2].can_take_call, view.lines[2].why = "no", "not_registered"
    view.lines[2].operator = view.lines[2].technology = view.lines[2].signal_dbm = f(None)
    view.stations[4].heard_at, view.stations[4].contact = None, StationContact(False, "00" * 8, "mqtt", m.ago(250))
    view.stations[5].heard_at, view.stations[5].contact = None, StationContact(False, "00" * 8, "mqtt", m.ago(130))
    view.stations[5].sms = False
    view.alarms = [
        Alarm("genset.fail_to_start", "g1", 1, m.ago(110)),
        Alarm("power.mains_lost", "mains", 2, m.ago(206), m.ago(190, "budi")),
        Alarm("trunk.lost", "127.0.0.1", 2, m.ago(232)),
    ]
    view.messages = [
        Message(
            "l2", "bb00bb01", "+6281344445555", "Pohon tumbang menutup jalan di depan SMP 6, ada kabel putus", m.ago(60)
        ),
        Message("l2", "bb00bb02", "+6281366667777", EVIL, m.ago(400)),
    ]
    view.last = [
        EntryView(
            131,
            clock.wall() - 4,
            "call.ringing",
            "l1/aa00aa00",
            "",
            {"line": "l1", "call": "aa00aa00", "number": "+6281255504471"},
        ),
        EntryView(
            130,
            clock.wall() - 60,
            "sms.received",
            "l2",
            "",
            {"line": "l2", "message": "bb00bb01", "number": "+6281344445555", "text": "Pohon", "parts": 1},
        ),
        EntryView(
            128,
            clock.wall() - 110,
            "alarm.raised",
            "genset.fail_to_start/g1",
            "",
            {"alarm": "genset.fail_to_start", "about": "g1", "priority": 1},
        ),
        EntryView(127, clock.wall() - 110, "genset.failed_to_start", "g1", "", {"genset": "g1", "reason": "deadline"}),
        EntryView(126, clock.wall() - 200, "genset.starting", "g1", "", {"genset": "g1"}),
        EntryView(125, clock.wall() - 205, "ups.on_battery", "u1", "", {"ups": "u1"}),
        EntryView(124, clock.wall() - 206, "power.mains_lost", "", "", {"witnesses": 2, "by": ["g1", "u1"]}),
    ]
    view.seq = m.seq
    return view


def alert(clock: Clock) -> View:
    """The blackout, and an order on its way to all stations: each in another state."""
    view, m = blackout(clock), Moment(clock)
    issued = m.ago(58, "budi")

    def delivery(station: str, state: DeliveryState, ways: tuple[Way, ...] = (Way.MQTT,), **more: Any) -> Delivery:
        attempts = [Attempt(w, "start", 1, m.ago(57)) for w in ways]
        return Delivery(station, state, m.ago(50), ways[-1] if ways else "", attempts, **more)

    deliveries = [
        delivery("pusat", DeliveryState.PROVEN, (Way.GPIO,), energised=m.ago(57), acknowledged=m.ago(20)),
        delivery("passo", DeliveryState.ENERGISED, energised=m.ago(55)),
        delivery("teluk", DeliveryState.RECEIVED),
        delivery("bpbd", DeliveryState.SENT, (Way.MQTT, Way.SMS)),
        delivery("ambulans", DeliveryState.REFUSED, (Way.SMS,), reason="no_time"),
        delivery("satpol", DeliveryState.QUEUED, (), card=m.ago(5), card_reason="no_path"),
        delivery("posko", DeliveryState.ENDED, energised=m.ago(57)),
    ]
    stations = tuple(d.station for d in deliveries)
    order = Alert(
        ALERT, AlertKind.ACTUAL, "wail", 60, 120, 0, stations, "page", "key", issued,
        deliveries={d.station: d for d in deliveries},
    )  # fmt: skip
    view.alerts = [order]
    view.sirens = {"siren": Siren(True, ALERT, "ordered", m.ago(57), 60)}
    view.alarms.insert(0, Alarm("delivery.card", f"{ALERT}/satpol", 1, m.ago(5)))
    view.last.insert(
        0,
        EntryView(
            140,
            clock.wall() - 20,
            "delivery.acknowledged",
            f"{ALERT}/pusat",
            "",
            {"alert": ALERT, "station": "pusat", "path": "gpio"},
        ),
    )
    view.seq = m.seq
    return view


SCENES: dict[str, Callable[[Clock], View]] = {"calm": calm, "blackout": blackout, "alert": alert}


class FakeCore:
    """Serves a scene, takes orders and remembers them. `change` edits each view before it goes out."""

    def __init__(self, socket: Path, clock: Clock, scene: str = "calm") -> None:
        self.clock, self.scene = clock, scene
        self.change: Callable[[View], None] = lambda view: None
        self.orders: list[dict[str, Any]] = []
        self.answers: dict[str, Any] = {}  # by `do`: what to answer, or a Refusal to raise
        self.tokens: dict[str, str] = {}
        self.watchers: set[Peer] = set()
        self.views_made = 0
        self._keys: dict[str, str] = {}
        self._server = Server(socket, self._handle, on_gone=self.watchers.discard)

    def view(self) -> dict[str, Any]:
        self.views_made += 1
        view = SCENES[self.scene](self.clock)
        self.change(view)
        made: dict[str, Any] = msgspec.to_builtins(view)
        return made

    def push(self) -> None:
        for peer in list(self.watchers):
            peer.send({"view": self.view()})

    async def run(self) -> None:
        await self._server.start()
        try:
            while True:
                await asyncio.sleep(1.0)
                self.push()
        finally:
            await self._server.stop()

    async def _handle(self, peer: Peer, message: dict[str, Any]) -> Any:
        do, token = message.get("do"), message.get("token")
        match do:
            case "view":
                return self.view()
            case "subscribe":
                self.watchers.add(peer)
                asyncio.get_running_loop().call_soon(peer.send, {"view": self.view()})
                return {"seq": 0}
            case "login":
                if message["password"] != PASSWORD:
                    raise Refusal("wrong", "Name or password is wrong.")
                token = f"token-{len(self.tokens)}"
                self.tokens[token] = message["name"]
                return {"token": token, "name": message["name"], "role": "operator"}
            case "logout":
                self.tokens.pop(str(token), None)
                return {}
            case "whoami":
                return {"actor": self._actor(token)}
        actor = self._actor(token)
        self.orders.append({k: v for k, v in message.items() if k not in ("id", "token")} | {"actor": actor})
        answer = self.answers.get(str(do))
        if isinstance(answer, Refusal):
            raise answer
        if do == "alert.issue":
            known = message["key"] in self._keys
            alert = self._keys.setdefault(message["key"], f"{len(self._keys):016x}")
            return {"alert": alert, "durable": True, "repeated": known} | (answer or {})
        if do == "alert.stop":
            return {"alerts": message["alerts"] or [ALERT], "durable": True} | (answer or {})
        return answer or {}

    def _actor(self, token: Any) -> str:
        if token not in self.tokens:
            raise Refusal("login", "This login has ended.", "Log in again.")
        return self.tokens[token]


async def _main() -> None:
    parser = argparse.ArgumentParser(description="Serve a canned scene on a control socket.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("scene", choices=sorted(SCENES))
    parser.add_argument("--port", type=int, default=8112)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    file = write_site(given.folder, given.port)
    where = places(load_site(file), file)
    where.run.mkdir(parents=True, exist_ok=True)
    await FakeCore(where.control, Clock(), given.scene).run()


if __name__ == "__main__":
    asyncio.run(_main())
