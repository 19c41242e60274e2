"""Whom the site file knows by number: agencies for one press, stations, and the box's own lines.

An agency's own telephone is never blocked: a prank from a hospital's ward must not cut the hospital off.
"""

from appliance.config import Site
from appliance.config_desk import Agency
from appliance.desk_view import AgencyView
from drivers.jsonsocket import Refusal
from drivers.modem.errors import NumberRefused
from drivers.modem.numbers import diallable, telephone


class Directory:
    def __init__(self, site: Site) -> None:
        self._agencies = {a.id: a for a in site.agency}
        self._names: dict[str, tuple[str, str]] = {}  # telephone: name, agency's id
        for station in site.station:
            for number in filter(None, (station.phone, station.sms)):
                self._names[telephone(number)] = (station.name, "")
        for agency in site.agency:
            for number in filter(None, (*agency.phone, agency.sms)):
                self._names[telephone(number)] = (agency.name, agency.id)
        self.lines = {telephone(line.number): line.id for line in site.line}
        self.own = frozenset(self.lines)

    def name(self, key: str) -> tuple[str, str]:
        """Name and agency's id of a telephone, both empty when it is not known."""
        return self._names.get(key, ("", ""))

    def may_block(self, key: str) -> bool:
        return bool(key) and key not in self._names and key not in self.own

    def number(self, to: str) -> str:
        """The number to dial for an agency's id or a number. Raises Refusal."""
        if agency := self._agencies.get(to):
            return diallable(agency.phone[0])
        if to[:1].isalpha():
            raise Refusal("no_agency", f"There is no {to!r} in the directory.", self._known())
        try:
            return diallable(to)
        except NumberRefused as e:
            raise Refusal("bad_number", str(e), "Nothing was dialled.") from e

    def _known(self) -> str:
        return f"Entries: {', '.join(self._agencies) or 'none; [[agency]] in the site file adds some'}."

    def views(self) -> tuple[AgencyView, ...]:
        return tuple(_view(agency) for agency in self._agencies.values())


def _view(agency: Agency) -> AgencyView:
    return AgencyView(agency.id, agency.name, agency.kind, agency.phone, agency.sms or "", agency.languages)
