"""Lines, texts and the clock as the page words them: what is known, what is not, and who may read it."""

import msgspec
import pytest
from fake_core import write_site
from scenes import SCENES

from appliance.alarm_view import AlarmView as Alarm
from appliance.clock import boot_id
from appliance.config import ZONES, Site, load_site
from appliance.figure import Figure
from appliance.model import OutgoingState
from appliance.stamp import Stamp
from appliance.view import View
from drivers.clock import Clock
from web.line_panel import line_details, line_inputs, line_panel
from web.message_page import counted
from web.message_panel import AGE_EVERY, message_inputs, message_mark, messages_panel
from web.moment_panel import moment_panel
from web.panels import PANELS, Drawer
from web.scene import Scene
from web.sparkline import WIDTH, sparkline
from web.words import Words, load_texts

CLOCK = Clock()
WORDS = {language: Words(language, load_texts(language), ZONES["WIT"]) for language in ("id", "en")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return load_site(write_site(tmp_path_factory.mktemp("site"), 8112))


def scene(site: Site, view: View, *, language: str = "id", live: bool = True, known: bool = True) -> Scene:
    return Scene(site, view, WORDS[language], CLOCK.now(), CLOCK.wall(), boot_id(), live, not live, known)


def drawn(site: Site, name: str, seen: Scene) -> str:
    panel = next(p for p in PANELS if p.name == name)
    html = Drawer().panel(panel, seen)
    assert "broken" not in html
    return " ".join(html.split())


def figure(value: float | str | None, unit: str = "", fresh: float = 1000.0) -> Figure:
    return Figure(value, unit, "good" if value is not None else "no_link", CLOCK.now(), fresh)


# The signal's hour


def test_one_minute_is_no_trend_and_unknown_minutes_are_gaps() -> None:
    assert sparkline(()) is None
    assert sparkline((-80, None, None)) is None
    spark = sparkline((-80, -81, None, -95, None, -70, -70))
    assert spark is not None
    assert (spark.low, spark.high, spark.last) == (-95, -70, -70)
    assert spark.path.count("M") == 3  # three stretches
    assert "h0M" in spark.path  # the lone minute is a dot


def test_the_newest_minute_is_at_the_right_and_nothing_leaves_the_drawing() -> None:
    spark = sparkline((-200, *range(-120, -30)))
    assert spark is not None
    places = [tuple(map(float, p.split())) for p in spark.path.replace("h0", "")[1:].split("L")]
    assert len(places) == WIDTH
    assert places[-1][0] == WIDTH - 1
    assert all(0 <= y <= 16 for _, y in places)
    short = sparkline((-80, -80))
    assert short is not None
    assert short.path.startswith(f"M{WIDTH - 2} ")


# Lines


def test_a_line_tells_who_carries_a_voice_and_its_last_proof_and_of_credit_only_what_is_wrong(site: Site) -> None:
    first, second, third = line_panel(scene(site, SCENES["worn"](CLOCK)))["lines"]
    assert (first.carrier, first.proof) == ("TELKOMSEL · VoLTE", "SMS 3 mnt lalu")
    assert first.credit.startswith("pulsa Rp 3.200 · habis sekitar 25/02")
    assert (second.carrier, second.proof) == ("XL · SMS saja", "belum ada bukti")
    assert second.credit == "pulsa tidak diketahui: tidak menjawab"
    assert (third.carrier, third.signal, third.spark, third.credit) == ("--- tanpa hubungan", "", None, "")
    assert "SIM meminta PIN" in third.mark.word
    for row in line_panel(scene(site, SCENES["calm"](CLOCK)))["lines"]:
        assert row.credit == ""


def test_without_core_a_line_shows_no_trend_and_its_proof_by_the_time_of_day(site: Site) -> None:
    row = line_panel(scene(site, SCENES["calm"](CLOCK), live=False))["lines"][0]
    assert row.spark is None
    assert "lalu" not in row.proof
    assert row.proof.count(":") == 2


@pytest.mark.parametrize(
    ("bearer", "technology", "told"),
    [("volte", "4g", "VoLTE"), ("2g", "2g", "2G"), ("2g", "3g", "3G"), ("sms_only", "4g", "texts only"),
     ("none", "4g", "no network"), (None, "4g", "LTE"), (None, None, "")],
)  # fmt: skip
def test_a_bearer_is_a_word_and_where_it_is_not_said_the_technology_stands(
    site: Site, bearer: str | None, technology: str | None, told: str
) -> None:
    view = SCENES["calm"](CLOCK)
    view.lines[0].bearer, view.lines[0].technology = figure(bearer), figure(technology)
    row = line_panel(scene(site, view, language="en"))["lines"][0]
    assert row.carrier == " · ".join(filter(None, ["TELKOMSEL", told]))


def test_details_hide_a_number_without_login_and_are_the_same_a_second_later(site: Site) -> None:
    view = SCENES["worn"](CLOCK)
    told = dict(line_details(scene(site, view, language="en"))["details"][0].told)
    assert (told["Number"], told["Credit"], told["Valid until"]) == ("+62 000 0000 1", "Rp 3,200", "02/03/2027")
    assert "+62 000" not in drawn(site, "line-details", scene(site, view, known=False))
    later = msgspec.structs.replace  # of nothing but the moment
    now = scene(site, view)
    after = Scene(
        site, later(view, at=view.at + 1), now.words, now.now + 1, now.wall + 1, now.boot, now.live, now.history, True
    )
    assert drawn(site, "line-details", now) == drawn(site, "line-details", after)


def test_a_line_is_not_drawn_anew_because_its_modem_was_asked_again() -> None:
    before, after = SCENES["calm"](CLOCK), SCENES["calm"](CLOCK)
    line = after.lines[0]
    line.link = before.lines[0].link
    line.proof = before.lines[0].proof
    for name in ("operator", "credit"):
        found: Figure = getattr(line, name)
        setattr(line, name, msgspec.structs.replace(found, at=found.at + 10.0))
    assert line_inputs(after)[0] == line_inputs(before)[0]
    line.signal_dbm = figure(-99, "dBm", 30)
    assert line_inputs(after)[0] != line_inputs(before)[0]


# Texts


def test_both_ways_are_one_list_with_the_newest_first(site: Site) -> None:
    rows = messages_panel(scene(site, SCENES["blackout"](CLOCK)))["messages"]
    assert [row.way for row in rows] == ["out", "in", "out", "in", "out"]
    assert [row.age for row in rows] == ["baru saja", "1 mnt lalu", "5 mnt lalu", "6 mnt lalu", "15 mnt lalu"]
    failed = rows[2]
    assert failed.mark is not None
    assert (failed.mark.shape, failed.mark.word, failed.mark.tone) == ("bad", "TIDAK SAMPAI: kedaluwarsa", "p2")
    assert (failed.again, failed.resend) == ("mungkin terkirim dua kali", True)
    assert rows[1].reply == "+6281344445555"


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_state_of_a_text_has_a_shape_and_a_word_of_its_own(site: Site, language: str) -> None:
    [text, *_] = SCENES["blackout"](CLOCK).outgoing
    seen = scene(site, SCENES["blackout"](CLOCK), language=language)
    marks = [message_mark(seen, msgspec.structs.replace(text, state=state)) for state in OutgoingState]
    assert len({m.shape for m in marks}) == len({m.word for m in marks}) == len(OutgoingState)
    assert [m.word for m in marks if m.word in list(OutgoingState)] in ([], ["delivered"])
    assert {m.tone for m in marks} == {"", "p2"}  # colour for what failed alone
    later = message_mark(seen, msgspec.structs.replace(text, state="flown"))
    assert (later.shape, later.word) == ("unknown", "flown")  # of a later release


def test_without_core_a_text_on_its_way_is_not_known_to_be_so(site: Site) -> None:
    rows = messages_panel(scene(site, SCENES["blackout"](CLOCK), live=False))["messages"]
    marks = [row.mark for row in rows if row.mark]
    assert [m.shape for m in marks] == ["unknown", "bad", "ok"]
    assert marks[0].word == "terakhir diketahui: sedang dikirim"
    assert {row.age for row in rows} == {""}


def test_without_login_no_text_and_no_number_is_in_the_html(site: Site) -> None:
    html = drawn(site, "messages", scene(site, SCENES["blackout"](CLOCK), known=False))
    for secret in ("Siwalima", "Pohon", "4444", "5050", "data-write"):
        assert secret not in html
    assert "TIDAK SAMPAI" in html  # how it stands is for everybody


def test_a_failed_text_is_counted_above_the_list_while_its_alarm_stands(site: Site) -> None:
    view = SCENES["blackout"](CLOCK)
    assert "1 tidak sampai" in drawn(site, "messages", scene(site, view))
    before = message_inputs(view)
    view.alarms = [a for a in view.alarms if a.alarm != "sms.undelivered"]
    assert message_inputs(view) != before
    assert "1 tidak sampai" not in drawn(site, "messages", scene(site, view))


def test_the_list_is_drawn_anew_for_ages_a_few_times_a_minute_only() -> None:
    view = SCENES["blackout"](CLOCK)
    began = view.at
    seen = set()
    for second in range(60):
        view.at = began + second
        seen.add(repr(message_inputs(view)))
    assert 60 / AGE_EVERY <= len(seen) <= 60 / AGE_EVERY + 1


@pytest.mark.parametrize(
    ("text", "parts", "said"),
    [("a" * 160, 1, ""), ("a" * 161, 2, ""), ("€" * 80, 1, ""), ("a" * 69 + "’", 1, "’"), ("a" * 70 + "’", 2, "’")],
)
def test_a_text_is_counted_as_it_will_be_sent(text: str, parts: int, said: str) -> None:
    told, tone = counted(WORDS["id"], text)
    assert told.startswith(f"{len(text)} huruf, {parts} SMS")
    assert ("huruf ’ membuat" in told) == bool(said)
    assert tone == ("warn" if parts > 1 else "")


@pytest.mark.parametrize("text", ["a" * 1531, "a" * 4001, "\ud800"])
def test_what_would_not_be_taken_is_said_while_it_is_written(text: str) -> None:
    assert counted(WORDS["en"], text)[1] == "bad"


# The clock


def test_the_clock_is_told_to_be_off_only_where_the_networks_are_believed(site: Site) -> None:
    def off(offset: float | None, quality: str, *, live: bool = True) -> dict[str, str]:
        view = SCENES["calm"](CLOCK)
        view.clock_quality, view.clock_offset = quality, figure(offset, "s")
        return moment_panel(scene(site, view, live=live))

    assert off(192.0, "unknown") == {"off": "jam lambat 3 mnt 12 dtk", "tone": "p3"}
    assert off(-40.0, "held") == {"off": "jam cepat 40 dtk", "tone": ""}
    nothing = {"off": "", "tone": ""}
    assert off(4.0, "held") == off(192.0, "ntp") == off(None, "held") == off(192.0, "unknown", live=False) == nothing


def test_an_alarm_of_another_line_is_not_told_at_this_one(site: Site) -> None:
    view = SCENES["calm"](CLOCK)
    view.alarms = [Alarm("line.credit_low", "l2", 3, Stamp(1, CLOCK.wall(), CLOCK.now(), boot_id(), ""))]
    assert [bool(row.credit) for row in line_panel(scene(site, view))["lines"]] == [False, True, False]
