"""Orders to the plant as a pure machine: what stands in the way of a command, and what proves one.

An interlock that cannot be judged stands in the way: nothing is ordered on what is not known.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from appliance.model import Mains
from appliance.power.genset_machine import AUTO, RUNNING_RPM, TURNING_RPM
from appliance.power_commands import PlantCommand

Value = float | int | str | bool | None
SENIOR = ("supervisor", "technician")
ROLES: dict[PlantCommand, tuple[str, ...]] = dict.fromkeys(PlantCommand, SENIOR) | {
    PlantCommand.MUTE: ("operator", *SENIOR)
}
CONSOLE = "console"  # the role of whoever stands at the box

BY_HAND = ("stop", "off")  # chosen at the panel; whoever chose it may have their hands in the set
AT_REST = ("stopped",)
COMING_TO_REST = ("cooling", "post_run")
GENERATOR_V = ("generator_v_l1", "generator_v_l2", "generator_v_l3")
FAULTS = ("shutdown_alarm", "electrical_trip_alarm", "emergency_stop", "fail_to_start")
UPS_FAULTS = ("fault", "overload", "over_temperature", "battery_disconnected", "battery_replace", "shutdown_imminent")
BACK_FED_V = 50.0  # no residual magnetism gives a standing generator so much
TEST_CHARGE = 50.0  # %; on less, an outage in the middle of a test finds an empty battery
MEASURED_S = 90.0  # s until a set whose start was cancelled is seen to cool down; a transfer is in it
CONTACT = "running_contact"
STOPS_S = 60.0  # s more than the cool-down takes until the running contact opens


class Device(msgspec.Struct, frozen=True):
    """What an order is for. `values`: its readings that are good and fresh."""

    values: Mapping[str, Value]
    commands: bool = True  # its profile has this command
    needs: Mapping[str, Value] = {}  # what the profile wants to be so
    stale: tuple[str, ...] = ()  # points that the command rests on, and that are not known freshly enough for it
    relay: str = ""  # the output that starts it, "" for none
    relay_up: bool = False  # the annunciator is there
    held: bool = False  # the relay is energised
    contact: bool | None = None  # that closes while the set runs; None: there is none, or it is not known


class Plant(msgspec.Struct, frozen=True):
    mains: Mains  # unknown too where no witness speaks now
    on_battery: bool | None  # some UPS is; None: one is not known and none is
    feeding: bool | None  # some set feeds the building


class Seen(msgspec.Struct, frozen=True):
    """A point's value, and when it was measured, or last changed where it is told by its changes."""

    value: Value
    at: float


class Goal(msgspec.Struct, frozen=True):
    """What proves a command: one of these values, or a number within these bounds."""

    point: str
    values: tuple[Value, ...] = ()
    least: float | None = None
    most: float | None = None

    def met(self, value: Value) -> bool:
        if self.least is None and self.most is None:
            return value in self.values
        if isinstance(value, bool | str | None):
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def hindrance(command: PlantCommand, device: Device, plant: Plant) -> str:
    """The code of what stands in the way of `command` now, "" for nothing."""
    for check in INTERLOCKS[command]:
        if why := check(device, plant):
            return why
    return ""


def _commands(d: Device, _: Plant) -> str:
    return "" if d.commands else "no_command"


def _fresh(d: Device, _: Plant) -> str:
    if not d.values:
        return "no_link"
    return "stale" if d.stale else ""


def _needs(d: Device, _: Plant) -> str:
    return "needs" if any(d.values.get(point) != value for point, value in d.needs.items()) else ""


def _emergency_stop(d: Device, _: Plant) -> str:
    return "emergency_stop" if d.values.get("emergency_stop") else ""


def _fault(d: Device, _: Plant) -> str:
    return "fault" if any(d.values.get(point) is True for point in FAULTS) else ""


def _in_auto(d: Device, _: Plant) -> str:
    mode = d.values.get("mode")
    if mode is None:
        return "mode_unknown"
    return "" if mode in AUTO else "not_auto"


def _turns(d: Device) -> bool | None:
    """Whether the engine does; None: not known."""
    state, rpm = d.values.get("engine_state"), d.values.get("rpm")
    if isinstance(rpm, int | float) and rpm > TURNING_RPM:
        return True
    if isinstance(state, str):
        return state not in (*AT_REST, "failed")
    return None if rpm is None else False


def _runs(d: Device, _: Plant) -> str:
    turns = _turns(d)
    if turns is None:
        return "engine_unknown"
    return "runs" if turns and d.values.get("engine_state") not in COMING_TO_REST else ""


def _back_fed(d: Device, _: Plant) -> str:
    """The mains feeds into the generator, or would once it turns: a start would join two sources out of step."""
    volts = [v for point in GENERATOR_V if isinstance(v := d.values.get(point), int | float)]
    both = d.values.get("mains_closed") is True and d.values.get("genset_closed") is True
    return "back_fed" if both or (_turns(d) is False and max(volts, default=0.0) > BACK_FED_V) else ""


