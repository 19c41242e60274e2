"""The wiring of a site file: every line at its pin and terminal, nothing left out, nothing dangerous drawn."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from appliance.cli import main
from appliance.config import SiteError, load_site
from appliance.page_words import load_page_words
from appliance.wiring_plan import AT_HEADER, HEADER, plan_of
from appliance.wiring_svg import svg_of
from appliance.wiring_text import text_of

STATION = """
role = "station"
site = "ambon"
id = "hutumuri"
name = "Damkar <Hutumuri> & Rutong"
[annunciator]
socket = "a.sock"
factory = "lgpio"
[annunciator.output.siren]
pin = 17
kind = "siren"
max_s = 180
[annunciator.output.amber]
pin = 4
kind = "light"
[annunciator.output.gate]
pin = 24
kind = "door"
follows = "siren"
[annunciator.input.red]
pin = 2
kind = "button"
[annunciator.input.gate_open]
pin = 25
kind = "door"
[own]
id = "hutumuri"
number = 12
siren = "siren"
max_s = 180
[[issuer]]
name = "pusat"
sms = ["+62000000001"]
[[line]]
id = "l1"
name = "Modem"
port = "/dev/siaga/modem-1-at"
number = "+62000000012"
[[bus]]
id = "b1"
kind = "rtu"
port = "/dev/siaga/rs485-1"
parity = "E"
[[bus]]
id = "b2"
kind = "tcp"
host = "10.0.0.9"
[[bus]]
id = "b3"
kind = "rtu"
port = "/dev/siaga/rs485-2"
[[ups]]
id = "u1"
name = "UPS"
bus = "b3"
unit = 7
profile = "apc_smart_ups"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "site.toml"
    file.write_text(STATION)
    return file


def test_the_header_holds_each_line_once_at_its_known_place() -> None:
    assert len(HEADER) == 40
    assert sorted(AT_HEADER) == list(range(2, 28))
    # Raspberry Pi's documentation of the 40-pin header, a line of each corner and of the middle.
    assert {line: AT_HEADER[line] for line in (2, 14, 17, 25, 21, 26)} == {2: 3, 14: 8, 17: 11, 25: 22, 21: 40, 26: 37}
    assert [place for place, pin in enumerate(HEADER, 1) if pin == "GND"] == [6, 9, 14, 20, 25, 30, 34, 39]


def test_each_wire_has_terminals_of_its_own(file: Path) -> None:
    plan = plan_of(load_site(file))
    assert [(w.name, w.header, w.place) for w in plan.wires] == [
        ("siren", 11, "X1:1-2"), ("amber", 7, "X1:3-4"), ("gate", 18, "X1:5-6"),
        ("red", 3, "X2:1-2"), ("gate_open", 22, "X2:3-4"),
    ]  # fmt: skip
    assert [(s.name, s.place, s.settings) for s in plan.serials] == [
        ("l1", "", "+62000000012"), ("b1", "X3:1-3", "9600 8E1"), ("b2", "", "tcp"), ("b3", "X3:4-6", "9600 8N1"),
    ]  # fmt: skip
    assert plan.serials[-1].units == ("u1 = 7",)


def test_what_to_beware_of_is_told_with_what_it_is_about(file: Path) -> None:
    wires = {w.name: w.cautions for w in plan_of(load_site(file)).wires}
    assert wires == {"siren": ("timer",), "amber": ("on_at_start",), "gate": (), "red": ("clock",), "gate_open": ()}


@pytest.mark.parametrize("language", ["id", "en"])
def test_text_and_drawing_name_everything(file: Path, language: str) -> None:
    plan, words = plan_of(load_site(file)), load_page_words(language)
    text = "\n".join(text_of(plan, words))
    drawn = "\n".join(ElementTree.fromstring(svg_of(plan, words)).itertext())
    for told in (text, drawn):
        assert all(f"{w.name} ({w.place})" in told and f"GPIO{w.gpio}" in told for w in plan.wires)
        assert all(s.port in told for s in plan.serials)
        assert "Damkar <Hutumuri> & Rutong" in told
        assert "wiring." not in told
        assert words["wiring.terminals"] in told
        assert "on_at_start" not in told
    assert words["wiring.kind_of"] in text
    assert all(words[f"wiring.kind.{kind}"] in text for kind in ("door", "door_contact"))


def test_a_long_drawing_grows_and_leaves_nothing_out(tmp_path: Path) -> None:
    lines = "".join(
        f'[[line]]\nid = "m{n}"\nname = "M"\nport = "/dev/siaga/m{n}"\nnumber = "+6200000{n:04}"\n' for n in range(60)
    )
    file = tmp_path / "site.toml"
    file.write_text(STATION + lines)
    root = ElementTree.fromstring(svg_of(plan_of(load_site(file)), load_page_words("id")))
    lowest = max(float(text.get("y", 0)) for text in root.iter("{http://www.w3.org/2000/svg}text"))
    assert lowest < float(root.get("height", 0))
    assert "/dev/siaga/m59" in "".join(root.itertext())


@pytest.mark.parametrize("port", ["/dev/serial0", "/dev/ttyAMA0"])
def test_a_pin_of_the_serial_port_in_use_is_refused(file: Path, port: str) -> None:
    text = STATION.replace("pin = 4", "pin = 15")
    file.write_text(text)
    assert "uart" in plan_of(load_site(file)).at(15).cautions  # type: ignore[union-attr]
    file.write_text(text.replace("/dev/siaga/rs485-1", port))
    with pytest.raises(SiteError, match=f"amber is on GPIO 15, which {port} uses"):
        load_site(file)


def test_a_wrong_file_is_not_drawn(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(STATION.replace("pin = 4", "pin = 17"))
    assert main(["wiring", "--config", str(file)]) == 2
    told = capsys.readouterr()
    assert "GPIO 17 is already that of output.siren" in told.err
    assert "Nothing is drawn" in told.err
    assert told.out == ""


def test_the_drawing_goes_where_it_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = file.parent / "door.svg"
    assert main(["wiring", "--config", str(file), "--svg", str(drawn), "--language", "en"]) == 0
    assert "Before anything is connected:" in drawn.read_text()
    assert main(["wiring", "--config", str(file), "--svg", str(file.parent / "none" / "x.svg")]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["centre", "station"])
def test_the_drawings_of_the_reference_builds_are_those_of_their_files(name: str) -> None:
    """After a change: `siaga wiring --config firmware-config/sites/reference/NAME.toml --svg docs/wiring-NAME.svg`."""
    root = Path(__file__).parents[2]
    site = load_site(root / f"firmware-config/sites/reference/{name}.toml")
    assert svg_of(plan_of(site), load_page_words(site.language)) == (root / f"docs/wiring-{name}.svg").read_text()
