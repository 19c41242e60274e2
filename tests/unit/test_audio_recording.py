"""Recordings: what is on disk is what was said, whatever kills the writer or fills the disk."""

import asyncio
import hashlib
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from drivers.audio.endpoint import BRIDGE_RATE
from drivers.audio.flac import NotMendable, mend, unfinished
from drivers.audio.recording import MOST_WAITING, Recording, mend_leftover
from drivers.audio.tones import sines

SECONDS = 3.0
FRAME = 320
LEFT, RIGHT = sines((500.0,), SECONDS), sines((1200.0,), SECONDS, -20.0)

WRITER = """
import resource, sys, time
from pathlib import Path
import numpy as np
from drivers.audio.recording import Recording
random = np.random.default_rng(7)
frames = (random.standard_normal((400, 320)) * 800).astype(np.int16)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
tape = Recording(Path(sys.argv[1]))
for frame in frames:
    tape.write(frame, frame[::-1])
    time.sleep(0.0005)
while tape._seconds < 7.99 and not tape.failed:  # its thread is some batches behind
    time.sleep(0.01)
print(tape.failed, flush=True)
if sys.argv[3:]:
    import asyncio
    done = asyncio.run(tape.close())
    print(done.failed, done.seconds, flush=True)
sys.stdin.read()
"""


class Hung(Recording):
    """Its thread comes to the disk only when it is told to."""

    def __init__(self, file: Path) -> None:
        self.go_on = threading.Event()
        super().__init__(file)

    def _work(self) -> None:
        self.go_on.wait(10)
        super()._work()


def write_all(tape: Recording) -> None:
    for at in range(0, len(LEFT), FRAME):
        tape.write(LEFT[at : at + FRAME], RIGHT[at : at + FRAME])


async def test_both_sides_are_in_the_file_sample_by_sample_with_length_and_hash(tmp_path: Path) -> None:
    tape = Recording(tmp_path / "a.flac")
    write_all(tape)
    done = await tape.close()
    sound, rate = soundfile.read(done.file, dtype="int16")
    assert rate == BRIDGE_RATE
    assert (sound == np.stack((LEFT, RIGHT), axis=1)).all()
    data = done.file.read_bytes()
    assert (done.seconds, done.octets, done.failed) == (SECONDS, len(data), "")
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    assert await tape.close() == done
    assert not unfinished(done.file)
    assert mend(done.file) == SECONDS
    assert done.file.read_bytes() == data


async def test_a_file_that_is_there_already_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_text("mine")
    tape = Recording(tmp_path / "a.flac")
    write_all(tape)
    done = await tape.close()
    assert (done.failed, done.seconds) == ("file_exists", 0.0)
    assert (tmp_path / "a.flac").read_text() == "mine"


async def test_a_folder_that_is_gone_is_told_and_nothing_raises(tmp_path: Path) -> None:
    tape = Recording(tmp_path / "gone" / "a.flac")
    async with asyncio.timeout(5):
        while not tape.failed:
            tape.write(LEFT[:FRAME], RIGHT[:FRAME])
            await asyncio.sleep(0.001)
    assert (await tape.close()).failed == "disk_error"


async def test_a_disk_that_hangs_costs_bounded_memory_and_no_time(tmp_path: Path) -> None:
    hung = Hung(tmp_path / "a.flac")
    for _ in range(5):
        write_all(hung)
    assert hung.failed == "disk_slow"
    assert hung._waiting.qsize() == MOST_WAITING
    hung.go_on.set()
    done = await hung.close()
    assert done.failed == "disk_slow"
    assert done.seconds == 10.0


def test_killed_in_the_midst_all_but_half_a_second_is_there(tmp_path: Path) -> None:
    file = tmp_path / "a.flac"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file), "1000000000"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    try:
        assert writer.stdout.readline() == "\n"
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait(5)
        writer.stdin.close()
        writer.stdout.close()
    assert unfinished(file)
    mended = mend_leftover(file)
    assert 8.0 - 0.5 <= mended.seconds <= 8.0
    assert (mended.octets, mended.failed) == (file.stat().st_size, "cut_off")
    sound, _ = soundfile.read(file, dtype="int16")
    frames = (np.random.default_rng(7).standard_normal((400, 320)) * 800).astype(np.int16)
    assert len(sound) == round(mended.seconds * BRIDGE_RATE)
    assert (sound[:, 0] == frames.reshape(-1)[: len(sound)]).all()
    assert mend(file) == mended.seconds
    stranger = subprocess.run(["sox", str(file), "-n", "stat"], capture_output=True, text=True, check=True)
    assert "WARN" not in stranger.stderr


def test_a_disk_that_fills_up_ends_the_recording_and_keeps_what_there_is(tmp_path: Path) -> None:
    file = tmp_path / "a.flac"
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(file), "150000", "close"],
        capture_output=True,
        text=True,
        input="",
        check=True,
    )
    failed, seconds = done.stdout.split()[-2:]
    assert failed == "disk_error"
    sound, _ = soundfile.read(file, dtype="int16")
    assert len(sound) == round(float(seconds) * BRIDGE_RATE) > BRIDGE_RATE
    assert "look at the disk" in done.stderr


async def test_cut_anywhere_what_is_whole_is_mended_and_reads(tmp_path: Path) -> None:
    tape = Recording(tmp_path / "a.flac")
    write_all(tape)
    data = bytearray((await tape.close()).file.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)  # as its writer leaves it until the end
    file, last = tmp_path / "b.flac", -1.0
    for cut in [*range(0, 120, 7), *range(120, len(data), 997), len(data)]:
        file.write_bytes(data[:cut])
        seconds = mend(file)
        assert seconds >= last
        last = seconds
        if seconds:
            sound, _ = soundfile.read(file, dtype="int16")
            assert (sound[:, 0] == LEFT[: len(sound)]).all()
            assert len(sound) == round(seconds * BRIDGE_RATE)
    assert last > SECONDS - 0.3
    file.write_bytes(data[: len(data) // 2] + bytes(5000))  # as a power cut leaves a file: long, and empty at its end
    assert 1.0 < mend(file) < SECONDS
    soundfile.read(file)


def test_what_is_no_flac_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"RIFF" + bytes(100))
    with pytest.raises(NotMendable, match="move it away"):
        mend(tmp_path / "a.flac")
