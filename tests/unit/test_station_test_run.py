"""One run of a test: each station by each way, each answer by the way that was asked, nothing twice, an end always."""

from collections.abc import Mapping

from appliance import alert_events as al
from appliance import station_events as st
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.model import AlertKind
from appliance.state import State
from appliance.supervision.test_machine import SIREN, WAYS, Ask, Over, Quit, Result, Step, chosen, of_run, steps

ALL = ("mqtt", "sms", "voice", SIREN)
RUN = "0a0b0c0d"


class Run:
    """A run over a fold; `asked` are the orders that it wanted, and got."""

    def __init__(self, what: str = "silent", stations: tuple[str, ...] = ("s1", "s2")) -> None:
        self.state, self._head = State(), Entry.before_first()
        self.now, self.boot = 0.0, "b1"
        self.ways: Mapping[str, tuple[str, ...]] = dict.fromkeys(stations, ALL)
        self.locked: tuple[str, ...] = ()
        self.urgent = False
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.happens(st.StationTestBegun(test=RUN, what=what, due="", stations=stations, paths=WAYS[what]))

    def happens(self, *events: Event) -> None:
        for event in events:
            self._head = Entry.after(
                self._head, wall=1000.0 + self.now, mono=self.now, boot=self.boot, quality="ntp", kind=event.kind,
                subject=event.subject, actor="", cause=None, body=encode_event(event),
            )  # fmt: skip
            apply(self.state, self._head)

    def steps(self) -> list[Step]:
        alerts = list(of_run(self.state.alerts, RUN))
        return steps(
            self.state.tests.runs[RUN], alerts, self.ways, self.locked,
            lambda stamp: stamp.elapsed(self.now, 1000.0 + self.now, self.boot), self.boot, urgent=self.urgent,
        )  # fmt: skip

    def look(self) -> list[Step]:
        """Carry out what is to do; what came of it."""
        found = self.steps()
        for step in found:
            match step:
                case Ask(way=way, stations=stations):
                    self.asked.append((way, stations))
                    kind = AlertKind.SOUNDING_TEST if way == SIREN else AlertKind.SILENT_TEST
                    self.happens(
                        al.AlertIssued(
                            alert=f"{way}-{len(self.asked)}", alert_kind=kind, pattern="steady", seconds=60,
                            lifetime_s=300, incident_code=0, stations=stations, via="rule",
                            paths=() if way == SIREN else (way,), test=RUN,
                        )
                    )  # fmt: skip
                case Result(station=station, way=way, good=good, reason=reason, seconds=seconds, skipped=skipped):
                    self.happens(
                        st.StationTestResult(
                            test=RUN, station=station, path=way, good=good, reason=reason, seconds=seconds,
                            skipped=skipped,
                        )
                    )  # fmt: skip
                case Over(good=good, bad=bad, skipped=skipped):
                    self.happens(st.StationTestEnded(test=RUN, good=good, bad=bad, skipped=skipped))
        return [step for step in found if not isinstance(step, Ask)]

    def alert(self, way: str) -> str:
        return next(id for id in reversed(self.state.alerts) if id.startswith(way))

    def answers(self, station: str, way: str, by: str = "") -> None:
        ids = {"alert": self.alert(way), "station": station, "path": by or way}
        self.happens(al.DeliverySent(**ids, action="start", sequence=1), al.DeliveryReceived(**ids))


def test_every_station_is_asked_by_every_way_and_the_run_ends_when_all_have_answered() -> None:
    run = Run()
    assert run.look() == []
    assert run.asked == [("mqtt", ("s1", "s2")), ("sms", ("s1", "s2"))]
    run.now = 2.0
    for station in ("s1", "s2"):
        run.answers(station, "mqtt")
    assert run.look() == [Result("s1", "mqtt", True, seconds=2.0), Result("s2", "mqtt", True, seconds=2.0)]
    run.now = 30.0
    for station in ("s1", "s2"):
        run.answers(station, "sms")
    assert run.look()[-1] == Over(4, 0)
    assert run.look() == []
    assert set(run.state.tests.proven["s1"]) == {"mqtt", "sms"}
    assert run.state.tests.runs[RUN].good == 4


def test_an_answer_by_another_way_proves_that_way_and_not_the_one_that_was_asked() -> None:
    run = Run("sms_probe", ("s1",))
    run.look()
    run.answers("s1", "sms", by="mqtt")
    run.now = 421.0
    assert run.look() == [Result("s1", "sms", False, "no_answer"), Over(0, 1)]
    assert run.state.tests.failed["s1"]["sms"].reason == "no_answer"


