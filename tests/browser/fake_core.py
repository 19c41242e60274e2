"""A core that says what a test or a person wants: the control socket with canned views of `appliance/view.py`.

Run it by hand to look at a page: `python tests/browser/fake_core.py FOLDER queue [--port 8112]` (or another scene)
makes a site file in FOLDER and serves it; `siaga web --site FOLDER/site.toml` shows it.
"""

import argparse
import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import tomli_w
from alarm_scenes import ALARM_SCENES, alarm_log
from call_scenes import ALL_SCENES as CALL_SCENES
from call_scenes import CALL_ANSWERS
from own_scenes import OWN_SCENES, OWN_SITE
from power_scenes import POWER_SCENES
from scenes import ALERT, STATIONS
from supervision_scenes import SUPERVISION_SCENES, whole_run

from appliance.commands import SCREEN, UNNAMED
from appliance.config import load_site, places
from appliance.view import SoundView, View
from drivers.clock import Clock
from drivers.jsonsocket import Peer, Refusal, Server

PASSWORD = "rahasia"
ALL_SCENES = CALL_SCENES | POWER_SCENES | ALARM_SCENES | OWN_SCENES | SUPERVISION_SCENES
ANSWERS = CALL_ANSWERS | {"alarm.list": alarm_log, "test.list": whole_run}


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
            "output": {"siren": {"pin": 17, "kind": "siren", "max_s": 600}},
        },
        "own": {"id": "pusat", "number": 1, "siren": "siren"},
        "station": [
            {
                "id": i,
                "number": n,
                "name": name,
                "local": n == 1,
                "sms": f"+62000001{n:04}",
                "phone": f"+62000555{n:04}",
            }
            | ({} if n == 1 else {"key": f"{n:064x}"})
            for n, (i, name) in enumerate(STATIONS, 1)
        ],
        "line": [
            {"id": "l1", "name": "Saluran 1", "port": "/dev/none1", "number": "+6200000001"},
            {"id": "l2", "name": "Saluran 2", "port": "/dev/none2", "number": "+6200000002"},
            {"id": "l3", "name": "Saluran 3", "port": "/dev/none3", "number": "+6200000003"},
        ],
        "bus": [{"id": "b1", "kind": "tcp", "host": "127.0.0.1"}],
        "genset": [{"id": "g1", "name": "Genset 1", "bus": "b1", "profile": "dse_7320_mk2"}],
        "ups": [{"id": "u1", "name": "UPS 1", "bus": "b1", "unit": 2, "profile": "apc_smart_ups"}],
        "trunk": {"host": "127.0.0.1"},
    }
    if changes.get("role") == "station":
        del site["trunk"]
    file.write_text(tomli_w.dumps(site | changes))
    return file


class FakeCore:
    """Serves a scene, takes orders and remembers them. `change` edits each view before it goes out."""

    def __init__(self, socket: Path, clock: Clock, scene: str = "calm") -> None:
        self.clock = clock
        self.watchers: set[Peer] = set()
        self.reset(scene)
        self._server = Server(socket, self._handle, on_gone=self.watchers.discard)

    def reset(self, scene: str = "calm") -> None:
        """As if nothing had happened yet."""
        self.scene = scene
        self.role = "operator"  # of everybody who logs in
        self.change: Callable[[View], None] = lambda view: None
        self.orders: list[dict[str, Any]] = []
        self.answers: dict[str, Any] = {}  # by `do`: what to answer, or a Refusal to raise
        self.tokens: dict[str, str] = {}
        self.muted: dict[str, bool] = {}  # by line, as the page ordered
        self.views_made = 0
        self._keys: dict[str, str] = {}

    def view(self) -> dict[str, Any]:
        self.views_made += 1
        view = ALL_SCENES[self.scene](self.clock)
        muted = tuple(line.call.id for line in view.lines if line.call and self.muted.get(line.id))
        view.sound = SoundView(headset=True, muted=muted)
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
                await asyncio.sleep(1.02 - self.clock.wall() % 1.0)  # the page's clock shows whole seconds
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
                token = secrets.token_hex(8)
                self.tokens[token] = message["name"]
                return {"token": token, "name": message["name"], "role": self.role}
            case "logout":
                self.tokens.pop(str(token), None)
                return {}
            case "whoami":
                return {"actor": self._actor(token), "role": self.role}
        actor = SCREEN if do in UNNAMED and token == "" else self._actor(token)
        self.orders.append({k: v for k, v in message.items() if k not in ("id", "token")} | {"actor": actor})
        answer = self.answers.get(str(do))
        if isinstance(answer, Refusal):
            raise answer
        if do == "alert.issue":
            known = message["key"] in self._keys
            alert = self._keys.setdefault(message["key"], f"{len(self._keys):016x}")
            return {"alert": alert, "durable": True, "repeated": known} | (answer or {})
        if do in ANSWERS and answer is None:
            self.orders.pop()
            return ANSWERS[do](self.clock, message)
        if do == "sms.list":
            self.orders.pop()
            view = self.view()
            return {"received": view["messages"], "outgoing": view["outgoing"]}
        if do == "sms.send":
            known = message["key"] in self._keys
            text = self._keys.setdefault(message["key"], f"{len(self._keys):08x}")
            return {"message": text, "number": message["number"], "parts": 1, "durable": True, "repeated": known} | (
                answer or {}
            )
        if do == "alert.stop":
            return {"alerts": message["alerts"] or [ALERT], "durable": True} | (answer or {})
        if do == "call.mute":
            self.muted[message["line"]] = message["on"]
            asyncio.get_running_loop().call_soon(self.push)
        if do == "call.dial":
            known = message["key"] in self._keys
            call = self._keys.setdefault(message["key"], f"{len(self._keys):08x}")
            return {"line": "l1", "call": call, "number": message["to"], "repeated": known}
        return answer or {}

    def _actor(self, token: Any) -> str:
        if token not in self.tokens:
            raise Refusal("login", "This login has ended.", "Log in again.")
        return self.tokens[token]


async def _main() -> None:
    parser = argparse.ArgumentParser(description="Serve a canned scene on a control socket.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("scene", choices=sorted(ALL_SCENES))
    parser.add_argument("--port", type=int, default=8112)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    file = write_site(given.folder, given.port, **(OWN_SITE if given.scene in OWN_SCENES else {}))
    where = places(load_site(file), file)
    where.run.mkdir(parents=True, exist_ok=True)
    await FakeCore(where.control, Clock(), given.scene).run()


if __name__ == "__main__":
    asyncio.run(_main())
