"""One look at every device: what the machines, the readiness list and the view are made from."""

from collections.abc import Mapping

import msgspec

from appliance.config import Site
from appliance.power.discharge_machine import BatterySeen
from appliance.power.genset_machine import GensetSeen
from appliance.power.measured import Measured, Switch
from appliance.power.plant_machine import MeterSeen, SwitchSeen, UpsSeen
from appliance.power.run_machine import Measures
from appliance.power.seen import Words, battery_seen, by_switch, genset_seen, measures, meter_seen, ups_seen


class Look(msgspec.Struct, frozen=True):
    """By the devices' ids; `fresh_s` is the longest age at which any figure counts."""

    sets: dict[str, GensetSeen]
    batteries: dict[str, UpsSeen]
    meters: dict[str, MeterSeen]
    switches: dict[str, SwitchSeen]
    measures: dict[str, Measures]
    charges: dict[str, BatterySeen]
    words: dict[str, Words]  # by "genset/g1"
    fresh_s: dict[str, float]  # by "genset/g1"


def look(
    site: Site, gensets: Mapping[str, Measured], ups: Mapping[str, Measured], meters: Mapping[str, Measured],
    switches: Mapping[str, Switch], inputs: Mapping[str, bool] | None, now: float,
) -> Look:  # fmt: skip
    """Everything as it is known at `now`."""
    devices = [*gensets.values(), *ups.values(), *meters.values()]
    words = {d.link: d.words(now) for d in devices}
    contacts = {id: s.seen(inputs, now) for id, s in switches.items()}
    sets = {id: words[d.link].once(genset_seen) for id, d in gensets.items()}
    if len(sets) == len(contacts) == 1:  # with more of either it is not said which set a contact is of
        (contact,) = contacts.values()
        sets = {id: by_switch(seen, contact) for id, seen in sets.items()}
    rated = {g.id: g.rated_kw for g in site.genset}
    return Look(
        sets=sets,
        batteries={id: words[d.link].once(ups_seen) for id, d in ups.items()},
        meters={id: words[d.link].once(meter_seen) for id, d in meters.items()},
        switches=contacts,
        measures={id: measures(words[d.link], rated[id]) for id, d in gensets.items()},
        charges={id: words[d.link].once(battery_seen) for id, d in ups.items()},
        words=words,
        fresh_s={d.link: d.fresh_s for d in devices},
    )
