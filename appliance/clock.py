"""What the box's wall time is worth: its quality, its zone, and the boot that its monotonic time belongs to."""

import ctypes
import secrets
from pathlib import Path

TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
READ_AGAIN = 10.0  # s; a change of quality is no emergency


class _Timex(ctypes.Structure):
    _fields_ = (("modes", ctypes.c_uint), ("rest", ctypes.c_char * 400))  # struct timex is 208 bytes; only read


def kernel_synchronised() -> bool:
    """Whether the kernel's clock is disciplined (by chrony or timesyncd). False when it does not say."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.adjtimex(ctypes.byref(_Timex())) not in (-1, TIME_ERROR)


def boot_id() -> str:
    """This boot's id; a random one where the kernel has none, so that old monotonic times never compare by chance."""
    try:
        return BOOT_ID.read_text().strip().replace("-", "")[:16]
    except OSError:
        return secrets.token_hex(8)


class ClockQuality:
    """`ntp` while the kernel is synchronised, `held` after it was once, else `unknown`."""

    def __init__(self) -> None:
        self._quality = "unknown"
        self._read_at = -READ_AGAIN

    def at(self, now: float) -> str:
        if now - self._read_at >= READ_AGAIN:
            self._read_at = now
            if kernel_synchronised():
                self._quality = "ntp"
            elif self._quality == "ntp":
                self._quality = "held"
        return self._quality