def _mains_here(_: Device, plant: Plant) -> str:
    if plant.mains in (Mains.LOST, Mains.SUSPECT):
        return "outage"
    return "" if plant.mains is Mains.PRESENT else "mains_unknown"


def _on_battery(_: Device, plant: Plant) -> str:
    if plant.on_battery is None:
        return "battery_unknown"
    return "on_battery" if plant.on_battery else ""


def _genset_feeds(_: Device, plant: Plant) -> str:
    return "genset_feeds" if plant.feeding else ""


def _needed_in_outage(d: Device, plant: Plant) -> str:
    """What keeps the building alight is not taken from it here; the set's own stop button is there for that."""
    at_rest = plant.feeding is False and _turns(d) is False
    return "" if plant.mains is Mains.PRESENT or at_rest else "outage"


def _by_hand(d: Device, _: Plant) -> str:
    mode = d.values.get("mode")
    if mode is None:
        return "mode_unknown"
    if mode in AUTO:
        return "already"
    return "by_hand" if mode in BY_HAND else ""


def _ups_whole(d: Device, _: Plant) -> str:
    if any(d.values.get(point) is True for point in UPS_FAULTS):
        return "fault"
    if d.values.get("testing") is True or d.values.get("self_test") in ("pending", "running"):
        return "testing"
    if d.values.get("online") is False or d.values.get("bypass") is True:
        return "bypass"
    if d.values.get("input_bad") is True:
        return "outage"
    charge = d.values.get("charge")
    low = isinstance(charge, int | float) and charge < TEST_CHARGE
    return "battery_low" if low or d.values.get("low_battery") is True else ""


def _relay_free(d: Device, _: Plant) -> str:
    if not d.relay:
        return "no_command"
    if not d.relay_up:
        return "relay_away"
    return "relay_held" if d.held else ""


def _relay_seen(d: Device, plant: Plant) -> str:
    """With the controller's word as for any start; where its link is lost the running contact says what is so."""
    if "mode" in d.values:
        return next(filter(None, (check(d, plant) for check in STARTS)), "")
    if d.contact is None:
        return "no_link"
    return "runs" if d.contact else ""


def _cancel_seen(d: Device, plant: Plant) -> str:
    """A relay can always be let go: that is its safe side. A controller must be heard first."""
    if d.held:
        return "" if d.relay_up else "relay_away"
    return next(filter(None, (check(d, plant) for check in (_commands, _fresh, _in_auto, _needs))), "")


Check = Callable[[Device, Plant], str]
STARTS: tuple[Check, ...] = (_fault, _in_auto, _back_fed, _runs)
INTERLOCKS: dict[PlantCommand, tuple[Check, ...]] = {
    PlantCommand.START: (_commands, _fresh, *STARTS, _needs),
    PlantCommand.CANCEL_START: (_cancel_seen, _needed_in_outage),
    PlantCommand.TEST_ON_LOAD: (_commands, _fresh, *STARTS, _mains_here, _on_battery, _needs),
    PlantCommand.AUTO: (_commands, _fresh, _emergency_stop, _by_hand, _needs),
    PlantCommand.SELF_TEST: (_commands, _fresh, _on_battery, _mains_here, _genset_feeds, _ups_whole, _needs),
    PlantCommand.MUTE: (_commands, _fresh, _needs),
    PlantCommand.START_RELAY: (_relay_free, _relay_seen),
}


def relay_goals(command: PlantCommand) -> tuple[Goal, ...]:
    """What proves that the relay did what it is for; any one of them will do."""
    if command is PlantCommand.START_RELAY:
        return (
            Goal("engine_state", ("running",)),
            Goal("rpm", least=RUNNING_RPM),
            Goal(CONTACT, (True,)),
        )
    return (
        Goal("engine_state", (*AT_REST, *COMING_TO_REST)),
        Goal("rpm", most=TURNING_RPM),
        Goal(CONTACT, (False,)),
    )


def relay_within_s(command: PlantCommand, measured: bool, start_s: float, cooldown_s: float) -> float:
    """The proof's deadline. `measured`: the controller says what the engine does, also that it cools down."""
    if command is PlantCommand.START_RELAY:
        return start_s
    return MEASURED_S if measured else cooldown_s + STOPS_S


def proof(goals: Iterable[Goal], seen: Mapping[str, Seen], since: float) -> str:
    """What proves it, as point=value: the first goal that was measured behind `since`. "" when none was."""
    for goal in goals:
        found = seen.get(goal.point)
        if found is not None and found.at > since and goal.met(found.value):
            return said(goal.point, found.value)
    return ""


def instead(goals: Iterable[Goal], seen: Mapping[str, Seen]) -> str:
    """What is measured, of a command whose proof did not come."""
    return next((said(g.point, seen[g.point].value) for g in goals if g.point in seen), "")


def said(point: str, value: Value) -> str:
    """The form in which the journal keeps a proof."""
    return f"{point}={value}"
