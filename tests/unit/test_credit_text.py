"""What operators say of the credit: each plan with its own texts, amounts and days as people write them."""

from datetime import date
from pathlib import Path

import msgspec
import pytest

from appliance.lines.credit_text import day, phrase, plain, rupiah
from appliance.lines.operator_plan import TEXTS, OperatorPlan, PlanError, Reading, load_plans, plan_of

OPERATORS = Path(__file__).parents[2] / "firmware-config" / "operators"
PLANS = load_plans(OPERATORS)
BY_STEM = dict(zip(sorted(p.stem for p in OPERATORS.glob("*.toml") if not p.name.endswith(TEXTS)), PLANS, strict=True))


class Text(msgspec.Struct, forbid_unknown_fields=True):
    says: str
    rupiah: int = 0
    until: date | None = None
    not_read: str = ""


class Texts(msgspec.Struct, forbid_unknown_fields=True):
    text: list[Text]


GOLDEN = [
    pytest.param(stem, text, id=f"{stem}-{text.says[:30]}")
    for stem in BY_STEM
    for text in msgspec.toml.decode((OPERATORS / f"{stem}{TEXTS}").read_bytes(), type=Texts).text
]


@pytest.mark.parametrize(("stem", "text"), GOLDEN)
def test_a_plan_reads_its_texts_as_a_person_does(stem: str, text: Text) -> None:
    assert BY_STEM[stem].read(text.says) == Reading(text.rupiah, text.until, text.not_read)


@pytest.mark.parametrize(
    ("written", "is_"),
    [
        ("0", 0), ("25000", 25000), ("25.000", 25000), ("25,000", 25000), ("25.000,00", 25000), ("25,000.00", 25000),
        ("1.234.567", 1234567), ("25.000,", 25000), ("25.000.", 25000), ("-2.500", -2500), ("12.50", 12),
        ("2.50.00", None), ("25.5", None), ("1.2345", None), ("", None), ("999999999", None), ("12345678901", None),
    ],
)  # fmt: skip
def test_an_amount_is_read_or_refused_never_guessed(written: str, is_: int | None) -> None:
    assert rupiah(written) == is_


@pytest.mark.parametrize(
    ("written", "is_"),
    [
        ("31/12/2027", date(2027, 12, 31)), ("1-2-27", date(2027, 2, 1)), ("01.02.2027", date(2027, 2, 1)),
        ("31 des 2027", date(2027, 12, 31)), ("31des2027", date(2027, 12, 31)), ("5 nopember 27", date(2027, 11, 5)),
        ("2027-03-04", date(2027, 3, 4)), ("31/02/2027", None), ("12/31/2027", None), ("31 foo 2027", None),
        ("31 12", None), ("0/1/2027", None),
    ],
)  # fmt: skip
def test_a_day_comes_before_its_month_and_must_exist(written: str, is_: date | None) -> None:
    assert day(written) == is_


@pytest.mark.parametrize(
    "text", ["", "Pulsa", "Pulsa Rp", "Rp 5.000", "kupulsa Rp 5.000", "Pulsa 5000", "Pulsa 2 kartu Rp"]
)
def test_what_does_not_name_the_credit_is_not_understood(text: str) -> None:
    assert BY_STEM["telkomsel"].read(text) == Reading(not_read="not_understood")


def test_a_text_without_end_is_looked_at_in_part_and_at_once() -> None:
    assert BY_STEM["xl"].read("masa aktif " * 20_000 + "pulsa Rp 5.000").not_read == "not_understood"
    assert len(plain("a" * 10_000)) == 500


@pytest.mark.parametrize(
    ("operator", "plan"),
    [
        ("TELKOMSEL", "Telkomsel"), ("Telkomsel", "Telkomsel"), ("51010", "Telkomsel"), ("IND TELKOMSEL", "Telkomsel"),
        ("XL", "XL"), ("XL Axiata", "XL"), ("51011", "XL"), ("INDOSAT OOREDOO", "Indosat"), ("51001", "Indosat"),
        ("SMARTFREN", None), ("51099", None), ("", None), ("XLNT", None),
    ],
)  # fmt: skip
def test_an_operator_is_known_by_its_name_or_its_figures(operator: str, plan: str | None) -> None:
    found = plan_of(operator, PLANS)
    assert (found.name if found else None) == plan


GOOD = (OPERATORS / "xl.toml").read_text()
WRONG = {
    ('codes = ["*123#", "*123*7*1#"]', 'codes = ["*21*0811#"]'): r"codes: '\*21\*0811#' is not sent: it may divert",
    ('codes = ["*123#", "*123*7*1#"]', "codes = []"): "codes",
    ('"pulsa {rupiah}"', '"pulsa {uang}"'): "must end in one of",
    ('"pulsa {rupiah}"', '"{rupiah}"'): "has no word before",
    ('"pulsa {rupiah}"', '"pulsa {date}"'): r"rupiah: 'pulsa \{date\}' has no \{rupiah\}",
    ("low_rupiah = 10000", 'low_rupiah = "10000"'): "low_rupiah",
    ("low_rupiah = 10000", "low_rupiah = 10000\nhigh = 1"): "unknown field `high`",
    ('networks = ["51011", "51008"]', 'networks = ["510-11"]'): "networks",
}


@pytest.mark.parametrize(("change", "says"), WRONG.items(), ids=list(WRONG.values()))
def test_a_wrong_plan_is_refused_with_its_file_and_key(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    assert change[0] in GOOD
    (tmp_path / "xl.toml").write_text(GOOD.replace(*change))
    with pytest.raises(PlanError, match=says) as refused:
        load_plans(tmp_path)
    assert "xl.toml" in str(refused.value)


def test_two_plans_for_one_network_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(GOOD)
    with pytest.raises(PlanError, match=r"b\.toml: '51011' stands in a\.toml"):
        load_plans(tmp_path)


def test_where_there_is_no_folder_there_are_no_plans(tmp_path: Path) -> None:
    assert load_plans(tmp_path / "none") == ()


def test_a_phrase_takes_any_punctuation_between_its_words() -> None:
    pattern = phrase("masa aktif s/d {date}")
    for text in (
        "masa aktif s/d 1/2/2027",
        "masa aktif: s.d. 1/2/2027",
        "masa aktif sd 1/2/2027",
        "masaaktif sd1/2/2027",
    ):
        assert pattern.search(text), text
    assert not pattern.search("masa tenggang s/d 1/2/2027")


def test_a_plan_is_data_only() -> None:
    assert all(isinstance(plan, OperatorPlan) and plan.source for plan in PLANS)