def test_what_could_not_be_sent_is_told_apart_from_what_was_not_answered() -> None:
    run = Run("silent", ("s1",))
    run.look()
    run.happens(
        al.DeliverySent(alert=run.alert("sms"), station="s1", path="sms", action="start", sequence=2),
        al.DeliveryRefused(alert=run.alert("sms"), station="s1", path="sms", reason="not_allowed"),
    )
    run.now = 421.0
    assert run.look() == [
        Result("s1", "mqtt", False, "not_sent"), Result("s1", "sms", False, "not_allowed"), Over(0, 2),
    ]  # fmt: skip


def test_a_siren_that_is_locked_out_still_proves_by_its_refusal_that_the_way_is_good() -> None:
    run = Run("sms_probe", ("s1",))
    run.look()
    run.now = 9.0
    run.happens(
        al.DeliverySent(alert=run.alert("sms"), station="s1", path="sms", action="start", sequence=2),
        al.DeliveryRefused(alert=run.alert("sms"), station="s1", path="sms", reason="locked_out"),
    )
    assert run.look() == [Result("s1", "sms", True, seconds=9.0), Over(1, 0)]


def test_texts_go_to_a_few_stations_at_a_time_and_a_deaf_one_does_not_hold_up_the_rest_for_long() -> None:
    run = Run("sms_probe", tuple(f"s{n}" for n in range(25)))
    run.look()
    assert [len(stations) for _, stations in run.asked] == [10]
    for n in range(1, 10):
        run.answers(f"s{n}", "sms")
    run.now = 30.0
    run.look()
    assert len(run.asked) == 1
    run.now = 121.0
    run.look()
    assert [len(stations) for _, stations in run.asked] == [10, 10]
    while run.now < 2000 and run.state.tests.runs[RUN].ended is None:
        run.now += 10.0
        run.look()
    assert [len(stations) for _, stations in run.asked] == [10, 10, 5]
    ended = run.state.tests.runs[RUN]
    assert (ended.good, ended.bad) == (9, 16)


def test_a_call_counts_when_a_person_pressed_the_key_in_it_and_those_who_wait_longest_come_first() -> None:
    run = Run("voice", ("s1",))
    run.look()
    run.happens(al.DeliverySent(alert=run.alert("voice"), station="s1", path="voice", action="start", sequence=0))
    assert run.look() == []
    run.now = 25.0
    run.happens(al.DeliveryAcknowledged(alert=run.alert("voice"), station="s1", path="voice"))
    assert run.look() == [Result("s1", "voice", True, seconds=25.0), Over(1, 0)]
    many = tuple(f"s{n}" for n in range(100))
    called = chosen("voice", many, dict.fromkeys(many, ALL), lambda s: 100.0 - int(s[1:]))
    assert (len(called), called[0]) == (60, "s99")
    assert chosen("voice", ("s1",), {"s1": ("mqtt",)}, lambda s: 0.0) == ()


def test_after_a_reboot_a_silent_test_asks_those_again_who_have_not_answered_and_nobody_else() -> None:
    run = Run("silent")
    run.look()
    run.answers("s1", "mqtt")
    run.look()
    run.boot, run.now = "b2", 3.0
    run.asked.clear()
    run.look()
    assert run.asked == [("mqtt", ("s2",)), ("sms", ("s1", "s2"))]


def test_after_a_reboot_no_siren_is_sounded_again() -> None:
    run = Run("sounding", ("s1",))
    run.look()
    run.boot, run.now = "b2", 3.0
    run.asked.clear()
    assert run.look() == []
    assert run.asked == []
    run.happens(al.DeliveryExpired(alert=run.alert(SIREN), station="s1"))
    assert run.look() == [Result("s1", SIREN, False, "not_sent"), Over(0, 1)]


