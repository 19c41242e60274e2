"""The telephone in a real browser: an operator without a mouse, counters that run, notes that are not lost."""

import asyncio
from typing import Any

import pytest
from call_scenes import without_ghost
from page_box import Box, Tab, until

from appliance.desk_view import DeskView
from appliance.view import View
from drivers.jsonsocket import Refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")


def calls(box: Box) -> list[dict[str, Any]]:
    """Orders about calls, without who gave them."""
    return [
        {k: v for k, v in o.items() if k != "actor"} for o in box.core.orders if o["do"].partition(".")[0] == "call"
    ]


async def show(tab: Tab, scene: str) -> None:
    """Another scene, and wait until its cards stand."""
    before = await tab.text("#phone-calls")
    tab.box.core.scene = scene
    tab.box.core.push()
    await until(lambda: _changed(tab, before))


async def _changed(tab: Tab, before: str) -> bool:
    return await tab.text("#phone-calls") != before


async def test_a_call_is_taken_talked_and_ended_by_the_keyboard_alone(tab: Tab) -> None:
    """Ring, answer next, note, mark, hold, mute, keypad, transfer, hang up: focus is always to be seen."""
    box, press = tab.box, tab.page.keyboard.press
    box.core.scene = "queue"
    await tab.open()
    await press("F2")
    assert await tab.page.evaluate("document.activeElement.id") == "phone"
    await press("Space")
    await until(lambda: calls(box) == [{"do": "call.next", "talk": "headset"}])

    await show(tab, "talking")
    box.core.orders.clear()
    assert await tab.page.evaluate("document.activeElement.id") == "phone"  # not lost with the call's own button
    for key, wanted in (
        ("h", {"do": "call.hold", "line": "l1"}),
        ("s", {"do": "call.swap", "line": "l1"}),
        ("j", {"do": "call.join", "line": "l1"}),
        ("m", {"do": "call.mute", "line": "l1", "on": True}),
        ("Enter", {"do": "call.next", "talk": "headset"}),
    ):
        await press(key)
        await until(lambda wanted=wanted: calls(box)[-1:] == [wanted])  # type: ignore[misc]
    await tab.page.wait_for_selector("#muted:visible")
    assert await tab.text("#muted") == "ANDA BISU"
    await tab.page.reload()
    await tab.page.wait_for_selector("#muted:visible")  # as core has it: a reload forgets nothing
    await tab.streams()
    await press("F2")
    await press("m")
    await until(lambda: calls(box)[-1] == {"do": "call.mute", "line": "l1", "on": False})
    await until(lambda: tab.page.is_hidden("#muted"))

    box.core.orders.clear()
    await press("n")
    await tab.page.keyboard.type(" hm, dekat masjid")  # h and m are letters here
    await press("Enter")
    await until(lambda: len(calls(box)) == 1)
    assert calls(box)[0]["do"] == "call.note"
    assert calls(box)[0]["text"].endswith("hm, dekat masjid")

    box.core.orders.clear()
    await press("k")
    await tab.page.keyboard.type("12#")
    await until(lambda: len(calls(box)) == 3)
    assert [o["keys"] for o in calls(box)] == ["1", "2", "#"]
    assert await tab.text("#pressed") == "12#"
    await press("Escape")

    await until(lambda: tab.page.evaluate("document.activeElement.id === 'phone'"))
    await press("t")
    await tab.page.keyboard.type("silo")
    await press("ArrowDown")
    await press("Enter")
    await until(lambda: calls(box)[-1] == {"do": "call.transfer", "line": "l1", "to": "siloam"})

    await until(lambda: tab.page.evaluate("document.activeElement.id === 'phone'"))
    await press("Delete")
    await until(lambda: calls(box)[-1] == {"do": "call.hang_up", "line": "l1", "call": "ca000020"})


