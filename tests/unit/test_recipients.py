"""Who an order is for, and what a site file must not say of them."""

from pathlib import Path
from typing import Any

import pytest

from appliance.alerting.recipients import resolve
from appliance.annunciator_config import AnnunciatorConfig
from appliance.cli_orders import stations_named
from appliance.commands import IssueAlert
from appliance.config import Line, Own, Site, Station
from appliance.config_alarms import Duty
from appliance.config_alerting import Contact, Group, Zone
from appliance.config_check_recipients import recipient_faults
from appliance.model import Role
from drivers.jsonsocket import Refusal


def a_site(**more: Any) -> Site:
    keys: dict[str, Any] = {
        "station": (
            Station(id="sta", number=1, name="A", local=True),
            Station(id="stb", number=2, name="B", sms="+62000000020", zones=("east", "west")),
            Station(id="stc", number=3, name="C"),
        ),
        "own": Own(id="sta", number=1, siren="s", zone=(Zone(id="hall", name="Hall", output="s"),)),
        "contact": (
            Contact(id="rsud", name="RSUD", sms="+62000000031", voice="+62000000041"),
            Contact(id="rsal", name="RSAL", voice="+62000000042"),
            Contact(id="pmi", name="PMI", sms="+62000000033"),
        ),
        "group": (
            Group(id="city", name="City", members=("stb/west", "sta", "pmi")),
            Group(id="hospitals", name="Hospitals", members=("rsud", "rsal", "pmi"), mode="first"),
        ),
        "line": (Line(id="l1", name="1", port="p", number="+62000000001"),),
    }
    keys |= {"role": Role.CENTRE, "annunciator": AnnunciatorConfig(socket="a", factory="mock")}
    return Site(site="s", id="c", name="C", **(keys | more))


def stations(**more: str) -> tuple[Station, ...]:
    """As in `a_site`, with one changed."""
    one = {"sms": "+62000000020", **more}
    return (
        Station(id="sta", number=1, name="A", local=True),
        Station(id="stb", number=2, name="B", zones=("east", "west"), **one),  # type: ignore[arg-type]
        Station(id="stc", number=3, name="C", sms="+62000000021"),
    )


def test_groups_are_their_members_and_a_sequence_asks_only_who_is_not_told_anyway() -> None:
    found = resolve(a_site(), IssueAlert(stations=("stc",), groups=("hospitals", "city"), contacts=()))
    assert found.stations == ("stc", "stb", "sta")
    assert found.zones == {"stb": ("west",)}
    assert found.contacts == ("pmi", "rsud", "rsal")
    assert found.sequences == {"hospitals": ("rsud", "rsal")}
    assert found.groups == ("hospitals", "city")


def test_zones_of_one_station_add_up_in_the_order_of_the_orders_bits_and_a_whole_station_is_all_of_them() -> None:
    assert resolve(a_site(), IssueAlert(stations=("stb/west", "stb/east"))).zones == {"stb": ("east", "west")}
    assert resolve(a_site(), IssueAlert(stations=("stb/west",), groups=("city",))).zones == {"stb": ("west",)}
    assert resolve(a_site(), IssueAlert(stations=("stb/west", "stb"))).zones == {}
    assert resolve(a_site(), IssueAlert(stations=("sta/hall",))).zones == {"sta": ("hall",)}


