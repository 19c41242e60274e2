"""What the box measures of its own supply, for the station's health: by a UPS, on Modbus or through NUT."""

from collections.abc import Iterator

import msgspec

from appliance.alerting.wire import Supply
from appliance.alerting.wire_health import PERCENT_UNKNOWN
from appliance.model import Source
from appliance.power_view import DeviceView, PowerView

MOST_MV = 0xFFFF  # as the health has it: of a battery of more than 65 V nothing is told
SUPPLIES = {Source.MAINS: Supply.MAINS, Source.GENSET: Supply.GENERATOR, Source.BATTERY: Supply.BATTERY}


class OwnPower(msgspec.Struct, frozen=True):
    """Unknown figures as on the wire. `low`: a UPS says that its battery is."""

    supply: Supply = Supply.UNKNOWN
    battery: int = PERCENT_UNKNOWN
    supply_mv: int = 0
    low: bool = False


def own_power(view: PowerView, now: float) -> OwnPower:
    """Of several UPS the emptiest battery counts, with its own voltage. What is not fresh is not known."""
    charged = [(charge, ups) for ups in view.ups_devices if (charge := _number(ups, "charge", now)) is not None]
    battery, ups = min(charged, key=lambda c: c[0], default=(None, next(iter(view.ups_devices), None)))
    volts = _number(ups, "battery_v", now) if ups else None
    mv = round(volts * 1000) if volts else 0
    return OwnPower(
        supply=SUPPLIES.get(view.source, Supply.UNKNOWN),
        battery=PERCENT_UNKNOWN if battery is None else min(100, max(0, round(battery))),
        supply_mv=mv if 0 < mv <= MOST_MV else 0,
        low=any(_says(view, "low_battery", now)),
    )


def _number(device: DeviceView, point: str, now: float) -> float | None:
    figure = device.figures.get(point)
    if figure is None or not figure.known(now) or isinstance(figure.value, bool | str):
        return None
    return figure.value


def _says(view: PowerView, flag: str, now: float) -> Iterator[bool]:
    for ups in view.ups_devices:
        figure = ups.figures.get(flag)
        yield figure is not None and figure.known(now) and figure.value is True
