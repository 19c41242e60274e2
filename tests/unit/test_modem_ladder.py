"""Resets of a modem: the mild before the hard, few an hour, none into a call."""

from drivers.modem.ladder import BETWEEN, HOUR, LONGEST_CALL, Ladder


def test_restarts_come_first_and_an_hour_takes_no_more_than_its_budget() -> None:
    ladder = Ladder()
    done = [(at, ladder.next_reset(at, vendor=True)) for at in (0.0, 1.0, BETWEEN, 2 * BETWEEN, 3 * BETWEEN, HOUR)]
    assert [step for _, step in done] == ["restart", None, "restart", "vendor_reset", None, "restart"]


def test_without_a_reset_of_its_maker_a_modem_waits_for_the_next_hour() -> None:
    ladder = Ladder()
    assert [ladder.next_reset(i * BETWEEN, vendor=False) for i in range(3)] == ["restart", "restart", None]


def test_a_call_is_never_reset_away() -> None:
    ladder = Ladder()
    ladder.call(True, 0.0)
    assert ladder.next_reset(LONGEST_CALL - 1, vendor=True) is None
    assert ladder.next_reset(LONGEST_CALL, vendor=True) == "restart"
    ladder.call(True, LONGEST_CALL + BETWEEN)
    ladder.call(False, LONGEST_CALL + BETWEEN)
    assert ladder.next_reset(LONGEST_CALL + BETWEEN, vendor=True) == "restart"
