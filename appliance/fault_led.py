"""The board's own LED as a fault lamp: it blinks fast, by the kernel, whatever is wired to the header.

A box whose file is wrong does not know what hangs at its pins; a siren may. So none of them is touched.
"""

from pathlib import Path

LEDS = Path("/sys/class/leds")
NAMES = ("ACT", "led0", "PWR", "led1")  # by Raspberry Pi's device trees, newer first
BLINK = "100"  # ms on and off: five a second, which no card's activity looks like


def blink(leds: Path = LEDS) -> str:
    """The LED that blinks now; empty where the board has none that can. Raises OSError."""
    for name in NAMES:
        led = leds / name
        if led.is_dir() and "timer" in (led / "trigger").read_text():
            (led / "trigger").write_text("timer")
            for delay in ("delay_on", "delay_off"):  # they are there once the trigger is
                (led / delay).write_text(BLINK)
            return name
    return ""
