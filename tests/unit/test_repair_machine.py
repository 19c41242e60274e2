"""What is done about a line that is silent in a call, rung by rung."""

from appliance.sound.repair_machine import LOOK, RESTS, Ladder, Rung


def busy() -> bool:
    return True


def idle() -> bool:
    return False


def test_the_end_is_opened_anew_first_then_the_modems_sound_then_after_the_call_the_modem() -> None:
    ladder = Ladder()
    ladder.silent("a", 0.0)
    assert ladder.due(0.0, busy, False) is Rung.REOPEN
    assert ladder.due(1.0, busy, False) is None
    assert ladder.due(LOOK, busy, False) is Rung.SOUND
    assert ladder.due(2 * LOOK, busy, False) is None, "a caller is on the line"
    assert ladder.due(100.0, idle, True) is None, "every line is needed"
    assert ladder.due(101.0, idle, False) is Rung.MODEM
    assert ladder.due(200.0, idle, False) is None


def test_sound_that_is_back_ends_the_climb_and_owes_nothing() -> None:
    ladder = Ladder()
    ladder.silent("a", 0.0)
    ladder.due(0.0, busy, False)
    ladder.due(LOOK, busy, False)
    ladder.heard("a")
    assert ladder.due(100.0, idle, False) is None


def test_a_second_word_of_the_same_silence_does_not_begin_anew() -> None:
    ladder = Ladder()
    ladder.silent("a", 0.0)
    ladder.due(0.0, busy, False)
    ladder.silent("a", 0.5)
    assert ladder.due(0.6, busy, False) is None


def test_a_modem_is_not_reset_twice_within_an_hour() -> None:
    ladder = Ladder()
    told = []
    for begins in (0.0, 100.0, RESTS + 200.0):
        ladder.silent(f"call{begins}", begins)
        told += [ladder.due(begins + at, busy, False) for at in (0.0, LOOK, 2 * LOOK)]
        told.append(ladder.due(begins + 50.0, idle, False))
    assert told.count(Rung.MODEM) == 2
