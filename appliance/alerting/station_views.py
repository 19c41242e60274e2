"""Stations as pages show them: from the site file, the journal, and what was heard of each."""

from collections.abc import Iterable

from appliance.alerting.contact import Contact
from appliance.config import Site
from appliance.state import State
from appliance.view import StationView


def station_views(site: Site, state: State, contacts: Iterable[Contact]) -> list[StationView]:
    own = state.sirens.get(site.own.siren) if site.own else None
    return [
        StationView(
            id=contact.station.id,
            name=contact.station.name,
            number=contact.station.number,
            local=contact.station.local,
            phone=contact.station.phone,
            sms=bool(contact.station.sms),
            contact=state.stations.get(contact.station.id),
            heard_at=contact.heard_at,
            fresh_s=contact.lost_s,
            sounding=(own is not None and own.on) if contact.station.local else contact.sounding,
            revoked=state.revoked.get(contact.station.id),
        )
        for contact in contacts
    ]
