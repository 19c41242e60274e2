"""The doctor at the board: clock, room on the disk, heat, supply, watchdog, which system slot runs, the first boot."""

import shutil
import time
from collections.abc import Iterator

import msgspec

from appliance.annunciator_config import ConfigRefused
from appliance.boot_config import config_file, needs_of, standing
from appliance.doctor import Finding, Patient, bad, good, warn
from appliance.mark_good import image

LEAST_FREE, LOW_FREE = 5, 15  # % of the state's file system
HOT, TOO_HOT = (
    75.0,
    85.0,
)  # degrees C; a Pi lowers its clock at 80 and 85 (Raspberry Pi documentation, "Frequency management")
# vcgencmd get_throttled: bit 0 now, bit 16 since the boot, the supply below 4.63 V.
UNDER_NOW, UNDER_ONCE = 1 << 0, 1 << 16
BUILT = 1_760_000_000.0  # s since 1970, October 2025: no box of this release runs before
WORN = 9  # JEDEC eMMC DEVICE_LIFE_TIME_EST: 0x09 is 80 to 90 % of its life used


def disk(patient: Patient) -> Iterator[Finding]:
    """Where journal and keys lie: writable, with room."""
    folder = patient.where.state
    try:
        usage = shutil.disk_usage(folder)
        probe = folder / ".doctor"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as e:
        yield bad("disk", f"{folder} cannot be written ({e.strerror})", "dmesg says why. Core goes on, rows in RAM: "
                  "do not switch it off before a new card and last night's backup are there.")  # fmt: skip
        return
    free = 100 * usage.free / usage.total
    told = f"{free:.0f} % of {usage.total / 1e9:.1f} GB free in {folder}"
    if free < LOW_FREE:
        make = bad if free < LEAST_FREE else warn
        yield make("disk", told, f"du -h -d2 {folder}: recordings and backups are what grows.")
    else:
        yield good("disk", told)
    for life in sorted(patient.root.glob("sys/block/mmcblk*/device/life_time")):
        used = max(int(word, 16) for word in life.read_text().split())
        if used >= WORN:
            yield bad(
                "disk",
                f"the card says that {used * 10} % of its life is used",
                "Replace it this week, by last night's backup.",
            )


def clock(patient: Patient) -> Iterator[Finding]:
    """Right enough for orders by SMS, and kept without power."""
    if time.time() < BUILT:
        yield bad(
            "clock", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "chronyc sources; has the RTC a battery?"
        )
    elif patient.view and patient.view.clock_quality == "unknown":
        yield bad(
            "clock", "how good it is, is not known", "chronyc sources; NTP servers in appliance.toml; antenna of a line"
        )
    else:
        yield good("clock", patient.view.clock_quality if patient.view else "plausible")
    if not list(patient.root.glob("sys/class/rtc/rtc*")):
        yield warn(
            "RTC",
            "there is none",
            "Without it the clock goes on at the last saved time after a power cut. Fit a DS3231 (docs/hardware.md).",
        )


def board(patient: Patient) -> Iterator[Finding]:
    """Heat, supply and watchdog; what a board does not tell is left out."""
    for zone in sorted(patient.root.glob("sys/class/thermal/thermal_zone*/temp"))[:1]:
        degrees = int(zone.read_text()) / 1000
        make = bad if degrees >= TOO_HOT else warn
        if degrees >= HOT:
            yield make("board", f"{degrees:.0f} °C", "Heat sink, air around the box, sun on it?")
        else:
            yield good("board", f"{degrees:.0f} °C")
    for file in sorted(patient.root.glob("sys/devices/platform/soc/soc:firmware/get_throttled")):
        bits = int(file.read_text(), 16)
        if bits & (UNDER_NOW | UNDER_ONCE):
            when = "now" if bits & UNDER_NOW else "since the boot"
            yield bad(
                "supply", f"below 4.63 V {when}", "5.1 V, 5 A converter; short thick leads; modems on the powered hub."
            )
    if (patient.root / "run/systemd/system").exists() and not (patient.root / "dev/watchdog").exists():
        yield warn(
            "watchdog", "the board has none", "dmesg | grep wdt: is its driver there? A kernel that hangs stays so."
        )


def slot(patient: Patient) -> Iterator[Finding]:
    """Which of the two systems runs, and what the first boot found wrong."""
    arguments = (patient.root / "proc/cmdline").read_text().split()
    if running := next((a.partition("=")[2] for a in arguments if a.startswith("rauc.slot=")), ""):
        release = patient.root / "etc/os-release"
        version = image(release.read_text()) if release.exists() else ""
        yield good("system", f"slot {running}, image {version or 'not known'}")
    fault = patient.root / "run/siaga/first-boot/fault.json"
    if fault.exists():
        faults = msgspec.json.decode(fault.read_bytes()).get("faults", [])
        told = "; ".join(f"{f['file']} line {f['line']}: {f['en'][0]}" for f in faults)
        yield bad("appliance.toml", told[:300], "Correct it on the card's FAT partition, boot.")


def firmware(patient: Patient) -> Iterator[Finding]:
    """Whether a Pi's firmware has read the pins and the radio that this box needs."""
    try:
        needs = needs_of(patient.root / "data")
    except ConfigRefused as e:
        yield bad("config.txt", f"cannot be compared: {e}", f"siaga config check {patient.file}")
        return
    if needs is None:
        return
    match standing(config_file(patient.root / "boot/firmware"), needs, patient.root / "run/siaga"):
        case "in_force":
            yield good("config.txt", "pins before Linux and radio as this box needs them")
        case "next_start":
            yield warn("config.txt", "was changed since this boot", "Restart when no siren sounds; it counts then.")
        case "differs":
            yield warn("config.txt", "its pins before Linux or its radio are not those of this box",
                       "The next boot writes them, the one behind reads them: restart twice when no siren sounds. "
                       "If it still says so: journalctl -u siaga-first-boot")  # fmt: skip
        case "none":
            yield bad("config.txt", "is not on the card: the box will not start again", "Copy the image's to the card.")
        case "slot":
            yield warn("config.txt", "is on the slot's own partition, which is not mounted: not compared",
                       "siaga config pins --into its config.txt, once it is mounted.")  # fmt: skip
