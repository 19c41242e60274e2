"""Whatever a network says of credit and time: it is read, or said to be not read, and nothing else happens."""

from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from appliance.lines.credit_forecast import Seen, daily_use, runs_out
from appliance.lines.operator_plan import load_plans
from drivers.modem.answers import AnswerError
from drivers.modem.network_time import network_time

PLANS = load_plans(Path(__file__).parents[2] / "firmware-config" / "operators")
PIECES = st.sampled_from(
    ["Pulsa", " Rp", "Rp.", "Sisa ", " masa aktif ", "s/d", " s.d. ", "31/12/2027", "99-99-99", "31 Des 27", "25.000",
     "-1", ",00", ".", "\n", '"', "Isi", " 0", "٣", "\u212a", "²", "1" * 30]
)  # fmt: skip
SAID = st.text(max_size=200) | st.lists(PIECES, max_size=20).map("".join)


@given(said=SAID, plan=st.sampled_from(PLANS))
def test_an_answer_is_read_or_not_and_never_breaks_the_reader(said: str, plan: object) -> None:
    read = plan.read(said)  # type: ignore[attr-defined]
    if not any(c.isdecimal() for c in said):
        assert read.not_read


@given(rupiah=st.integers(0, 99_999_999), day=st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_what_an_operator_writes_is_what_is_read(rupiah: int, day: date) -> None:
    dotted = f"{rupiah:,}".replace(",", ".")
    for text in (
        f"Pulsa Rp{rupiah} s.d. {day:%d/%m/%Y}.",
        f"Sisa Pulsa: Rp. {dotted},00 masa aktif s/d {day:%d-%m-%y}",
    ):
        read = PLANS[1].read(text)
        assert (read.rupiah, read.until, read.not_read) == (rupiah, day, "")


@given(line=st.text(max_size=60).map(lambda text: f"+CCLK: {text}") | st.from_regex(
    r'\A\+(CCLK|QLTS|CTZE): "[0-9]{2,4}/[0-9]{1,2}/[0-9]{1,2},[0-9]{1,2}:[0-9]{2}:[0-9]{2}[+-][0-9]{1,2}"\Z'
), utc=st.booleans())  # fmt: skip
def test_a_time_is_a_moment_of_this_century_or_an_answer_error(line: str, utc: bool) -> None:
    try:
        told = network_time(line, utc=utc)
    except AnswerError:
        return
    assert 2024 <= told.year <= 2101
    assert told.utcoffset() is not None


@given(st.lists(st.tuples(st.floats(0, 1e10), st.integers(-10_000, 10_000_000)), max_size=40))
def test_a_forecast_is_a_day_ahead_or_none(looks: list[tuple[float, int]]) -> None:
    seen = [Seen(at, rupiah) for at, rupiah in sorted(looks)]
    use = daily_use(seen)
    assert use is None or use >= 0
    today = date(2027, 1, 1)
    end = runs_out(seen, today, seen[-1].at if seen else 0.0)
    assert end is None or today <= end
