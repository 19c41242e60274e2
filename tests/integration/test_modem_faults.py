"""The real driver against simulated modems that misbehave: it ends healthy or in a state that says what is wrong."""

from pathlib import Path

import pytest
from modem_trials import MODELS, SENDER, Trial, tried

from drivers.modem.errors import LinkLost, SmsFailed
from drivers.modem.events import InitRefused, PortLost, PortUp, RecoveryStep, SmsReport

PROFILE_OF = {
    "quectel": "Quectel EG25-G",
    "simcom": "SIMCom SIM7600",
    "sim800": "SIMCom SIM800",
    "huawei": "Huawei E-series",
}
EVERY = pytest.mark.parametrize("name", MODELS)


async def carries_messages(trial: Trial) -> None:
    """Both ways, with the report of what was sent."""
    await trial.until_healthy()
    text = f"masuk {len(trial.events)}"
    (reference,) = await trial.modem.send_sms(SENDER, "keluar", report=True)
    await trial.text(text)
    await trial.until_texts(text)
    await trial.until(lambda: reference in [told.report.mr for told in trial.all(SmsReport)], "reported as delivered")


@EVERY
def test_each_make_is_recognised_with_its_profile(tmp_path: Path, name: str) -> None:
    async def story(trial: Trial) -> None:
        up = await trial.until_kind(PortUp)
        assert (up.identity.profile, up.identity.imei) == (PROFILE_OF[name], "867698040000001")
        await carries_messages(trial)
        assert trial.modem.status.technology == ("2g" if name in ("sim800", "huawei") else "4g")
        assert trial.all(InitRefused) == []

    tried(tmp_path, name, story)


@EVERY
def test_chatter_on_a_torn_line_is_taken_for_no_answer(tmp_path: Path, name: str) -> None:
    async def prepare(trial: Trial) -> None:
        await trial.turn("modem.chatter")
        await trial.turn("modem.split")

    async def story(trial: Trial) -> None:
        up = await trial.until_kind(PortUp)
        assert (up.identity.profile, up.identity.imei) == (PROFILE_OF[name], "867698040000001")
        assert up.identity.model in ("EG25", "SIMCOM_SIM7600G-H", "SIMCOM_SIM800L", "E173")
        await carries_messages(trial)
        assert trial.all(PortLost) == []

    tried(tmp_path, name, story, prepare=prepare)


@EVERY
def test_a_reset_makes_the_driver_initialise_again(tmp_path: Path, name: str) -> None:
    async def story(trial: Trial) -> None:
        await carries_messages(trial)
        await trial.turn("modem.reset")
        await trial.until_kind(PortLost)
        await trial.until_kind(PortUp, 2)
        await carries_messages(trial)

    tried(tmp_path, name, story)


def test_a_restart_told_by_the_word_alone_is_noticed(tmp_path: Path) -> None:
    """A SIM800 keeps its port through a reset; between two questions only RDY tells of it."""

    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        asked = len(await trial.typed())
        await trial.turn("modem.reset")
        await trial.until_kind(PortUp, 2)
        assert "ATE0" in (await trial.typed())[asked:]
        await trial.until_healthy()

    tried(tmp_path, "sim800", story)


@pytest.mark.parametrize("style", ["bare", "quoted", "spaces", "missing_quote", "no_technology", "unasked_place"])
def test_registration_is_understood_however_it_is_written(tmp_path: Path, style: str) -> None:
    async def story(trial: Trial) -> None:
        status = await trial.until_healthy()
        assert (status.operator, status.technology, status.signal_dbm) == ("TELKOMSEL", "4g", -69)

    async def prepare(trial: Trial) -> None:
        await trial.turn("modem.creg_style", style=style)

    tried(tmp_path, "quectel", story, prepare=prepare)


def test_a_slow_line_and_garbage_on_it_lose_no_message(tmp_path: Path) -> None:
    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        await trial.turn("modem.slow", ms_per_byte=5)
        await trial.text("satu")
        await trial.turn("modem.garbage", count=3000)
        await trial.text("dua")
        await trial.turn("modem.garbage", count=64)
        await trial.until_texts("satu", "dua")
        await trial.until_healthy()

    tried(tmp_path, "quectel", story)