async def test_letters_are_keys_on_the_telephone_alone(tab: Tab) -> None:
    tab.box.core.scene = "talking"
    await tab.open()
    for where in ("#siren", "body"):
        await tab.page.evaluate(f"document.querySelector('{where}').focus()")
        for key in ("h", "m", "Delete", "j"):
            await tab.page.keyboard.press(key)
    await tab.page.click("[popovertarget=write]")
    await tab.page.keyboard.type("hmsjktnd")
    await asyncio.sleep(0.2)
    assert calls(tab.box) == []


async def test_a_number_is_called_once_and_an_emergency_number_is_refused_in_words(tab: Tab) -> None:
    box, press = tab.box, tab.page.keyboard.press
    box.core.scene = "idle"
    await tab.open()
    await press("F2")
    await press("d")
    box.core.answers["call.dial"] = Refusal("bad_number", "112 is an emergency number.")
    await tab.page.keyboard.type("112")
    await press("Enter")
    await tab.shows("#book-said", "TIDAK ditelepon")
    del box.core.answers["call.dial"]
    await tab.page.fill("#book [name=to]", "0812 5550-1234")
    await press("Enter")
    await tab.shows("#phone-said", "Menelepon 081 2555 0123 4")
    await tab.page.click("#back-ca000001 [data-dial]")
    await until(lambda: len(calls(box)) == 3)
    first, second, third = calls(box)
    assert (first["to"], second["to"]) == ("112", "081255501234")
    assert first["key"] != second["key"]
    assert (third["to"], third["call_back"], third["talk"]) == ("+6281311112222", "ca000001", "headset")


async def test_a_telephone_key_is_never_sent_twice(tab: Tab) -> None:
    """An order with a key is asked for again when its answer is lost; this one is not."""
    asked = 0

    async def lose(route: Any) -> None:
        nonlocal asked
        asked += 1
        await route.abort()

    tab.box.core.scene = "talking"
    await tab.open()
    await tab.page.route("**/call/keys", lose)
    await tab.page.keyboard.press("F2")
    await tab.page.keyboard.press("k")
    await tab.page.keyboard.press("5")
    await tab.shows("#keypad-said", "TIDAK DILAKUKAN")
    await asyncio.sleep(0.7)
    assert asked == 1


async def test_counters_run_by_themselves_and_are_blank_when_the_box_is_gone(tab: Tab) -> None:
    tab.box.core.scene = "queue"
    await tab.open()
    shown = "#card-ca000010 .wait"

    async def seconds() -> int:
        minutes, _, rest = (await tab.text(shown)).partition(":")
        return int(minutes) * 60 + int(rest)

    async def counts() -> bool:
        return await seconds() >= 17

    await until(counts)  # the scene's caller waits for 17 s; a page is behind that by its way, and counts on by itself
    await tab.page.wait_for_selector("#card-ca000010 .wait[data-own-late]")
    assert await tab.page.locator("#card-ca000012 .wait[data-own-late]").count() == 0
    await tab.box.stop_core()
    await tab.shows("#phone-calls", "Core tidak menjawab")
    assert await tab.page.locator("[data-enter]").count() == 0
    await tab.box.start_core()
    await tab.shows("#phone-calls", "Jawab berikutnya")


async def test_a_note_saves_itself_and_is_kept_until_core_has_it(tab: Tab) -> None:
    def calm_caller(view: View) -> None:
        without_ghost(view)

    tab.box.core.scene, tab.box.core.change = "talking", calm_caller
    tab.box.core.answers["call.note"] = Refusal("busy", "Disk.")
    await tab.open()
    await tab.page.fill("#note-ca000020", "Kebakaran gudang")
    await tab.shows("#phone-said", "Catatan BELUM tersimpan")
    assert await tab.page.locator("#note-ca000020[data-own-unsaved]").count() == 1
    del tab.box.core.answers["call.note"]
    await tab.shows("#phone-said", "Catatan tersimpan")
    assert calls(tab.box)[-1] == {"do": "call.note", "call": "ca000020", "text": "Kebakaran gudang"}
    assert await tab.page.input_value("#note-ca000020") == "Kebakaran gudang"


