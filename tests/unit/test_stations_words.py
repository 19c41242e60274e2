"""What `siaga stations lock` takes: it says what is wrong in its own words, before core is asked."""

import pytest

from appliance.cli import main

LOCK = ("stations", "lock", "damkar-kota")


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf", "9999", "two"])
def test_a_length_that_cannot_be_is_told_with_its_bounds(hours: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*LOCK, f"--hours={hours}", "--reason", "relai diganti"])
    assert f"'{hours}' is not between 0.1 and 720.0 hours" in capsys.readouterr().err


@pytest.mark.parametrize("reason", ["", "x", "x" * 301])
def test_a_reason_that_nobody_can_read_is_told(reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*LOCK, "--hours", "1", "--reason", reason])
    assert f"it has {len(reason)} letters; write 3 to 300" in capsys.readouterr().err