def test_a_mute_modem_is_told_as_lost_and_its_messages_come_when_it_speaks(tmp_path: Path) -> None:
    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        await trial.turn("modem.mute")
        await trial.text("bisu")
        await trial.until_kind(PortLost)
        assert not trial.modem.up
        await trial.turn("modem.mute", on=False)
        await trial.until_kind(PortUp, 2)
        await trial.until_texts("bisu")

    tried(tmp_path, "simcom", story)


@pytest.mark.parametrize("command", ["AT+CSQ", "AT+CLCC", "AT+CPIN?"])
def test_a_late_result_costs_a_look_and_no_more(tmp_path: Path, command: str) -> None:
    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        await trial.turn("modem.late", command=command, seconds=12)
        await trial.turn("modem.deny")
        await trial.until(lambda: trial.modem.up and trial.modem.status.registration == "denied", "denied")
        await trial.turn("modem.deny", on=False)
        await carries_messages(trial)

    tried(tmp_path, "quectel", story)


@pytest.mark.parametrize(("command", "at"), [("AT+CMGR", "middle"), ("AT+CMGL", "middle"), ("AT+CREG?", "middle")])
def test_a_reset_inside_an_answer_loses_no_message(tmp_path: Path, command: str, at: str) -> None:
    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        await trial.turn("modem.reset_in", command=command, at=at)
        await trial.text("tetap")
        await trial.until_kind(PortUp, 2)
        await trial.until_texts("tetap")
        await trial.until_healthy()

    tried(tmp_path, "quectel", story)


@EVERY
def test_a_full_memory_is_told_and_emptied_memory_takes_the_waiting_message(tmp_path: Path, name: str) -> None:
    async def prepare(trial: Trial) -> None:
        await trial.turn("modem.fill")

    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        await trial.text("menunggu")
        await trial.until_emptied()
        await trial.until_texts("menunggu")

    tried(tmp_path, name, story, prepare=prepare)


def test_a_pulled_sim_is_absent_until_it_is_back(tmp_path: Path) -> None:
    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        await trial.turn("sim.pull")
        await trial.until(lambda: trial.modem.status.sim_state == "absent", "without its SIM")
        assert trial.modem.up
        assert trial.modem.status.bearer == "none"
        await trial.turn("sim.insert")
        await carries_messages(trial)

    tried(tmp_path, "simcom", story)


async def lock_sim(trial: Trial, pin: str, tries: int) -> None:
    """From the next power-up on, which is now."""
    await trial.turn("sim.lock", pin=pin, tries=tries)
    await trial.turn("modem.reset")


@pytest.mark.parametrize("name", ["quectel", "simcom", "sim800", "huawei"])
def test_the_right_pin_is_given_and_the_line_works(tmp_path: Path, name: str) -> None:
    async def prepare(trial: Trial) -> None:
        await lock_sim(trial, "4711", 3)

    async def story(trial: Trial) -> None:
        await trial.until(lambda: trial.modem.status.sim_state == "ready", "with a SIM that is ready")
        await carries_messages(trial)
        assert (await trial.typed()).count('AT+CPIN="4711"') == 1

    tried(tmp_path, name, story, prepare=prepare, options={"pin": "4711"})


@pytest.mark.parametrize(
    ("tries", "pin", "reason", "given", "left"),
    [
        (3, "", "no_pin", 0, 3),
        (3, "0000", "pin_refused", 1, 2),
        (2, "4711", "few_tries", 0, 2),
        (1, "4711", "few_tries", 0, 1),
    ],
)
def test_the_last_two_tries_are_never_spent(
    tmp_path: Path, tries: int, pin: str, reason: str, given: int, left: int
) -> None:
    async def prepare(trial: Trial) -> None:
        await lock_sim(trial, "4711", tries)

    async def story(trial: Trial) -> None:
        await trial.until(lambda: trial.modem.status.sim_reason == reason, reason)
        assert trial.modem.status.sim_state == "pin"
        for ups in (2, 3):  # not again in its next lives either
            await trial.turn("modem.reset")
            await trial.until_kind(PortUp, ups)
            await trial.until(lambda: trial.modem.status.sim_state == "pin", "asked for its PIN")
        assert sum(line.startswith("AT+CPIN=") for line in await trial.typed()) == given
        assert await trial.pin_tries() == left

    tried(tmp_path, "quectel", story, prepare=prepare, options={"pin": pin})


