"""All USB sound of this process: modems and headsets by name, watched, and opened again when they are back.

PortAudio may block, so one thread does all that is asked of it. `run()` must run for as long as there are ends.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pyaudio

from drivers.audio.endpoint import FRAME_S
from drivers.audio.errors import BUSY, CLOSED, MISSING, STALLED, UNFIT, UNPLUGGED, DeviceMissing, DeviceRefused, Stuck
from drivers.audio.quiet import quiet
from drivers.audio.sound_cards import Device, Devices, counted, named, start
from drivers.audio.usb_endpoint import UsbEndpoint

T = TypeVar("T")

WATCH_S = 0.1  # s between looks at the streams' beats
SILENT_S = 0.5  # s without a callback: 25 buffers; a loaded box is late by two or three
FIRST_S = 2.5  # s for the first callback: PulseAudio's null sinks begin with a block of 2 s
AGAIN_S = 0.5  # s between attempts to open what is lost
LOOK_S = 10.0  # s between counts by another process while a name is missing; each takes 0.3 s of processor
STUCK_S = 8.0  # s; opening a slow card takes less than one
REFUSALS = {pyaudio.paDeviceUnavailable: BUSY, pyaudio.paInvalidSampleRate: UNFIT, pyaudio.paInvalidChannelCount: UNFIT}
DEVICE_FILES = Path("/dev/snd")  # changes when a card comes or goes

log = logging.getLogger(__name__)


@dataclass
class _Held:
    """An end with its streams, and since when their callbacks have stood still."""

    end: UsbEndpoint
    streams: list[Any] = field(default_factory=list)
    beats: tuple[int, ...] = ()
    still_s: float = 0.0
    begun: bool = False
    waits_for_count: bool = False  # its card had a number, or no name was found: only a new count shows it again


class PortAudio:
    """`open` gives an end at once: lost or not, it is kept until it is closed. `devices` as last counted."""

    def __init__(self, device_files: Path = DEVICE_FILES) -> None:
        self._files = device_files
        self._thread = ThreadPoolExecutor(1, "portaudio")
        self._library: pyaudio.PyAudio | None = None
        self._held: list[_Held] = []
        self._turn = asyncio.Lock()  # one opening, closing or counting at a time
        self._seen = 0  # of the device files, at the last count
        self._look_at = 0.0
        self.devices: Devices = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(device.name for device in self.devices)

    async def open(self, device: str, rate: int, output: str = "") -> UsbEndpoint:
        """An end for the device of (part of) this name; `output` is the speaker's where it differs.

        It comes back after the first attempt; an end that could not be opened says why in `lost`. Raises Stuck.
        """
        held = _Held(UsbEndpoint(device, output or device, rate))
        self._held.append(held)
        opening = asyncio.ensure_future(self._first(held))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The call was over first. The thread may be opening it just now: it goes on, and is closed behind that.
            opening.add_done_callback(_told_by_run)
            held.end.close()
            raise
        return held.end

    async def _first(self, held: _Held) -> None:
        async with self._turn:
            for closed in [other for other in self._held if other.end.lost == CLOSED and other is not held]:
                await self._repair(closed)  # it may hold this very device
            if self._library is None or (held.end.lost and not self._named(held.end) and not self._anything_open()):
                await self._count()
            if held.end.lost != CLOSED:
                await self._try(held)

    async def run(self) -> None:
        """Watch and repair until cancelled; then everything is closed. Raises Stuck."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch())
                tasks.create_task(self._keep())
        except* Stuck as stuck:
            raise stuck.exceptions[0] from None
        finally:
            await asyncio.shield(self._end())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            for held in self._held:
                if held.streams and not held.end.lost:
                    self._listen(held)

    def _listen(self, held: _Held) -> None:
        """An unplugged card is seen by its silence: a stream that ended makes no callbacks, one that hangs neither."""
        beats = tuple(held.end.beats)
        slower = any(now == before for now, before in zip(beats, held.beats, strict=True))
        held.still_s = held.still_s + WATCH_S if slower else 0.0
        held.begun = held.begun or not slower
        held.beats = beats
        if held.still_s >= (SILENT_S if held.begun else FIRST_S):
            held.end.lose(STALLED)
            log.warning("%s: no sound for %.1f s", held.end.device, held.still_s)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_S)
            async with self._turn:
                for held in list(self._held):
                    if held.end.lost:
                        await self._repair(held)
                if any(held.waits_for_count for held in self._held):
                    await self._look_again()

    async def _repair(self, held: _Held) -> None:
        if held.streams:
            ended = not await self._do(lambda: all(stream.is_active() for stream in held.streams))
            if ended:
                held.end.lose(UNPLUGGED)
            await self._close(held)
            changed = self._files_changed() != self._seen
            held.waits_for_count = changed and any(device.numbered for device in self._named(held.end))
        if held.end.lost == CLOSED:
            self._held.remove(held)
        elif not held.waits_for_count:
            await self._try(held)

    async def _try(self, held: _Held) -> None:
        end = held.end
        try:
            held.streams = await self._do(lambda: self._streams(end))
        except DeviceMissing:
            held.waits_for_count = True
            end.lose(end.lost if end.lost == UNPLUGGED else MISSING)
        except DeviceRefused as e:
            log.debug("%s", e)
            end.lose(end.lost if end.lost in (UNPLUGGED, STALLED) else e.why)
        else:
            held.waits_for_count, held.begun, held.still_s, held.beats = False, False, 0.0, tuple(end.beats)
            end.found()

    def _named(self, end: UsbEndpoint) -> list[Device]:
        """Microphone and speaker; empty when either is missing."""
        microphone, speaker = (
            named(self.devices, end.device, Device.hears),
            named(self.devices, end.output, Device.speaks),
        )
        return [microphone, speaker] if microphone and speaker else []

    def _streams(self, end: UsbEndpoint) -> list[Any]:
        """In the thread."""
        found = self._named(end)
        if self._library is None or not found:
            raise DeviceMissing(f"{end.device}: no such sound device; there are {', '.join(self.names) or 'none'}.")
        frame = int(end.rate * FRAME_S)
        ways: tuple[dict[str, Any], ...] = (
            {"input": True, "input_device_index": found[0].index, "stream_callback": end.on_heard},
            {"output": True, "output_device_index": found[1].index, "stream_callback": end.on_wanted},
        )
        streams: list[Any] = []
        try:
            for way in ways:
                with quiet():  # it says in three lines what stands in the exception too
                    stream = self._library.open(end.rate, 1, pyaudio.paInt16, frames_per_buffer=frame, **way)
                streams.append(stream)
        except (OSError, ValueError) as e:
            for stream in streams:
                stream.close()
            why = REFUSALS.get(e.errno or 0, MISSING) if isinstance(e, OSError) else UNFIT
            raise DeviceRefused(why, f"{end.device}: cannot be opened at {end.rate} Hz ({e}).") from e
        return streams

    async def _close(self, held: _Held) -> None:
        streams, held.streams = held.streams, []
        await self._do(lambda: _close_all(streams))

    def _anything_open(self) -> bool:
        return any(held.streams for held in self._held)

    async def _look_again(self) -> None:
        """Count again when what is missing has come; the others fall silent for the third of a second it takes."""
        now = asyncio.get_running_loop().time()
        if self._files_changed() == self._seen and now < self._look_at:
            return
        self._look_at, self._seen = now + LOOK_S, self._files_changed()
        there = await _counted_elsewhere()
        missing = [held.end for held in self._held if held.waits_for_count and held.end.lost != CLOSED]
        if any(named(there, end.device, Device.hears) and named(there, end.output, Device.speaks) for end in missing):
            await self._count()
            for held in self._held:
                if held.end.lost != CLOSED:
                    await self._try(held)

    async def _count(self) -> None:
        for held in self._held:
            await self._close(held)
        if self._library is not None:
            await self._do(self._library.terminate)
        self._library = library = await self._do(start)
        self.devices = await self._do(lambda: counted(library))
        self._seen = self._files_changed()
        self._look_at = asyncio.get_running_loop().time() + LOOK_S

    def _files_changed(self) -> int:
        with contextlib.suppress(OSError):
            return self._files.stat().st_mtime_ns
        return 0

    async def _do(self, what: Callable[[], T]) -> T:
        """Let the thread do it. Raises Stuck when it does not come back."""
        done = asyncio.get_running_loop().run_in_executor(self._thread, what)
        try:
            async with asyncio.timeout(STUCK_S):
                return await asyncio.shield(done)
        except TimeoutError:
            raise Stuck(f"PortAudio has not come back for {STUCK_S:g} s; this process must be started again.") from None

    async def _end(self) -> None:
        with contextlib.suppress(Stuck):
            for held in self._held:
                held.end.close()
                await self._close(held)
            if self._library is not None:
                await self._do(self._library.terminate)
                self._library = None
        self._held.clear()
        self._thread.shutdown(wait=False, cancel_futures=True)


def _told_by_run(opening: asyncio.Future[None]) -> None:
    """A thread that hangs is met again, and told, by whoever watches."""
    if not opening.cancelled():
        opening.exception()


def _close_all(streams: list[Any]) -> None:
    for stream in streams:
        with contextlib.suppress(OSError):
            stream.close()


async def _counted_elsewhere() -> Devices:
    """What a new count would find, without one here. Empty when that process fails or hangs."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "drivers.audio.sound_cards", stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(STUCK_S):
            said, _ = await child.communicate()
        return msgspec.json.decode(said, type=Devices)
    except (TimeoutError, msgspec.DecodeError):
        return ()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
