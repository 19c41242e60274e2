"""What core sees of a step, in one line for the technician to compare with the thing itself."""

from collections.abc import Iterable

from appliance.cli_power_words import device_row
from appliance.cli_status import figure, trunk
from appliance.commission_plan import Step
from appliance.reach import reach
from appliance.view import View


def seen_of(step: Step, view: View) -> str:
    """Empty where core knows nothing of it."""
    match step.kind:
        case "line":
            return _joined(
                f"{line.modem}, {figure(line.operator, view.at)}, {figure(line.signal_dbm, view.at)}, {line.number}"
                for line in view.lines
                if line.id == step.name
            )
        case "device":
            devices = view.power.devices if view.power else []
            return _joined(device_row(device, view.at) for device in devices if device.id == step.name)
        case "trunk":
            return trunk(view)
        case "station":
            return _joined(
                f"{s.name}: {', '.join(reach(view, s, view.at)) or '---'}" for s in view.stations if s.id == step.name
            )
        case "broker":
            return _joined(f"{n}: {link.reason or 'up'}" for n, link in view.links.items() if n == "broker")
    return ""


def _joined(told: Iterable[str]) -> str:
    return "; ".join(told)
