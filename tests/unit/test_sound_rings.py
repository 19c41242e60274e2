"""Sound between threads, what libraries complain of, and which card a name means."""

import subprocess
import sys
import threading

import pytest

from drivers.audio.quiet import sift
from drivers.audio.ring import Ring
from drivers.audio.sound_cards import Device, named
from drivers.sim.sound_pcm import OCTETS, Stretch, keys_tones, mixed, samples, tone


def test_a_ring_gives_the_oldest_first_and_loses_the_oldest_when_it_runs_over() -> None:
    ring = Ring(3)
    ring.put(b"aabb")
    assert (len(ring), ring.get(1), ring.get(5), ring.get()) == (2, b"aa", b"bb", b"")
    ring.put(b"11223344")
    assert (ring.get(), ring.dropped) == (b"223344", 1)
    ring.put(b"xx")
    ring.clear()
    assert len(ring) == 0


def test_a_ring_between_two_threads_loses_no_octet_and_swaps_none() -> None:
    ring, sent = Ring(100_000), b"".join(n.to_bytes(2, "little") for n in range(20_000))
    got = bytearray()

    def put() -> None:
        for at in range(0, len(sent), 40):
            ring.put(sent[at : at + 40])

    thread = threading.Thread(target=put)
    thread.start()
    while thread.is_alive() or len(ring):
        got += ring.get(13)
    assert bytes(got) == sent


def test_complaints_are_sifted_from_real_errors() -> None:
    said = b"ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM cards.pcm.front\n\nTraceback: real\n"
    said += b"jack server is not running or cannot be started\nJackShmReadWritePtr::~JackShm...\n"
    complaints, kept = sift(said)
    assert kept == b"Traceback: real\n"
    assert complaints.count(b"\n") == 3


CARDS = (
    Device(0, "Android: USB Audio (hw:1,0)", 1, 1),
    Device(1, "modem0", 0, 2),
    Device(2, "modem0_mic", 2, 0),
    Device(3, "Plantronics: USB Audio (hw:2,0)", 1, 2),
)


@pytest.mark.parametrize(
    ("name", "hears", "speaks"),
    [("modem0", 2, 1), ("modem0_mic", 2, None), ("Plantronics", 3, 3), ("USB Audio", 0, 0), ("other", None, None)],
)
def test_a_card_is_meant_by_its_whole_name_or_else_by_a_part(name: str, hears: int | None, speaks: int | None) -> None:
    microphone, speaker = named(CARDS, name, Device.hears), named(CARDS, name, Device.speaks)
    assert (microphone.index if microphone else None, speaker.index if speaker else None) == (hears, speaks)
    assert [card.numbered for card in CARDS] == [True, False, False, True]


@pytest.mark.parametrize("ratio", [2.0, 1.001, 0.999, 0.5, 8000 / 22050])
def test_stretched_sound_has_as_many_samples_as_its_clock_counts(ratio: float) -> None:
    stretch, octets = Stretch(ratio), 0
    for _ in range(500):
        octets += len(stretch.more(tone((1000.0,), 0.02, -12.0)))
    assert octets / 2 == pytest.approx(500 * 160 * ratio, abs=2)


def test_what_several_say_at_once_is_added_and_clipped() -> None:
    loud = b"\xff\x7f" * 160
    assert mixed([loud, loud]) == loud
    assert list(samples(mixed([b"\x01\x00" * 160, b"\x02\x00" * 160])))[:2] == [3, 3]
    assert mixed([]) == bytes(OCTETS)


def test_only_telephone_keys_have_tones() -> None:
    assert len(keys_tones("12")) == 2 * 2 * 1600
    with pytest.raises(ValueError, match="no telephone key"):
        keys_tones("x")


def test_core_and_web_load_nothing_of_sound() -> None:
    heavy = "{'numpy', 'soxr', 'soundfile', 'pyaudio'}"
    code = f"import sys, appliance.core, web.app; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0


def test_neither_web_nor_the_simulators_load_numpy_for_sound() -> None:
    """Web reads the stream's wire only; a simulator that nobody listens to stays small."""
    code = "import sys, drivers.audio.stream_wire, drivers.sim.mobile; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0
