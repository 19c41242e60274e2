"""What `siaga modem list`, `info` and `doctor` say of a line: state first, then what to do."""

from appliance.config import Site
from appliance.view import Figure, LineView, View

WEAK_DBM = -100  # dBm; calls break up below it

# why a line takes no call: what is wrong, what to do. The first step is one that can be done at the box.
ADVICE = {
    "starting": ("it has not answered yet since the start", "wait half a minute, then ask again"),
    "no_port": ("its port is missing", "check its power and cable; ls /dev/serial/by-id shows what is plugged in"),
    "mute": (
        "the port is there, and the modem does not answer",
        "pull its plug for ten seconds; then look whether another program holds the port (fuser)",
    ),
    "no_sim": ("it has no SIM, or one that is no use", "push the SIM home, clean its contacts, try it in a phone"),
    "sim_pin": ("its SIM asks for a PIN", "remove the PIN in a phone: the box never enters one"),
    "sim_puk": ("its SIM is locked and asks for the PUK", "unlock it in a phone with the PUK of its card"),
    "not_registered": (
        "it is in no network and looks for none",
        "check the antenna, then pull its plug for ten seconds",
    ),
    "searching": (
        "it looks for a network and finds none",
        "check the antenna and its cable; try a window, another operator",
    ),
    "denied": ("the network refuses it", "the SIM is blocked or expired: ask its operator, try it in a phone"),
    "emergency_only": (
        "the network gives it emergency calls only",
        "the SIM is not active: ask its operator, look at its credit",
    ),
    "unknown": ("it does not say whether it is in a network", "siaga modem at LINE AT+CREG? shows what it answers"),
    "in_call": ("a call is on it", ""),
    "bad_profile": (
        "the modem profiles cannot be read",
        "siaga config check, and journalctl -u siaga-core, name the file",
    ),
}


def row(line: LineView, site: Site, now: float) -> str:
    """One line of `siaga modem list`."""
    said = [f"{line.id:<8} {_takes_calls(line)}", f"{line.modem or 'modem not known'} at {port_of(site, line.id)}"]
    said.append(" ".join(_shown(f, now) for f in (line.operator, line.technology, line.signal_dbm)))
    if line.call:
        said.append(f"{line.call.phase} {line.call.number or 'number not known'}")
    return ", ".join(said)


def info(line: LineView, site: Site, view: View) -> list[str]:
    """All that is known of a line."""
    now = view.at
    said = [
        f"{line.id}: {line.name}, {line.number}",
        f"port          {port_of(site, line.id)}",
        f"modem         {line.modem or '---'}",
        f"takes calls   {_takes_calls(line)}",
        f"operator      {_shown(line.operator, now)}",
        f"technology    {_shown(line.technology, now)}",
        f"registration  {_shown(line.registration, now)}",
        f"signal        {_shown(line.signal_dbm, now)}",
    ]
    if line.link:
        said.append(f"link          {'up' if line.link.up else 'down: ' + line.link.reason}")
    if line.call:
        said.append(f"call          {line.call.phase} {line.call.number or 'number not known'}")
    return said


def diagnosis(line: LineView, now: float) -> tuple[bool, list[str]]:
    """Whether the line is well, and what to say of it."""
    if line.can_take_call == "registered" or line.why == "in_call":
        signal = line.signal_dbm
        if signal.known(now) and isinstance(signal.value, int | float) and signal.value < WEAK_DBM:
            return False, [
                f"{line.id}: weak: {signal.value} dBm, calls may break up.",
                "  Next: move or raise the antenna, check its cable.",
            ]
        return True, [f"{line.id}: well" + (", a call is on." if line.why == "in_call" else ", registered.")]
    wrong, what_next = ADVICE.get(line.why, (line.why or "not known", "siaga modem info LINE shows its last words"))
    said = [f"{line.id}: takes no call: {wrong}."]
    if line.link and not line.link.up and line.link.reason:
        said.append(f"  It says: {line.link.reason}")
    return False, [*said, f"  Next: {what_next.replace('LINE', line.id)}."]


def port_of(site: Site, line: str) -> str:
    return next((config.port for config in site.line if config.id == line), "---")


def _takes_calls(line: LineView) -> str:
    if line.can_take_call == "registered":
        return "registered"
    return f"{line.can_take_call}: {ADVICE.get(line.why, (line.why, ''))[0]}"


def _shown(figure: Figure, now: float) -> str:
    return f"{figure.value} {figure.unit}".strip() if figure.known(now) else "---"
