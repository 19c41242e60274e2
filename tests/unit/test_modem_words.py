"""What `siaga modem info` says of a line's SIM and network; what is not known is ---."""

from types import SimpleNamespace

from appliance.annunciator_config import AnnunciatorConfig
from appliance.cli_modem_words import ADVICE, CREDIT_WHY, info
from appliance.config import Line, Site
from appliance.figure import Figure
from appliance.lines.line_view import PIN_WHY, line_view
from appliance.model import Role
from appliance.stamp import Stamp
from appliance.state import Proof
from appliance.view import LineView
from drivers.modem.session import UNKNOWN

CONFIG = Line(id="l1", name="Satu", port="/dev/x", number="0811", pin="4711")
SITE = Site(
    role=Role.CENTRE, site="s", id="c", name="C", line=(CONFIG,),
    annunciator=AnnunciatorConfig(socket="a.sock", factory="mock"),
)  # fmt: skip


def told(**known: object) -> dict[str, str]:
    """The lines of `info` by their first word, of a line of which so much is known."""
    view = line_view(CONFIG, up=False, down="mute", status=UNKNOWN, at=0.0, modem="", link=None, call=None)
    for field, value in known.items():
        assert field in LineView.__struct_fields__
        setattr(view, field, value)
    return {line[:13].strip(): line[14:] for line in info(view, SITE, SimpleNamespace(at=100.0))}


def good(value: float | str, unit: str = "") -> Figure:
    return Figure(value, unit, "good", 90.0, 30.0)


def test_what_is_known_is_said() -> None:
    said = told(
        cell=good("4CA 81DE445"), credit=good(25_000, "Rp"), credit_until="2027-12-31", credit_forecast="2027-02-01",
        trend=(None, -71, -69), proof=Proof("call", Stamp(1, 1_800_000_000.0)), time_offset=good(-130.4, "s"),
    )  # fmt: skip
    assert said["cell"] == "4CA 81DE445"
    assert said["credit"] == "Rp 25000, valid until 2027-12-31, runs out about 2027-02-01"
    assert said["signal"].endswith("(last 3 min: -71 to -69)")
    assert said["last proof"] == "a call was answered, 2027-01-15 17:00:00 WIT"
    assert said["network time"] == "130 s behind the box's clock"


def test_what_is_not_known_is_not_made_up() -> None:
    said = told(credit=Figure(None, "Rp", "unimplemented", 0.0, 1.0), credit_why="not_understood")
    assert (said["cell"], said["last proof"], said["network time"]) == ("---", "---", "---")
    assert said["credit"] == f"---, last look: {CREDIT_WHY['not_understood']}"


def test_an_old_figure_is_not_shown_as_todays() -> None:
    said = told(credit=Figure(25_000, "Rp", "good", 0.0, 30.0), credit_why="refused")
    assert said["credit"] == "---, last look: the network refused"


def test_a_postpaid_line_says_so() -> None:
    assert told(credit_why="postpaid")["credit"] == "postpaid, never asked"


def test_every_reason_of_a_pin_has_its_advice() -> None:
    assert set(PIN_WHY.values()) <= set(ADVICE)
