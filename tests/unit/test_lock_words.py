"""What a station is told of its lockout beside the order, which has room for a code alone: a name, and a reason."""

import pytest

from appliance.alert_state import Lockout
from appliance.alerting.locks import shown, words_of
from appliance.alerting.wire_text import LOCKOUT_MARK, MOST_TEXT
from appliance.stamp import Stamp


def lockout(reason: str, actor: str = "sari") -> Lockout:
    return Lockout("damkar", "aa", 60, 1000.0, reason, Stamp(actor=actor))


def test_the_words_have_a_name_and_a_reason_that_can_be_told_apart() -> None:
    who, mark, reason = words_of(lockout("relai diganti: yang lama macet", "console:root")).partition(LOCKOUT_MARK)
    assert (who, mark, reason) == ("console:root", LOCKOUT_MARK, "relai diganti: yang lama macet")
    assert words_of(None) == ""


@pytest.mark.parametrize("reason", ["baris satu\nbaris dua", "x" * 400, "é" * 200, "a\x00b\u0085c"])
def test_words_fit_a_text_whatever_a_person_wrote(reason: str) -> None:
    octets = shown(words_of(lockout(reason))).encode()
    assert 0 < len(octets) <= MOST_TEXT
    assert all(c.isprintable() for c in octets.decode())
