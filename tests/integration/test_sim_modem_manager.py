"""ModemManager, which drives most modems on Linux, takes a simulated Quectel for a real one."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from modem_manager_box import modem_manager, why_not
from modem_world import OUTSIDE, A
from test_sim_mobile import process
from test_sim_strangers import FAR, turned

WHY_NOT = why_not()


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that polkitd can reach as another user."""
    with tempfile.TemporaryDirectory(prefix="siaga-mm-") as made:
        yield Path(made)


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_modem_manager_knows_registers_sends_and_receives(folder: Path) -> None:
    with process(folder), modem_manager(folder, folder / "quectel") as manager:
        manager.until_says("Modem/0", "--list-modems")
        manager.mmcli("-m", "0", "--enable")
        said = manager.until_says("registration: home", "-m", "0")
        assert all(
            word in said for word in ("plugin: quectel", "model: EG25", f"own: {A}", "TELKOMSEL", "access tech: lte")
        )

        manager.mmcli("-m", "0", f"--messaging-create-sms=number={FAR},text='Posko siap'")
        manager.mmcli("-s", "0", "--send")
        (message,) = turned(folder, "sms.outbox")
        assert (message["to"], message["text"]) == (FAR, "Posko siap")

        turned(folder, "sms.from", number=OUTSIDE, text="Kebakaran é di Batu Merah 🔥", to="quectel")
        manager.until_says("(received)", "-m", "0", "--messaging-list-sms")
        received = manager.mmcli("-s", "1")
        assert f"number: {OUTSIDE}" in received
        assert "text: Kebakaran é di Batu Merah 🔥" in received
