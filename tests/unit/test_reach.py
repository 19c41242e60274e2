"""By what a station can be woken now: the terminal's words and the page's are one truth."""

import msgspec
import pytest

from appliance.alert_state import Lockout, Revoked
from appliance.alert_view import PathView, StationHealthView, SupervisionView
from appliance.cli_status import is_calm, lines
from appliance.figure import Figure
from appliance.model import AlertKind, CallPhase, DeliveryState, Path, Role
from appliance.reach import Wake, reach, supervised, wake
from appliance.stamp import Stamp
from appliance.state import Alert, Call, Delivery, Link, Siren, TrunkVerdict
from appliance.view import LineView, StationView, View

NOW = 100.0
STAMP = Stamp(1, 0.0, 0.0, "boot", "")


def station(heard_ago: float | None = 1.0, *, local: bool = False, sms: bool = True) -> StationView:
    heard = None if heard_ago is None else NOW - heard_ago
    return StationView("s1", "S 1", 1, local, "+62000000111", sms, None, heard, 15.0, False)


def line(registration: str = "home", age: float = 1.0) -> LineView:
    def figure(value: str | int | None) -> Figure:
        return Figure(value, "", "good", NOW - age, 30.0)

    return LineView(
        id="l1", name="L 1", number="+62000000001", link=None, modem="", operator=figure("T"), technology=figure("4g"),
        registration=figure(registration), signal_dbm=figure(-70), can_take_call="registered", why="", call=None,
    )  # fmt: skip


def view(of: StationView, *lines: LineView, **links: bool) -> View:
    return View(
        seq=1, head="", at=NOW, wall=0.0, clock_quality="ntp", zone="WIT", speed=1.0, role=Role.CENTRE, site="s",
        id="c", name="C", language="id", version="", power=None, lines=list(lines), trunk=None, trunk_watched=False,
        stations=[of], alerts=[], sirens={}, alarms=[], calls=[], messages=[],
        links={name: Link(up, STAMP) for name, up in links.items()}, disk_failed=None, disk_kept=0, last=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("of", "lines_", "links", "paths"),
    [
        (station(), (line(),), {"broker": True}, (Path.MQTT, Path.SMS)),
        (station(), (line(),), {"broker": False}, (Path.SMS,)),
        (station(), (line("searching"),), {"broker": False}, ()),
        (station(), (line(age=31.0),), {"broker": False}, ()),
        (station(16.0), (), {"broker": True}, ()),
        (station(None), (line(),), {"broker": True}, (Path.SMS,)),
        (station(sms=False), (line(),), {"broker": False}, ()),
        (station(None, local=True), (), {"broker": False, "annunciator": True}, (Path.GPIO,)),
        (station(None, local=True), (line(),), {"broker": True, "annunciator": False}, ()),
    ],
)
def test_only_a_path_that_stands_now_counts(
    of: StationView, lines_: tuple[LineView, ...], links: dict[str, bool], paths: tuple[Path, ...]
) -> None:
    assert reach(view(of, *lines_, **links), of, NOW) == paths


def proofs(sms: PathView | None, lockout: Lockout | None = None) -> SupervisionView:
    return SupervisionView((StationHealthView("s1", None, (sms,) if sms else (), lockout),))


DAY = 86400.0
WALL = 5 * DAY
PROVEN, FAILED = Stamp(wall=WALL - 3600.0), Stamp(wall=WALL - 60.0)
OLD = Stamp(wall=WALL - 2 * DAY)


