"""The telephone, the wallboard, the call log as they are drawn: what is told, to whom, and what is not drawn at all."""

import re

import msgspec
import pytest
from call_scenes import ALL_SCENES, HALONG, PATTY, TODAY, call_figures, call_log
from fake_core import write_site

from appliance.call_commands import CallCommand
from appliance.clock import boot_id
from appliance.config import ZONES, Site, load_site
from appliance.desk_view import DeskView
from appliance.model import CallPhase
from appliance.view import View
from drivers.clock import Clock
from drivers.jsonsocket import Message
from web.call_orders import CALL_ORDERS, call_command
from web.call_page import call_figures as figures_page
from web.call_page import call_list, filters_of
from web.callback_panel import callbacks_panel
from web.panels import ELSEWHERE, FRAME, OVERVIEW, PANELS, Drawer
from web.phone_panel import AFTER_S, Card, phone_inputs, phone_panel
from web.recordings import _below
from web.scene import Scene
from web.session import Who
from web.wall_panel import wall_inputs, wall_panel
from web.words import Words, load_texts

CLOCK = Clock()
WORDS = {language: Words(language, load_texts(language), ZONES["WIT"]) for language in ("id", "en")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return load_site(write_site(tmp_path_factory.mktemp("site"), 8112))


def scene(site: Site, name: str | View, *, language: str = "id", live: bool = True, known: bool = True) -> Scene:
    view = ALL_SCENES[name](CLOCK) if isinstance(name, str) else name
    return Scene(site, view, WORDS[language], CLOCK.now(), CLOCK.wall(), boot_id(), live, not live, known)


def drawn(name: str, seen: Scene) -> str:
    html = Drawer().panel(next(p for p in PANELS if p.name == name), seen)
    assert "broken" not in html
    return " ".join(html.split())


def cards(seen: Scene) -> list[Card]:
    told = phone_panel(seen)
    return [*told["waiting"], *told["cards"]]


# The telephone


def test_who_waits_longest_stands_first_and_is_the_one_that_is_answered_next(site: Site) -> None:
    rings = phone_panel(scene(site, "queue"))["waiting"]
    assert [(c.line, c.seconds) for c in rings] == [("l1", 17), ("l2", 9), ("l2", 3)]
    assert [c.first for c in rings] == [True, False, False]
    html = drawn("phone-calls", scene(site, "queue"))
    assert html.count("data-enter") == 1
    assert "Jawab berikutnya" in html
    assert html.index("/call/next") < html.index("/call/answer")


def test_a_ring_tells_what_is_known_of_the_caller(site: Site) -> None:
    first, second, third = phone_panel(scene(site, "queue"))["waiting"]
    assert first.history == "2 panggilan lalu"
    assert "dijawab · Darurat · 1 perintah sirene · “Pohon tumbang”" in first.past[0]
    assert (second.number, second.history) == ("nomor tidak dikirim", "")
    assert third.history == "2× ditandai iseng · 5 panggilan lalu"
    assert "di belakang panggilan lain" in third.detail


def test_a_box_without_a_desk_still_shows_each_ring(site: Site) -> None:
    [ring] = phone_panel(scene(site, "blackout"))["waiting"]
    assert (ring.line, ring.number, ring.first) == ("l1", "+62 812 5550 4471", True)


def test_each_call_says_where_it_is_talked_and_by_whom(site: Site) -> None:
    told = {c.line + c.kind: c for c in cards(scene(site, "talking"))}
    assert told["l1talking"].detail == "Saluran 1 · budi, browser"
    assert told["l3talking"].detail == "Saluran 3 · sari, headset di kotak"
    assert told["l1held"].others
    assert told["l1held"].name == "Pos Halong"
    assert told["l2after"].back == "+6281344445555"
    assert [c.kind for c in cards(scene(site, "talking"))] == ["waiting", "talking", "talking", "held", "after"]


def test_a_silent_caller_is_offered_as_a_ghost_and_nobody_else(site: Site) -> None:
    assert [c.line for c in cards(scene(site, "talking")) if c.ghost] == ["l1"]
    assert 'data-then="/call/hangup"' in drawn("phone-calls", scene(site, "talking"))
    assert "ghost" not in drawn("phone-calls", scene(site, "queue")).replace('"mark": "ghost"', "")


def test_a_call_stays_a_while_after_its_end_for_its_note_and_then_leaves(site: Site) -> None:
    view = ALL_SCENES["talking"](CLOCK)
    before = phone_inputs(view)
    assert any(c.kind == "after" for c in cards(scene(site, view)))
    view.at += AFTER_S
    assert phone_inputs(view) != before
    assert not any(c.kind == "after" for c in cards(scene(site, view)))


def test_without_core_no_call_is_shown_as_if_it_were_and_the_panel_says_so(site: Site) -> None:
    html = drawn("phone-calls", scene(site, "talking", live=False))
    assert "Core tidak menjawab" in html
    assert "data-call=" not in html
    assert "Tidak ada panggilan" not in html


def test_without_login_numbers_names_and_notes_are_hidden_and_nothing_can_be_pressed(site: Site) -> None:
    for name in ("queue", "talking"):
        seen = scene(site, name, known=False)
        html = drawn("phone-calls", seen) + drawn("callbacks", seen)
        for secret in ("4471", "3333", "Patty", "Pohon", "Pos Halong"):
            assert secret not in html.replace("…471", "").replace("…333", "")
        buttons = re.findall(r"<(?:button|input)[^>]*>", html)
        assert buttons
        assert all("disabled" in button for button in buttons)


def test_a_line_that_is_talked_on_is_not_free(site: Site) -> None:
    told = phone_panel(scene(site, "talking"))
    assert (told["free"], told["full"]) == ("0 dari 3 saluran bebas", True)
    assert phone_panel(scene(site, "idle"))["free"] == "3 dari 3 saluran bebas"


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("name", sorted(ALL_SCENES))
def test_every_scene_is_drawn_in_both_languages_and_without_core(site: Site, name: str, language: str) -> None:
    for live in (True, False):
        for panel in ("phone-calls", "callbacks", "wall", "lines"):
            drawn(panel, scene(site, name, language=language, live=live))


@pytest.mark.parametrize("phase", [p for p in CallPhase if p not in (CallPhase.ENDED, CallPhase.MISSED)])
def test_every_phase_of_a_call_is_a_card(site: Site, phase: CallPhase) -> None:
    view = ALL_SCENES["talking"](CLOCK)
    view.desk = DeskView()
    view.calls = []
    call = view.lines[0].call
    assert call
    call.phase = phase
    view.lines[1].call = view.lines[2].call = None
    [card] = cards(scene(site, view))
    assert card.mark.word != phase or phase in ("held", "joined")
    drawn("phone-calls", scene(site, view))


def test_counting_costs_no_drawing() -> None:
    """A second that passes changes no input: the page counts by itself."""
    for name in ("queue", "talking", "idle"):
        view = ALL_SCENES[name](CLOCK)
        before = msgspec.json.encode([phone_inputs(view), wall_inputs(view)])
        view.at += 1.0
        assert msgspec.json.encode([phone_inputs(view), wall_inputs(view)]) == before


def test_words_of_strangers_stay_words_in_buttons_too(site: Site) -> None:
    evil = "'\"><script>alert(1)</script>"
    view = ALL_SCENES["talking"](CLOCK)
    call = view.lines[0].call
    assert call
    call.note = call.line = call.number = evil
    html = drawn("phone-calls", scene(site, view))
    assert "<script>" not in html


# Lists of the desk


def test_an_abandoned_call_is_one_press_away(site: Site) -> None:
    told = callbacks_panel(scene(site, "idle"))
    assert [(b.number, b.told[:2], b.to) for b in told["backs"]] == [
        ("+62 813 1111 2222", "2×", "+6281311112222"),
        ("+62 852 4444 3333", told["backs"][1].told[:2], HALONG),
    ]
    assert 'data-call-back="ca000001"' in drawn("callbacks", scene(site, "idle"))


def test_a_block_can_be_undone_where_it_is_told(site: Site) -> None:
    html = drawn("callbacks", scene(site, "talking"))
    assert "oleh supervisor" in html
    assert "/caller/unblock" in html
    assert "/caller/block" in html  # offered after three pranks


# The wallboard


def test_the_wallboard_counts_and_names_nobody(site: Site) -> None:
    html = drawn("wall", scene(site, "queue"))
    told = wall_panel(scene(site, "queue"))
    assert (told["waiting"], told["longest_s"]) == (3, 17)
    assert [(c.text, c.low) for c in told["counts"]] == [
        ("214", False), ("203", False), ("11", False), ("87 %", True), ("93 %", False)
    ]  # fmt: skip
    for secret in (PATTY[-4:], HALONG[-4:], "budi"):
        assert secret not in html


def test_the_wallboard_without_core_or_figures_claims_nothing(site: Site) -> None:
    view = ALL_SCENES["queue"](CLOCK)
    told = wall_panel(scene(site, view, live=False))
    assert told["waiting"] is None
    assert {c.text for c in told["counts"]} == {"---"}
    assert {t.mark.shape for t in told["lines"]} == {"unknown"}
    assert view.desk
    view.desk = msgspec.structs.replace(view.desk, today=None)
    assert {c.text for c in wall_panel(scene(site, view))["counts"]} == {"---"}


def test_a_goal_that_is_missed_by_a_hair_never_looks_reached() -> None:
    assert WORDS["id"].percent(0.8999) == "89 %"
    assert WORDS["id"].percent(0.9) == "90 %"


def test_a_page_gets_only_its_own_panels() -> None:
    assert not {"wall", "fallback-card", "own", "stations-board", "tests-board", "orders-board"} & OVERVIEW
    assert FRAME | {"events"} == OVERVIEW & ELSEWHERE
    assert {p.name for p in PANELS} == OVERVIEW | ELSEWHERE


# Orders


def test_every_path_makes_a_command_that_core_understands() -> None:
    given = {
        "line": "l1", "call": "ca", "talk": "headset", "to": "rsud", "keys": "12#", "on": "1", "text": "x",
        "mark": "prank", "number": "+62811", "hours": "24", "reason": "busy", "other": "l2", "key": "k",
        "call_back": "",
    }  # fmt: skip
    for path in CALL_ORDERS:
        command: Message = call_command(path, given)
        msgspec.convert(command, CallCommand)
    assert call_command("/call/mute", {"line": "l1", "on": "0"})["on"] is False
    with pytest.raises(ValueError, match="invalid literal"):
        call_command("/caller/block", {"number": "1", "hours": "x"})


# Log, indicators, recordings


class Answers:
    """A core that answers what a test says and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Message] = []

    async def ask(self, message: Message, within: float = 0.0) -> object:
        self.asked.append(message)
        return {"call.list": call_log, "call.figures": call_figures}[message["do"]](CLOCK, message)


async def test_the_log_is_paged_and_its_filters_stay_in_the_links(site: Site) -> None:
    core, seen = Answers(), scene(site, "idle")
    told = await call_list(core, seen, "t", {"outcome": "answered", "number": "0812-55 50"})  # type: ignore[arg-type]
    assert core.asked[0]["number"] == "08125550"
    assert "before" not in core.asked[0]
    told = await call_list(core, seen, "t", {"outcome": "answered"})  # type: ignore[arg-type]
    assert len(told["rows"]) == 50
    assert told["older"] == f"?outcome=answered&before={told['rows'][-1].id}"
    more = await call_list(core, seen, "t", {"outcome": "answered", "before": told["rows"][-1].id})  # type: ignore[arg-type]
    assert len(more["rows"]) == 10
    assert (more["older"], more["newest"]) == ("", "?outcome=answered")
    html = Drawer().page("calls.html", seen, FRAME_FIELDS | told)
    assert html.count("data-play") == sum(row.parts for row in told["rows"]) > 0


FRAME_FIELDS = {
    "page": "calls", "pages": ("calls",), "lines": True, "only": "",
    "panels": {"alarms": "", "fallback": "", "moment": ""},
    "who": Who(),
    "may_order": False, "theme": "", "languages": ("id",), "print": "", "simulated": False,
}  # fmt: skip


async def test_without_login_neither_log_nor_indicators_are_asked_for(site: Site) -> None:
    core, seen = Answers(), scene(site, "idle", known=False)
    for page in (call_list, figures_page):
        assert (await page(core, seen, "", {}))["fault"] == "login"  # type: ignore[arg-type]
    assert core.asked == []


async def test_a_month_has_its_days_and_a_missed_goal_is_marked(site: Site) -> None:
    core = Answers()
    told = await figures_page(core, scene(site, "idle", language="en"), "t", {"period": "2026-11"})  # type: ignore[arg-type]
    first = told["told"][0]
    assert first == ("Answered in 10 s", "87 %", "goal 90 %", True)
    assert len(told["bars"]) == 22
    assert told["bars"][0].in_10.low
    assert not told["bars"][7].in_10.low
    assert TODAY.mean_s == 6.4
    assert ("Mean wait", "6.4 s", "", False) in told["told"]


def test_a_day_wins_over_a_month() -> None:
    assert filters_of({"day": "2026-11-22", "month": "2026-11"})["month"] == ""


def test_only_a_file_of_sound_below_the_folder_is_played(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("state")
    (folder / "recordings").mkdir()
    (folder / "recordings" / "a.flac").write_bytes(b"x")
    (folder / "journal.db").write_bytes(b"x")
    outside = folder.parent / "b.flac"
    outside.write_bytes(b"x")
    assert _below(folder, {"file": "recordings/a.flac"}) == (folder / "recordings" / "a.flac").resolve()
    for name in ("journal.db", "../b.flac", str(outside), "", None, "recordings", "recordings/none.flac", 7):
        assert _below(folder, {"file": name}) is None
