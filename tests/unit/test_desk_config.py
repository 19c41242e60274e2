"""The desk's tables of the site file: no emergency number, no own line, nothing twice; and the demo's directory."""

from pathlib import Path
from typing import Any

import pytest
import tomli_w

from appliance.config import SiteError, load_site
from appliance.desk.notices import Notices
from drivers.modem.gsm7 import codes_of

SITE: dict[str, Any] = {
    "role": "centre", "site": "kota", "id": "pusat", "name": "Pusat", "annunciator": {"socket": "a", "factory": "mock"},
    "line": [{"id": "l1", "name": "Saluran 1", "port": "/dev/l1", "number": "+62000000001"}],
}  # fmt: skip
AGENCY: dict[str, Any] = {"id": "rsud", "name": "RSUD", "kind": "hospital", "phone": ["+62000000901"]}


def load(folder: Path, **tables: Any) -> Any:
    (folder / "site.toml").write_text(tomli_w.dumps(SITE | tables))
    return load_site(folder / "site.toml")


@pytest.mark.parametrize(("change", "why"), [
    ({"phone": ["112"]}, "emergency"), ({"phone": ["+62000000901", "+62119"]}, "emergency"),
    ({"sms": "110"}, "emergency"),
    ({"phone": ["+62000000001"]}, "a line of this box"), ({"phone": []}, "at least one"), ({"kind": "pizza"}, "kind"),
])  # fmt: skip
def test_an_agency_that_must_not_or_cannot_be_called_is_refused_with_the_reason(
    tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    with pytest.raises(SiteError, match=why):
        load(tmp_path, agency=[AGENCY | change])


def test_an_agency_twice_and_an_emergency_number_for_overflow_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="twice"):
        load(tmp_path, agency=[AGENCY, AGENCY])
    with pytest.raises(SiteError, match=r"desk.overflow.number.*emergency"):
        load(tmp_path, desk={"overflow": {"number": "112"}})


def test_real_lines_and_a_placeholder_in_the_directory_do_not_go_together(tmp_path: Path) -> None:
    line = SITE["line"][0] | {"number": "+6281100000001", "armed": True}
    with pytest.raises(SiteError, match=r"\+62000000901"):
        load(tmp_path, line=[line], agency=[AGENCY])


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("why", ["busy", "waiting", "long"])
def test_a_notice_is_one_part_whatever_stands_in_it(tmp_path: Path, language: str, why: str) -> None:
    site = load(tmp_path, language=language, name="Pusat Komando Siaga 112 Kabupaten Kepulauan Tanimbar")
    assert len(codes_of(Notices(site).text(why, 99, 600.0))) <= 160
