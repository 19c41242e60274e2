"""What cannot be right in a station's own tables: zones, quiet hours, what it watches."""

from collections.abc import Iterator

from appliance.config import Own, Site
from appliance.config_alerting import MOST_ZONES

CONTACTS = ("current", "tamper", "door", "supply", "battery_low")


def station_faults(own: Own, site: Site) -> Iterator[str]:
    """One sentence a fault, with the key that it is about."""
    yield from _zones(own, site)
    watch, inputs, outputs = own.watch, site.annunciator.input, site.annunciator.output
    for name in CONTACTS:
        wired = getattr(watch, name)
        if wired is not None and wired not in inputs:
            yield f"own.watch.{name}: there is no input {wired!r}; there is {', '.join(inputs) or 'none'}."
    if watch.lamp is not None:
        taken = {site.amber, own.light, site.notify.lamp}
        if watch.lamp not in outputs or outputs[watch.lamp].kind not in ("light", "lamp"):
            yield f"own.watch.lamp: there is no light {watch.lamp!r}."
        elif watch.lamp in taken:
            yield f"own.watch.lamp: {watch.lamp!r} shows something else already."
    if watch.microphone and site.sound.headset is None:
        yield "own.watch.microphone: name the sound card in [sound.headset]; it is heard and spoken there."


def _zones(own: Own, site: Site) -> Iterator[str]:
    if len(own.zone) > MOST_ZONES:
        yield f"own.zone: an order can name {MOST_ZONES} zones, not {len(own.zone)}."
    ids = [zone.id for zone in own.zone]
    for id in sorted({id for id in ids if ids.count(id) > 1}):
        yield f"own.zone: there are two zones {id!r}."
    for zone in own.zone:
        wired = site.annunciator.output.get(zone.output)
        if wired is None or wired.kind not in ("siren", "buzzer"):
            yield f"own.zone {zone.id}: {zone.output!r} is no siren or buzzer of [annunciator]."
        elif wired.max_s is not None and own.max_s > wired.max_s:
            yield f"own.max_s: {own.max_s} s is longer than annunciator.output.{zone.output}.max_s, {wired.max_s:g} s."
        if zone.speaks and site.sound.headset is None:
            yield f"own.zone {zone.id}: speaks needs a sound card; name it in [sound.headset]."
