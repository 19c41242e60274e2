"""Who answers at a modem's port is told from the noise between the answers."""

import pytest

from drivers.modem.identity import read

QUIET = (("Quectel",), ("EG25",), ("EG25GGBR07A08M2G_30.202",), ("867698040000001",), ("Quectel", "EG25"))


@pytest.mark.parametrize(
    "noise", ['+QIND: "csq",21,99', "+CSQ: 21,99", "DST: 0", "^RSSI:20", "*PSUTTZ: 2026,1,2", "STATE: 20,99"]
)
def test_lines_that_nobody_asked_for_are_no_part_of_it(noise: str) -> None:
    said = read([(noise, *lines, noise) for lines in QUIET])
    assert (said.manufacturer, said.model, said.revision, said.imei) == tuple(lines[0] for lines in QUIET[:4])


@pytest.mark.parametrize("line", ["867698040000001", "+CGSN: 867698040000001", '+CGSN: "867698040000001"'])
def test_an_imei_is_digits_with_or_without_a_name(line: str) -> None:
    assert read((*QUIET[:3], (line,), ())).imei == "867698040000001"


@pytest.mark.parametrize("line", ["21,99", "ERROR", "8676980400", "Quectel"])
def test_what_is_no_imei_is_left_out(line: str) -> None:
    assert read((*QUIET[:3], (line,), ())).imei == ""


def test_a_model_that_is_told_with_its_name_or_only_by_ati_is_found() -> None:
    assert read((("+CGMI: SIMCom",), ("Model: A7672",), (), (), ())).model == "A7672"
    assert read(((), (), (), (), ("Manufacturer: huawei", "Model: E173"))).model == "Manufacturer: huawei Model: E173"
