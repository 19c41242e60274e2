"""Why an order to the plant was refused, in words, with what to do next. Its codes are those of Offer.why."""

from collections.abc import Iterable

from drivers.jsonsocket import Refusal

UNKNOWN = "Wait for its next answer, or look at the device."
WORDS = {
    "role": ("this needs a supervisor or technician.", "Ask one, or use the box's console."),
    "not_confirmed": ("nobody confirmed it with the device's name.", "Load the page again and read the name."),
    "busy": ("an order to it is still under way.", "Wait for its proof."),
    "no_command": ("it takes no such command.", "Do it at the device."),
    "no_link": ("it does not answer.", "Check its link; go and look at it."),
    "stale": ("what this rests on is not known freshly enough.", UNKNOWN),
    "needs": ("it is not in the state that this needs.", "Look at its figures."),
    "not_auto": ("it is not in auto.", "Order `auto` first, or turn its selector."),
    "mode_unknown": ("its mode is not known.", UNKNOWN),
    "engine_unknown": ("it is not known whether the engine turns.", UNKNOWN),
    "emergency_stop": ("its emergency stop is pressed.", "Find out why; release it at the set."),
    "fault": ("it holds a fault.", "Find the fault and reset it at the device."),
    "runs": ("the engine turns already.", "Nothing is to be started."),
    "back_fed": ("the generator's terminals carry voltage, or both switches are closed.", "Call an electrician."),
    "outage": ("the mains is not there.", "Wait until it is back."),
    "mains_unknown": ("it is not known whether the mains is there.", UNKNOWN),
    "on_battery": ("a UPS is on battery.", "Wait until it is back on line."),
    "battery_unknown": ("it is not known whether a UPS is on battery.", UNKNOWN),
    "genset_feeds": ("a generator feeds the building.", "Wait for the retransfer."),
    "testing": ("it tests itself already.", "Wait for the result."),
    "bypass": ("it is not on line.", "Look at the UPS."),
    "battery_low": ("its battery is not full enough for a test.", "Let it charge."),
    "already": ("it is in auto.", "Nothing is to be done."),
    "by_hand": ("somebody has stopped it at its panel.", "Who works at the set turns it back to auto."),
    "relay_away": ("the annunciator does not answer.", "Start the set at its panel."),
    "relay_held": ("the relay is energised already.", "Cancel the start first."),
}


def refusal(command: str, name: str, why: str) -> Refusal:
    """`why` is the refusal's code."""
    text, then = WORDS.get(why, ("something stands in the way.", "Look at the device."))
    return Refusal(why, f"{command} of {name!r} was not sent: {text}", then)


def no_device(device: str, known: Iterable[str]) -> Refusal:
    return Refusal("no_device", f"There is no {device}.", f"There are: {', '.join(known) or 'none'}.")
