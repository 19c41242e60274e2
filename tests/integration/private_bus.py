"""A system message bus that only one test has, and the daemons of others that are started on it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 60.0  # real seconds; each step takes ten at most on a quiet machine
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={bus}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/>
  </policy>
</busconfig>
"""


def missing(*programs: str) -> str:
    """Which are not installed, or an empty string."""
    names = [name for name in programs if shutil.which(name, path=PATH) is None]
    return f"not installed: {', '.join(names)}" if names else ""


def no_namespace() -> str:
    """Why a process cannot have folders of its own in place of the machine's, or an empty string."""
    if os.geteuid() != 0:
        return "only root may give a process folders of its own"
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "this machine gives no mount namespaces"


@contextmanager
def system_bus(folder: Path, said: int) -> Iterator[dict[str, str]]:
    """Yields the environment in which a program takes it for the system's; `said` is where its words go."""
    bus, config = folder / "bus", folder / "bus.conf"
    config.write_text(BUS.format(bus=bus))
    environment = {
        **os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={bus}", "LC_ALL": "C.UTF-8", "PATH": PATH,
    }  # fmt: skip
    with daemon(["dbus-daemon", f"--config-file={config}", "--nofork"], environment, said):
        end = time.monotonic() + PATIENCE_S
        while not bus.exists():
            assert time.monotonic() < end, "dbus-daemon does not start"
            time.sleep(0.02)
        yield environment


@contextmanager
def daemon(command: list[str], environment: dict[str, str], said: int) -> Iterator[None]:
    """Run it until the end of the block; `said` is where its words go."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment) as running:
        try:
            yield
        finally:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(10)
            finally:
                running.kill()
