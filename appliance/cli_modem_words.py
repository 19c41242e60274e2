"""What `siaga modem list`, `info` and `doctor` say of a line: state first, then what to do."""

from datetime import datetime

from appliance.config import ZONES, Site
from appliance.figure import Figure
from appliance.view import LineView, View

AS_OURS = 2.0  # s; networks tell whole seconds
WEAK_DBM = -100  # dBm; calls break up below it

# why a line takes no call: what is wrong, what to do. The first step is one that can be done at the box.
ADVICE = {
    "starting": ("it has not answered yet since the start", "wait half a minute, then ask again"),
    "no_port": ("its port is missing", "check its power and cable; ls /dev/serial/by-id shows what is plugged in"),
    "mute": (
        "the port is there, and the modem does not answer",
        "pull its plug for ten seconds; then look whether another program holds the port (fuser)",
    ),
    "port_in_use": ("another program has its port", "fuser -v names it; ModemManager must leave this modem alone"),
    "port_forbidden": ("its port may not be opened", "the user of core must be in the group dialout"),
    "port_error": ("its port fails", "try another cable and socket; journalctl -k says what the kernel saw"),
    "moved": ("its cable went to another socket", "nothing, it is opened there within seconds"),
    "restarted": ("it starts again", "wait a minute; when it does so often, its supply is weak: use a powered hub"),
    "gone": ("it is not there", "wait a minute; then as for a missing port"),
    "no_sim": ("it has no SIM, or one that is no use", "push the SIM home, clean its contacts, try it in a phone"),
    "sim_pin": (
        "its SIM asks for a PIN",
        "remove it in a phone, or give it as `pin` of the line in the site file",
    ),
    "sim_pin_refused": (
        "its SIM refuses the PIN of the site file, which is not given again",
        "correct `pin` in the site file, restart core; or remove the PIN in a phone",
    ),
    "sim_few_tries": (
        "its SIM asks for a PIN and has two tries or fewer left, which are yours",
        "put it into a phone and give the right PIN there; that makes three tries again",
    ),
    "sim_tries_unknown": (
        "its SIM asks for a PIN, and the modem does not say how many tries are left",
        "remove the PIN in a phone: the box gives none without knowing",
    ),
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

CREDIT_WHY = {
    "postpaid": "postpaid, never asked",
    "not_asked": "not asked yet; some minutes after the start",
    "no_answer": "the network gave no answer",
    "refused": "the network refused",
    "network_busy": "the network is busy",
    "not_understood": "the answer was not understood; siaga modem ussd shows it, firmware-config/operators reads it",
    "bad_plans": "firmware-config/operators cannot be read; journalctl -u siaga-core names the file",
    "no_plan": "no file in firmware-config/operators fits its operator",
}
PROOFS = {"call": "a call was answered", "sms_received": "a text came in", "sms_sent": "the network took a text"}


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
        f"signal        {_shown(line.signal_dbm, now)}{_trend(line)}",
        f"cell          {_shown(line.cell, now)}",
        f"credit        {_credit(line, now)}",
        f"last proof    {_proof(line, site)}",
        f"network time  {_time(line, now)}",
    ]
    if line.link:
        said.append(f"link          {'up' if line.link.up else 'down: ' + line.link.reason}")
    if line.call:
        said.append(f"call          {line.call.phase} {line.call.number or 'number not known'}")
    return said


def diagnosis(line: LineView, now: float) -> tuple[bool, list[str]]:
    """Whether the line is well, and what to say of it."""
    if line.can_take_call in ("registered", "proven") or line.why == "in_call":
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
    if line.can_take_call in ("registered", "proven"):
        return line.can_take_call
    return f"{line.can_take_call}: {ADVICE.get(line.why, (line.why, ''))[0]}"


def _trend(line: LineView) -> str:
    known = [dbm for dbm in line.trend if dbm is not None]
    return f" (last {len(line.trend)} min: {min(known)} to {max(known)})" if known else ""


def _credit(line: LineView, now: float) -> str:
    if line.credit is None:
        return CREDIT_WHY.get(line.credit_why, "not asked")
    said = [f"Rp {line.credit.value}"] if line.credit.known(now) else ["---"]
    said += [f"valid until {line.credit_until}"] if line.credit_until else []
    said += [f"runs out about {line.credit_forecast}"] if line.credit_forecast else []
    said += [f"last look: {CREDIT_WHY.get(line.credit_why, line.credit_why)}"] if line.credit_why else []
    return ", ".join(said)


def _proof(line: LineView, site: Site) -> str:
    if line.proof is None:
        return "---"
    at = datetime.fromtimestamp(line.proof.at.wall, ZONES[site.zone])
    return f"{PROOFS.get(line.proof.kind, line.proof.kind)}, {at:%Y-%m-%d %H:%M:%S} {site.zone}"


def _time(line: LineView, now: float) -> str:
    offset = line.time_offset
    if offset is None or not offset.known(now) or not isinstance(offset.value, int | float):
        return "---"
    if abs(offset.value) < AS_OURS:
        return "as the box's clock"
    return f"{abs(offset.value):.0f} s {'ahead of' if offset.value > 0 else 'behind'} the box's clock"


def _shown(figure: Figure | None, now: float) -> str:
    return f"{figure.value} {figure.unit}".strip() if figure and figure.known(now) else "---"