async def test_the_other_persons_call_is_told_and_its_buttons_are_not_in_the_way(tab: Tab) -> None:
    tab.box.core.scene = "talking"
    await tab.open()
    assert await tab.page.is_visible("#card-ca000020 .acts")
    assert not await tab.page.is_visible("#card-ca000022 .acts")
    assert "sari, headset" in await tab.text("#card-ca000022")
    assert await tab.page.is_visible("#card-ca000019")  # budi's own, just over


async def test_neither_a_key_nor_another_place_touches_another_persons_call(tab: Tab) -> None:
    def only_saris(view: View) -> None:
        view.calls = [call for call in view.calls if call.taken and call.taken.actor == "sari"]
        for line in view.lines[:2]:
            line.call, line.calls = None, []
        view.desk = DeskView()

    tab.box.core.scene, tab.box.core.change = "talking", only_saris
    await tab.open()
    await tab.shows("#phone-calls", "sari, headset")
    await tab.page.keyboard.press("F2")
    for key in ("Delete", "h", "m", "s", "j", "k", "t"):
        await tab.page.keyboard.press(key)
    await tab.page.select_option("#phone-place", "")
    await tab.page.keyboard.press("F2")
    await tab.page.keyboard.press("d")
    await tab.page.wait_for_selector("#book:popover-open")
    await tab.page.keyboard.type("0811 555")
    await tab.page.keyboard.press("Enter")
    await until(lambda: bool(calls(tab.box)))
    assert [order["do"] for order in calls(tab.box)] == ["call.dial"]


@pytest.mark.parametrize("path", ["", "wallboard", "calls", "calls/figures"])
async def test_every_page_of_calls_fits_its_screens(tab: Tab, path: str) -> None:
    tab.box.core.scene = "queue"
    await tab.open(path)
    for width, height in ((1366, 768), (1920, 1080)):
        await tab.page.set_viewport_size({"width": width, "height": height})
        assert await tab.page.evaluate("document.documentElement.scrollHeight") == height
        assert await tab.page.evaluate("document.documentElement.scrollWidth") == width
    await tab.page.set_viewport_size({"width": 390, "height": 844})
    assert await tab.page.evaluate("document.documentElement.scrollWidth") == 390


async def test_the_wallboard_follows_by_its_own_stream(tab: Tab) -> None:
    tab.box.core.scene = "idle"
    await tab.open("wallboard")
    await tab.shows(".queue", "tidak ada yang menunggu")
    assert await tab.page.locator("#power, #phone").count() == 0
    tab.box.core.scene = "queue"
    tab.box.core.push()
    await tab.shows(".queue", "3 menunggu")


async def test_a_recording_is_played_in_parts_by_who_may_and_refused_in_words(tab: Tab) -> None:
    box = tab.box
    box.core.scene = "idle"
    await tab.open()
    folder = box.where.state / "recordings"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "x.flac").write_bytes(bytes(range(256)) * 8)
    box.core.answers["call.recording"] = {"file": "recordings/x.flac"}
    url = box.url + "recordings/cb000117"
    part = await tab.page.request.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status, await part.body()) == (206, bytes(range(10, 20)))
    assert part.headers["content-type"] == "audio/flac"
    assert box.core.orders[-1]["do"] == "call.recording"

    box.core.answers["call.recording"] = Refusal("role", "Not yours.")
    await tab.page.goto(box.url + "calls")
    await tab.page.click("[data-play] >> nth=0")
    await tab.shows("#player-said", "Rekaman ini bukan untuk Anda")

    box.core.answers["call.recording"] = Refusal("changed", "Not what was recorded.")
    await tab.page.click("[data-play] >> nth=0")
    await tab.shows("#player-said", "BUKAN seperti direkam")
    await tab.page.click("#player-anyway")
    await until(lambda: box.core.orders[-1].get("anyway") is True)
    assert "BUKAN seperti direkam" in await tab.text("#player-said"), "it stays written while it is heard"
    assert all("media" not in said for said in tab.faults)
