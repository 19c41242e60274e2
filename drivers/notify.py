"""What a process tells systemd: ready, alive, stopping (sd_notify). Without systemd all of it is silence.

The watchdog is fed from the process's own event loop, so it starves when the loop stands still.
"""

import asyncio
import os
import socket

try:
    from systemd.daemon import notify as sd_notify
except ImportError:
    sd_notify = None

FEEDS_PER_DEADLINE = 3  # sd_watchdog_enabled(3) advises two; one more forgives a busy moment


def notify(state: str) -> bool:
    """Send one sd_notify state such as "READY=1"; False when nobody asked to be told."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    try:
        if sd_notify is not None:
            return bool(sd_notify(state))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
    except OSError:  # a supervisor that is gone is no reason to stop
        return False
    return True


def ready(status: str = "") -> bool:
    """The process does its work from here on."""
    return notify(f"READY=1\nSTATUS={status}")


def stopping() -> bool:
    return notify("STOPPING=1")


async def watchdog() -> None:
    """Feed the watchdog that systemd asked for (WATCHDOG_USEC) until cancelled; without one, wait to be cancelled."""
    deadline_s = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    meant = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not deadline_s or not meant:
        await asyncio.get_running_loop().create_future()
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(deadline_s / FEEDS_PER_DEADLINE)