def test_all_among_others_is_every_station_and_who_there_is_not_is_still_refused() -> None:
    assert stations_named(a_site(), ["stc", "stb/west"]) == ["stc", "stb/west"]
    everybody = resolve(a_site(), IssueAlert(stations=tuple(stations_named(a_site(), ["stb/west", "all"]))))
    assert (everybody.stations, everybody.zones) == (("stb", "sta", "stc"), {})
    with pytest.raises(Refusal, match="no station std"):
        resolve(a_site(), IssueAlert(stations=tuple(stations_named(a_site(), ["all", "std"]))))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (IssueAlert(), "no_station"),
        (IssueAlert(stations=("nowhere",)), "no_station"),
        (IssueAlert(stations=("stb/north",)), "no_zone"),
        (IssueAlert(stations=("stb/",)), "no_zone"),
        (IssueAlert(stations=("rsud",)), "no_station"),
        (IssueAlert(contacts=("sta",)), "no_contact"),
        (IssueAlert(groups=("all",)), "no_group"),
        (IssueAlert(stations=("sta",), text="é" * 81), "text_long"),
        (IssueAlert(stations=("sta",), text="a\nb"), "text_unwritable"),
    ],
)
def test_whom_there_is_not_is_refused_whole(command: IssueAlert, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        resolve(a_site(), command)
    assert refused.value.code == code


def test_contacts_alone_can_be_told() -> None:
    assert resolve(a_site(), IssueAlert(contacts=("rsud",))).contacts == ("rsud",)


def test_a_good_file_has_no_faults() -> None:
    assert list(recipient_faults(a_site())) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"contact": (Contact(id="x", name="X"),), "group": ()}, "give sms, voice or both"),
        ({"contact": (Contact(id="x", name="X", sms="112"),), "group": ()}, "emergency number"),
        ({"contact": (Contact(id="x", name="X", voice="+62112"),), "group": ()}, "emergency number"),
        ({"contact": (Contact(id="x", name="X", voice="+62000000001"),), "group": ()}, "a line of this box"),
        ({"contact": (Contact(id="x", name="X", sms="+62000000020"),), "group": ()}, "the modem of station 'stb'"),
        ({"station": stations(phone="+62000000001")}, "station 'stb': phone: +62000000001 is a line of this box"),
        (
            {"station": stations(phone="+62000000021")},
            "'stb': phone: +62000000021 is the modem of station 'stc'",
        ),
        ({"station": stations(phone="112")}, "emergency number"),
        ({"station": stations(sms="+62000000001")}, "station 'stb': sms: +62000000001 is a line of this box"),
        ({"station": stations(sms="+62000000021")}, "have one modem"),
        ({"duty": (Duty(name="Z", number="+62000000001"),)}, "duty 'Z': number: +62000000001 is a line of this box"),
        ({"duty": (Duty(name="Z", number="+62000000020"),)}, "the modem of station 'stb'"),
        ({"contact": (Contact(id="sta", name="X", sms="+62000000050"),), "group": ()}, "'sta' stands there twice"),
        ({"contact": (Contact(id="x", name="X", sms="0811", agency="y"),), "group": ()}, "no [[agency]] 'y'"),
        (
            {
                "contact": (
                    Contact(id="x", name="X", sms="081234567"),
                    Contact(id="y", name="Y", sms="+6281234567"),
                ),
                "group": (),
            },
            "have one number",
        ),
        ({"group": (Group(id="g", name="G", members=()),)}, "name at least one"),
        ({"group": (Group(id="g", name="G", members=("pmi", "pmi")),)}, "'pmi' stands there twice"),
        ({"group": (Group(id="g", name="G", members=("pmi", "nobody")),)}, "no station or contact 'nobody'"),
        ({"group": (Group(id="g", name="G", members=("stb/north",)),)}, "no zone 'north'"),
        ({"group": (Group(id="g", name="G", members=("pmi", "stb"), mode="first"),)}, "a siren is not asked"),
        ({"role": Role.STATION}, "a station tells nobody"),
    ],
)
def test_a_file_says_what_is_wrong_with_its_contacts_and_groups(more: dict[str, Any], said: str) -> None:
    reasons = list(recipient_faults(a_site(**more)))
    assert len(reasons) == 1, reasons
    assert said in reasons[0]


def test_the_checks_are_part_of_those_of_the_site_file() -> None:
    from appliance.config_check import contradictions

    faults = contradictions(a_site(group=(Group(id="g", name="G", members=("nobody",)),)), Path("firmware-config"))
    assert any("no station or contact 'nobody'" in fault for fault in faults)