@pytest.mark.parametrize(
    ("of", "sms", "known"),
    [
        (station(), None, Wake((Path.MQTT,))),
        (station(), PathView("sms", True, DAY, PROVEN), Wake((Path.MQTT, Path.SMS))),
        (station(None), PathView("sms", True, DAY, PROVEN), Wake((Path.SMS,))),
        (station(None), None, Wake((), "sms_untested")),
        (station(None), PathView("sms", True, DAY), Wake((), "sms_untested")),
        (station(None), PathView("sms", True, DAY, PROVEN, FAILED, "no_answer"), Wake((), "sms_failed")),
        (station(None), PathView("sms", True, DAY, OLD), Wake((), "sms_late")),
        (station(None), PathView("sms", True, None, PROVEN), Wake((), "sms_late")),
        (station(None, sms=False), None, Wake((), "silent")),
    ],
)
def test_a_number_in_the_site_file_wakes_nobody_only_a_proof_does(
    of: StationView, sms: PathView | None, known: Wake
) -> None:
    there = view(of, line(), broker=True)
    there.supervision = proofs(sms)
    assert wake(there, of, supervised(there).get("s1"), NOW, WALL) == known


@pytest.mark.parametrize(
    ("state", "path", "ago", "known"),
    [
        (DeliveryState.ENERGISED, "sms", 10.0, Wake((Path.SMS,))),
        (DeliveryState.ENDED, "sms", 10.0, Wake((Path.SMS,))),
        (DeliveryState.ENDED, "sms", 2 * DAY, Wake((), "sms_late")),
        (DeliveryState.SENT, "sms", 10.0, Wake((), "sms_untested")),
        (DeliveryState.ENDED, "mqtt", 10.0, Wake((), "sms_untested")),
    ],
)
def test_an_order_that_was_answered_by_text_proves_that_way_too(
    state: DeliveryState, path: str, ago: float, known: Wake
) -> None:
    of = station(None)
    there = view(of, line(), broker=True)
    there.supervision = proofs(PathView("sms", True, DAY))
    delivery = Delivery("s1", state, Stamp(wall=WALL - ago), path)
    there.alerts = [
        Alert("a1", AlertKind.ACTUAL, "wail", 60, 300, 0, ("s1",), "page", "", STAMP, deliveries={"s1": delivery})
    ]
    assert wake(there, of, supervised(there)["s1"], NOW, WALL) == known


def test_neither_a_locked_siren_nor_a_revoked_key_can_be_woken() -> None:
    of = station()
    there = view(of, line(), broker=True)
    there.supervision = proofs(
        PathView("sms", True, DAY, PROVEN), Lockout("s1", "aa", 60, WALL + 60, "relai", Stamp(wall=WALL))
    )
    assert wake(there, of, supervised(there)["s1"], NOW, WALL) == Wake((), "locked_out")
    of.revoked = Revoked(Stamp(wall=WALL), "sari", "dicuri")
    assert wake(there, of, supervised(there)["s1"], NOW, WALL) == Wake((), "revoked")


def test_the_terminal_says_that_a_text_was_never_answered() -> None:
    of = station(None)
    said = [said for said in lines(view(of, line(), broker=True)) if said.startswith("station")]
    assert said == ["station ✕ s1: quiet; sms (NOT PROVEN: never answered a text)"]


def test_the_terminal_says_whom_to_phone_when_no_path_stands() -> None:
    of = station()
    said = [said for said in lines(view(of, line("searching"), broker=False)) if said.startswith("station")]
    assert said == ["station ✕ s1: quiet; NO PATH, phone it: +62000000111"]


def test_a_shape_has_its_word_for_the_trunk_too() -> None:
    """Said by a word as well: a terminal that shows no shapes says the same."""
    there = view(station())
    there.trunk_watched = True
    assert next(said for said in lines(there) if said.startswith("trunk")).endswith("unknown")
    there.trunk, there.trunk_verdict = Link(True, STAMP), TrunkVerdict("up", STAMP)
    assert next(said for said in lines(there) if said.startswith("trunk")).endswith(" up")


def test_a_screen_is_not_begun_anew_while_somebody_talks_or_a_siren_sounds() -> None:
    calm = view(station(), line())
    assert is_calm(calm)
    call = Call("l1", "c1", "+6281234567890", CallPhase.TALKING, STAMP, STAMP)
    assert not is_calm(view(station(), msgspec.structs.replace(line(), calls=[call])))
    calm.sirens["siren"] = Siren(True, "a", "ordered", STAMP)
    assert not is_calm(calm)
