"""`siaga demo`: a whole simulated site until Ctrl-C; `siaga demo where` says where everything of it is."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from appliance.cli import say_no
from appliance.cli_node import running_demo
from appliance.demo_site import NODES, STATIONS, default_folder
from drivers.clock import Clock


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "verb", nargs="?", choices=["where"], help="print addresses, ttys, folders, processes, password"
    )
    parser.add_argument("--folder", type=Path, default=default_folder(), help="where it keeps its files")
    parser.add_argument("--speed", type=float, default=1.0, help="how fast time passes (default 1)")
    parser.add_argument("--port", type=int, default=8112, help="of the page (default 8112; 0: any free one)")
    parser.add_argument("--fresh", action="store_true", help="forget the journal of the demo before")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    demo = running_demo(options.folder)
    if options.verb == "where":
        if demo is None:
            return say_no(f"No demo runs in {options.folder}. Start one: siaga demo")
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(demo)) + b"\n")
        return 0
    if demo is not None:
        return say_no(f"A demo runs already, see {demo['page']}; its process is {demo['supervisor']}.")
    try:
        clock = Clock(options.speed)
    except ValueError as e:
        return say_no(f"{e}.", code=2)
    return clock.run(_demo(options, clock))


async def _demo(options: argparse.Namespace, clock: Clock) -> int:
    from appliance.demo import Demo
    from appliance.supervisor import NotStarted
    from drivers.jsonsocket import Gone, Refusal

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        demo = Demo(
            options.folder, clock, web_port=options.port, say=lambda text: print(f"starting {text} ..."), pages=NODES
        )
    except OSError as e:
        return say_no(f"the demo did not start: {e}; give another --folder.")
    starting = asyncio.ensure_future(demo.start(fresh=options.fresh))
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            print(_welcome(demo.where()), flush=True)
            await stopped
    except (NotStarted, Gone, Refusal, OSError) as e:
        return say_no(f"the demo did not start: {e}")
    finally:
        starting.cancel()
        stopped.cancel()
        await asyncio.wait({starting, stopped})
        if demo.children:
            print("ending every process ...", flush=True)
        await demo.stop()
    return 0


def _welcome(where: dict[str, Any]) -> str:
    speed = f"  Time passes {where['speed']:g} times as fast as outside.\n" if where["speed"] != 1.0 else ""
    logins = "\n".join(f"  {name:<14}{word}" for name, word in where["passwords"].items())
    stations = "\n".join(f"  {name:<14}{where['pages'][name]}" for name in STATIONS)
    return f"""
  The page      {where["page"]}
  At stations
{stations}

  Log in with   (made for this run)
{logins}
{speed}
  In another terminal: siaga sim mains off     siaga sim --help     siaga status     siaga demo where
  Ctrl-C ends it.
"""
