"""oFono, the telephony daemon of many phones, takes a simulated modem for its own kind."""

import select
import socket
import subprocess
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from modem_world import OUTSIDE
from private_bus import PATIENCE_S, daemon, missing, no_namespace, system_bus
from test_sim_mobile import process
from test_sim_strangers import FAR, turned, wait_until

WHY_NOT = missing("ofonod", "dbus-daemon", "gdbus", "socat", "unshare") or no_namespace()
OWN_MEMORY = "mount -t tmpfs none /var/lib/ofono && exec ofonod --nodetach --debug"  # it keeps settings by SIM there


class Ofono:
    """The running daemon with one modem, asked by gdbus."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment, self._folder = environment, folder

    def call(self, path: str, method: str, *words: str) -> str:
        """What it answers, "" when it says no."""
        command = ["gdbus", "call", "--system", "--dest", "org.ofono", "--object-path", path]
        command += ["--method", f"org.ofono.{method}", *words]
        ran = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        return ran.stdout

    def until(self, wanted: str, path: str, method: str, *words: str) -> str:
        end = time.monotonic() + PATIENCE_S
        while wanted not in (said := self.call(path, method, *words)):
            assert time.monotonic() < end, f"{method}: {said}\n{self.log()}"
            time.sleep(0.1)
        return said

    def heard(self) -> str:
        """What it has told everybody."""
        return (self._folder / "told").read_text(errors="replace")

    def log(self) -> str:
        return (self._folder / "ofono.log").read_text(errors="replace")[-4000:]


@contextmanager
def ofono(folder: Path, pty: Path) -> Iterator[Ofono]:
    """Run it with the modem at `pty`, which it reaches over TCP as the modem simulator of its own authors."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = folder / "phonesim.conf"
    config.write_text(f"[phonesim]\nDriver=phonesim\nAddress=127.0.0.1\nPort={port}\n")
    _stop_echo(pty)
    bridge = ["socat", f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr", f"FILE:{pty},raw,echo=0"]
    monitor = ["gdbus", "monitor", "--system", "--dest", "org.ofono"]
    with (folder / "ofono.log").open("w") as log, (folder / "told").open("w") as told:
        said = log.fileno()
        with system_bus(folder, said) as environment, daemon(bridge, environment, said):
            environment |= {"OFONO_PHONESIM_CONFIG": str(config), "OFONO_AT_DEBUG": "1"}
            with (
                daemon(["unshare", "-m", "sh", "-c", OWN_MEMORY], environment, said),
                daemon(monitor, environment, told.fileno()),
            ):
                yield Ofono(environment, folder)


def _stop_echo(pty: Path) -> None:
    """Its authors' simulator has none, so oFono does not ask for it here, and is lost in the echo of a message."""
    with pty.open("r+b", buffering=0) as modem:
        tty.setraw(modem)
        modem.write(b"ATE0\r")
        said = b""
        while b"OK\r\n" not in said:
            assert select.select([modem], [], [], PATIENCE_S)[0], said
            said += modem.read(64) or b""


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_ofono_registers_sends_and_receives(tmp_path: Path) -> None:
    with process(tmp_path), ofono(tmp_path, tmp_path / "quectel") as stranger:
        stranger.until("/phonesim", "/", "Manager.GetModems")
        stranger.until("()", "/phonesim", "Modem.SetProperty", "Powered", "<true>")
        stranger.until("()", "/phonesim", "Modem.SetProperty", "Online", "<true>")
        stranger.until("'registered'", "/phonesim", "NetworkRegistration.GetProperties")
        assert "EG25" in stranger.call("/phonesim", "Modem.GetProperties")

        stranger.until("message_", "/phonesim", "MessageManager.SendMessage", FAR, "Posko siap")
        wait_until(lambda: turned(tmp_path, "sms.outbox") != [], stranger.log)
        (message,) = turned(tmp_path, "sms.outbox")
        assert (message["to"], message["text"]) == (FAR, "Posko siap")

        turned(tmp_path, "sms.from", number=OUTSIDE, text="Kebakaran é di Batu Merah", to="quectel")
        wait_until(lambda: "IncomingMessage" in stranger.heard(), lambda: stranger.heard() + stranger.log())
        assert "Kebakaran é di Batu Merah" in stranger.heard()