def test_a_siren_passes_by_its_strongest_proof_and_one_that_is_locked_out_is_not_asked() -> None:
    run = Run("sounding", ("s1", "s2", "s3"))
    run.locked = ("s3",)
    assert run.look() == [Result("s3", SIREN, False, "locked_out", skipped=True)]
    assert run.asked == [(SIREN, ("s1", "s2"))]
    ids = {"alert": run.alert(SIREN), "station": "s1"}
    run.now = 1.5
    run.happens(
        al.DeliverySent(**ids, path="mqtt", action="start", sequence=1),
        al.DeliveryEnergised(**ids, path="mqtt", remaining_s=60),
        al.DeliveryProven(**ids, path="mqtt"),
    )
    assert run.look() == []
    run.now = 62.0
    run.happens(al.DeliveryEnded(**ids, path="mqtt"))
    assert run.look() == [Result("s1", SIREN, True, "proven", 1.5)]
    run.happens(al.DeliveryExpired(alert=ids["alert"], station="s2"))
    assert run.look() == [Result("s2", SIREN, False, "not_sent"), Over(1, 1, 1)]
    assert "s3" not in run.state.tests.failed or not run.state.tests.failed["s3"]


def test_a_station_that_may_not_sound_for_a_test_is_not_tested_by_rule_and_has_not_failed() -> None:
    run = Run("sounding", ("s1",))
    run.look()
    ids = {"alert": run.alert(SIREN), "station": "s1", "path": "mqtt"}
    run.happens(al.DeliverySent(**ids, action="start", sequence=1), al.DeliveryRefused(**ids, reason="not_allowed"))
    run.happens(al.DeliveryFailed(alert=ids["alert"], station="s1", reason="not_allowed"))  # before the run has looked
    assert run.look() == [Result("s1", SIREN, False, "not_allowed", skipped=True), Over(0, 0, 1)]
    [line] = run.state.tests.runs[RUN].lines
    assert (line.good, line.bad, line.skipped) == (False, False, True)
    assert run.state.tests.failed["s1"] == {}


def test_a_rule_that_was_told_as_a_failure_before_is_one_no_longer_and_a_real_failure_stays() -> None:
    for reason, left in (("not_allowed", {}), ("no_answer", {SIREN})):
        run = Run("sounding", ("s1",))
        run.happens(st.StationTestResult(test="older", station="s1", path=SIREN, good=False, reason=reason))
        run.happens(
            st.StationTestResult(test=RUN, station="s1", path=SIREN, good=False, reason="not_allowed", skipped=True)
        )
        assert set(run.state.tests.failed["s1"]) == set(left)


def test_a_real_alert_stops_the_sirens_test_and_lets_no_silent_one_begin() -> None:
    run = Run("sounding", ("s1",))
    run.look()
    run.urgent = True
    assert run.look() == [Quit(run.alert(SIREN))]
    run.happens(al.AlertStopped(alert=run.alert(SIREN), via="rule"))
    assert run.look() == []
    run.happens(al.DeliveryCancelled(alert=run.alert(SIREN), station="s1"))
    assert run.look() == [Result("s1", SIREN, False, "alert_open", skipped=True), Over(0, 0, 1)]
    silent = Run()
    silent.urgent = True
    assert silent.look() == []
    assert silent.asked == []
    silent.urgent = False
    silent.look()
    assert len(silent.asked) == 2


def test_a_run_always_ends() -> None:
    run = Run()
    run.urgent = True
    run.now = 10 * 3600 + 1.0
    assert run.look()[-1] == Over(0, 4)
    gone = Run("silent", ("s1",))
    gone.ways = {}
    ways = ("gpio", "mqtt", "sms")
    assert gone.look() == [*(Result("s1", way, False, "not_in_site") for way in ways), Over(0, 3)]


def test_a_station_that_has_no_sms_fails_no_test_of_it() -> None:
    run = Run("silent", ("s1", "s2"))
    run.ways = {"s1": ("mqtt", "sms"), "s2": ("mqtt",)}
    run.urgent, run.now = True, 10 * 3600 + 1.0
    assert run.look()[-1] == Over(0, 3)


def test_a_night_of_tests_takes_no_real_alert_out_of_memory() -> None:
    run = Run("silent", ("s1",))
    run.happens(
        al.AlertIssued(
            alert="real", alert_kind="actual", pattern="wail", seconds=60, lifetime_s=300, incident_code=0,
            stations=("s1",), via="page",
        ),
        al.AlertEnded(alert="real"),
    )  # fmt: skip
    for n in range(50):
        run.happens(
            al.AlertIssued(
                alert=f"t{n}", alert_kind="silent_test", pattern="steady", seconds=10, lifetime_s=300, incident_code=0,
                stations=("s1",), via="rule", paths=("sms",), test=RUN,
            ),
            al.AlertEnded(alert=f"t{n}"),
        )  # fmt: skip
    assert "real" in run.state.alerts
    assert len(run.state.alerts) == 21