def test_a_sim_that_wants_its_puk_is_left_alone(tmp_path: Path) -> None:
    async def prepare(trial: Trial) -> None:
        await lock_sim(trial, "4711", 0)

    async def story(trial: Trial) -> None:
        await trial.until(lambda: trial.modem.status.sim_state == "puk", "asked for its PUK")
        assert not any(line.startswith("AT+CPIN=") for line in await trial.typed())

    tried(tmp_path, "simcom", story, prepare=prepare, options={"pin": "4711"})


def test_voice_over_lte_that_goes_leaves_messages_only(tmp_path: Path) -> None:
    async def story(trial: Trial) -> None:
        await trial.until(lambda: trial.modem.status.bearer == "volte", "with voice over LTE")
        await trial.turn("modem.ims", on=False)
        await trial.until(lambda: trial.modem.status.bearer == "sms_only", "without voice")
        await carries_messages(trial)
        await trial.turn("modem.deny")
        await trial.until(lambda: trial.modem.status.bearer == "none", "refused")

    tried(tmp_path, "quectel", story)


@pytest.mark.parametrize(("name", "bearer"), [("sim800", "2g"), ("huawei", "2g"), ("simcom", "unknown")])
def test_the_bearer_is_told_as_far_as_a_make_tells_it(tmp_path: Path, name: str, bearer: str) -> None:
    async def story(trial: Trial) -> None:
        assert (await trial.until_healthy()).bearer == bearer

    tried(tmp_path, name, story)


def test_a_modem_that_finds_no_network_is_restarted_and_its_port_found_again(tmp_path: Path) -> None:
    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        await trial.turn("modem.deny")
        assert (await trial.until_kind(RecoveryStep)).step == "restart"
        await trial.turn("modem.deny", on=False)
        await trial.until_kind(PortUp, 2)
        await carries_messages(trial)
        assert (await trial.typed()).count("AT+CFUN=1,1") == 1

    tried(tmp_path, "quectel", story)


def test_a_mute_modem_is_called_then_its_port_opened_anew_then_reset(tmp_path: Path) -> None:
    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        await trial.turn("modem.mute")
        await trial.until_kind(RecoveryStep, 3)
        assert [told.step for told in trial.all(RecoveryStep)] == ["ping", "reopen", "restart"]
        await trial.turn("modem.mute", on=False)
        await trial.until_kind(PortUp, 2)
        await carries_messages(trial)

    tried(tmp_path, "sim800", story)


def test_a_reset_behind_the_prompt_is_told_as_not_sent_for_certain_or_not(tmp_path: Path) -> None:
    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        await trial.turn("modem.reset_in", command="AT+CMGS", at="prompt")
        with pytest.raises((LinkLost, SmsFailed)):
            await trial.modem.send_sms(SENDER, "weg")
        await trial.until_kind(PortUp, 2)
        await carries_messages(trial)

    tried(tmp_path, "quectel", story)


@pytest.mark.parametrize("name", ["quectel", "sim800"])
def test_a_supply_that_sags_is_told_and_outlived(tmp_path: Path, name: str) -> None:
    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        await trial.turn("modem.undervoltage")
        with pytest.raises((LinkLost, SmsFailed)):
            await trial.modem.send_sms(SENDER, "lemah")
        await trial.until_kind(PortLost)
        await trial.turn("modem.undervoltage", on=False)
        await carries_messages(trial)

    tried(tmp_path, name, story)
