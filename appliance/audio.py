"""The process that owns sound: PortAudio and modems' serial PCM. Run as `siaga audio --config SITE.toml`."""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.audio_box import AudioBox
from appliance.audio_ends import Ends
from appliance.config import Places, SiteError, load_site, places
from drivers import notify
from drivers.audio.errors import Stuck
from drivers.audio.portaudio import PortAudio
from drivers.audio.stream import Streams
from drivers.clock import Clock
from drivers.jsonsocket import Server
from drivers.real_time import RealTime

BAD_CONFIG = 78  # EX_CONFIG of sysexits.h; the unit does not start again on it

log = logging.getLogger("siaga.audio")


async def run(there: Places, stop: asyncio.Event, on_ready: Callable[[], Any] = notify.ready) -> None:
    """Answer until `stop`. Raises OSError (a socket), Stuck (PortAudio hangs: only a new process helps)."""
    there.sound.mkdir(parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        streams, portaudio = Streams(there.audio_stream), PortAudio()
        box = AudioBox(Ends(streams, portaudio), there.calls)
        server = Server(there.audio, box.answer, on_gone=box.gone, mode=0o600)
        await server.start()  # a second process stops here, before it takes the streams' socket
        stack.push_async_callback(server.stop)
        stack.push_async_callback(box.close)
        await streams.start()
        stack.push_async_callback(streams.stop)
        gc.collect()
        gc.freeze()  # what was imported is not looked through in a call
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(w) for w in (notify.watchdog(), portaudio.run(), box.run(), RealTime().run())
                ]
                on_ready()
                await stop.wait()
                notify.stopping()
                for task in running:
                    task.cancel()
        except* Stuck as stuck:
            raise stuck.exceptions[0] from None


async def _run_until_signalled(there: Places) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(there, stop)


def main(config: Path) -> int:
    """Returns the process's exit code."""
    try:
        there = places(load_site(config), config)
        Clock().run(_run_until_signalled(there))  # sound keeps real time, also where the rest is scaled
    except SiteError as e:
        log.critical("%s", e)
        return BAD_CONFIG
    except (OSError, Stuck) as e:
        log.critical("audio cannot go on: %s", e)
        return 1
    return 0
