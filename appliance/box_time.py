"""The time over a power cut: a saved second that only grows, and the battery clock when the time is known to be right.

A restored time is late by as long as the box was off. Core goes on calling it "not known" until NTP or a network says.
"""

import ctypes
import os
import struct
import time
from fcntl import ioctl
from pathlib import Path

from appliance.key_file import replace_file

LATEST = 4_102_444_800  # 2100: a saved time beyond it is a damaged file
RTC = Path("/dev/rtc0")
RTC_SET_TIME = 0x4024700A  # _IOW('p', 0x0a, struct rtc_time), linux/rtc.h
TIMEX_OCTETS = 256  # struct timex has 208 on 64 bits
STATUS_AT = 40 if ctypes.sizeof(ctypes.c_long) == 8 else 20  # of `status` in struct timex
STA_UNSYNC = 0x40  # linux/timex.h


class BadTime(Exception):
    """The saved time cannot be used; the text says what to do next."""


def saved(file: Path) -> int | None:
    """Unix seconds; None where nothing was saved yet. Raises BadTime, OSError."""
    try:
        text = file.read_text(encoding="ascii", errors="replace")[:32].strip()
    except FileNotFoundError:
        return None
    if not text.isdecimal() or int(text) > LATEST:
        raise BadTime(f"{file} holds no time: it is written anew at the next save.")
    return int(text)


def save(file: Path, now: float, *, known: bool) -> int:
    """The saved second, which never goes back but where the time is `known` to be right. Raises OSError."""
    try:
        before = saved(file) or 0
    except BadTime:
        before = 0
    second = int(now) if known else max(before, int(now))
    if second != before:
        replace_file(file, b"%d\n" % second, 0o644)
    return second


def restore(file: Path, now: float) -> int | None:
    """The second to which the clock has to go; None where it is not behind. Raises BadTime, OSError."""
    second = saved(file)
    return second if second is not None and second > now else None


def set_clock(second: int) -> None:
    """Raises OSError: only root may."""
    time.clock_settime(time.CLOCK_REALTIME, second)


def is_known() -> bool:
    """Whether the kernel's clock is disciplined, by NTP or by what chronyd has of a network's time (adjtimex)."""
    timex = ctypes.create_string_buffer(TIMEX_OCTETS)  # all zero: only asked
    if ctypes.CDLL(None, use_errno=True).adjtimex(timex) < 0:  # a container may not even ask
        return False
    (status,) = struct.unpack_from("i", timex, STATUS_AT)
    return not status & STA_UNSYNC


def set_battery_clock(now: float, device: Path = RTC) -> bool:
    """False where there is none. Raises OSError."""
    try:
        handle = os.open(device, os.O_WRONLY)
    except (FileNotFoundError, PermissionError):  # the unit's sandbox hides what is not there
        return False
    try:
        ioctl(handle, RTC_SET_TIME, rtc_time(now))
    finally:
        os.close(handle)
    return True


def rtc_time(now: float) -> bytes:
    """struct rtc_time, in UTC."""
    t = time.gmtime(now)
    return struct.pack("9i", t.tm_sec, t.tm_min, t.tm_hour, t.tm_mday, t.tm_mon - 1, t.tm_year - 1900, 0, 0, 0)
