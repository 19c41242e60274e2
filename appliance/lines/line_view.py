"""One line as a page shows it: what its modem says, with quality and age, and whether it can take a call."""

from appliance.config import Line as LineConfig
from appliance.figure import Figure
from appliance.state import Call, Link
from appliance.view import LineView
from drivers.modem.events import StatusChanged
from drivers.quality import Quality

FRESH = 30.0  # s; the modem is asked every 10, so two answers may be missing

REGISTERED = ("home", "roaming")
SIM_WHY = {"SIM PIN": "sim_pin", "SIM PUK": "sim_puk"}  # of +CPIN; any other word but READY is a SIM that is no use
PIN_WHY = {"pin_refused": "sim_pin_refused", "few_tries": "sim_few_tries", "tries_unknown": "sim_tries_unknown"}


def line_view(
    config: LineConfig, *, up: bool, down: str, status: StatusChanged, at: float, modem: str,
    link: Link | None, call: Call | None,
) -> LineView:  # fmt: skip
    """`down` is the code of why the modem is not there, `at` when it was last asked."""
    can, why = _can_take_call(up, down, status, call)

    def figure(value: str | int | None, unit: str = "") -> Figure:
        quality = Quality.NO_LINK if not up else Quality.UNIMPLEMENTED if value is None else Quality.GOOD
        return Figure(value if quality is Quality.GOOD else None, unit, quality, at, FRESH)

    return LineView(
        id=config.id,
        name=config.name,
        number=config.number,
        link=link,
        modem=modem,
        operator=figure(status.operator),
        technology=figure(_known(status.technology)),
        registration=figure(_known(status.registration)),
        signal_dbm=figure(status.signal_dbm, "dBm"),
        can_take_call=can,
        why=why,
        call=call,
        bearer=figure(_known(status.bearer)),
    )


def _known(word: str) -> str | None:
    return None if word == "unknown" else word


def _can_take_call(up: bool, down: str, status: StatusChanged, call: Call | None) -> tuple[str, str]:
    """`registered` is the most that can be said: whether a voice comes through is proven by a call only."""
    if not up:
        return ("unknown", "starting") if down == "starting" else ("no", down)
    if status.sim not in ("READY", ""):
        return "no", PIN_WHY.get(status.sim_reason) or SIM_WHY.get(status.sim, "no_sim")
    if status.registration == "unknown":
        return "unknown", "starting" if status.sim == "" else "unknown"
    if status.registration not in REGISTERED:
        return "no", status.registration
    if status.bearer == "sms_only" and not call:
        return "unknown", "sms_only"  # a fallback to 2G may still bring a call
    return ("no", "in_call") if call else ("registered", "")
