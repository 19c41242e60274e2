"""Sound cards where there are none: a private PulseAudio with null sinks, which real PortAudio sees through ALSA.

`SoundCards(folder)`, `start()`, then `plug("headset")`: PortAudio has a speaker `headset` and what is played there
in its microphone `headset_mic`. Its methods wait for other programs, so a loop calls them in a thread.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

STOCK = Path("/usr/share/alsa/alsa.conf")
PLUGINS = ("/usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so", "/usr/lib*/alsa-lib/libasound_module_pcm_pulse.so")
NEEDED = ("pulseaudio", "pactl")
START_S = 10.0  # s; it takes 0.1 on a free machine
RATE = 16000  # Hz of the sinks


def missing() -> str:
    """What this machine lacks; empty when sound can be had."""
    lacking = [program for program in NEEDED if shutil.which(program) is None]
    if not any(found for pattern in PLUGINS for found in Path("/").glob(pattern[1:])):
        lacking.append("libasound2-plugins")
    return f"not installed: {', '.join(lacking)} (apt-packages.txt)" if lacking else ""


class NoSoundCards(Exception):
    """PulseAudio is not there. The text says what it said."""


class SoundCards:
    """`environment` is what a child process or this one needs to see these cards and no others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._socket = folder / "native"
        self._conf = folder / "asound.conf"
        self._conf.write_text("# cards\n")
        self._known: set[str] = set()
        self.environment = {
            "PULSE_SERVER": f"unix:{self._socket}",
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_STATE_PATH": str(folder),
            "HOME": str(folder),
            "ALSA_CONFIG_PATH": f"{STOCK}:{self._conf}",
        }
        self._modules: dict[str, str] = {}
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            "pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes",
            "--realtime=no", "--high-priority=no", "--log-target=stderr",
            "-L", "module-cli exit_on_eof=1",
            "-L", f"module-native-protocol-unix socket={self._socket} auth-anonymous=1 auth-cookie-enabled=0",
        ]  # fmt: skip
        with (self.folder / "pulseaudio.log").open("wb") as log:
            self._daemon = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, env={**os.environ, **self.environment}
            )
        deadline = time.monotonic() + START_S
        while not self._socket.exists():
            if time.monotonic() > deadline or self._daemon.poll() is not None:
                raise NoSoundCards(f"PulseAudio does not start: {(self.folder / 'pulseaudio.log').read_text()}")
            time.sleep(0.01)

    def plug(self, name: str) -> None:
        """A card. ALSA knows its name from the first time on, as it knows one of /etc/asound.conf.

        `norewinds` makes it small blocks from the start; else its first is two seconds of sound.
        """
        if name not in self._known:
            self._known.add(name)
            with self._conf.open("a") as conf:
                conf.write(f'pcm.{name} {{ type pulse server "unix:{self._socket}" device {name} }}\n')
                conf.write(f'pcm.{name}_mic {{ type pulse server "unix:{self._socket}" device {name}.monitor }}\n')
        self._modules[name] = self.run(
            "pactl", "load-module", "module-null-sink", f"sink_name={name}", f"rate={RATE}", "channels=1",
            "format=s16le", "norewinds=1",
        ).strip()  # fmt: skip

    def unplug(self, name: str) -> None:
        """Its streams end at once, as those of a pulled cable do; PulseAudio alone would move them to another card."""
        orders = [f"unload-module {self._modules.pop(name)}"]
        for kind, of, where in (("sink-input", "sinks", name), ("source-output", "sources", f"{name}.monitor")):
            card = next(line.split("\t")[0] for line in self._listed(of) if line.split("\t")[1] == where)
            on_it = [line.split("\t")[0] for line in self._listed(f"{kind}s") if line.split("\t")[1] == card]
            orders = [*(f"kill-{kind} {stream}" for stream in on_it), *orders]
        if self._daemon is None or self._daemon.stdin is None:
            raise NoSoundCards("PulseAudio is not started.")
        self._daemon.stdin.write("".join(f"{order}\n" for order in orders).encode())
        self._daemon.stdin.flush()

    def _listed(self, of: str) -> list[str]:
        return self.run("pactl", "list", "short", of).splitlines()

    def run(self, *command: str) -> str:
        """Another program, with these cards: `pactl`, `paplay`."""
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=30, check=True
        )
        return done.stdout

    def started(self, *command: str, to: Path | None = None) -> "subprocess.Popen[bytes]":
        """One that goes on beside us, who end it; what it says is added to a file."""
        with (to or Path(os.devnull)).open("ab") as out:
            return subprocess.Popen(
                command, env={**os.environ, **self.environment}, stdout=out, stderr=subprocess.DEVNULL
            )

    def stop(self) -> None:
        if self._daemon is not None and self._daemon.stdin is not None:
            self._daemon.stdin.close()
            try:
                self._daemon.wait(5)
            except subprocess.TimeoutExpired:
                self._daemon.kill()
                self._daemon.wait()
