"""A process that is killed while it hands over a text leaves the modem at its prompt; the next one is not put off."""

from pathlib import Path

from lines_box import World, play
from modem_world import Host


def test_a_modem_that_was_left_at_its_prompt_is_no_mute_modem(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        host = Host(tmp_path / "l1")
        host.open()
        assert "OK" in await host.ask("AT+CMGF=0")
        host.type("AT+CMGS=20\r")
        await host.until("> ")
        host.close()
        box = await there.start()
        await box.ready()
        assert box.kinds("line.") == ["line.up", "line.up"]

    play(tmp_path, story)
