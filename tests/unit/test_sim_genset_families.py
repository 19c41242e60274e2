"""Each simulated controller, read by its profile over the same plant: what it says of the plant must be so."""

import struct
from pathlib import Path

import pytest

from drivers.modbus.blocks import TCP_FRAME
from drivers.modbus.profile import load
from drivers.modbus.registers import BIT_TABLES
from drivers.quality import Quality
from drivers.sim.families import GENSETS
from drivers.sim.modbus_slave import answer
from drivers.sim.plant import Plant, PlantSettings
from drivers.sim.plant_genset import GensetSettings, Mode

PROFILES = Path(__file__).parents[2] / "firmware-config" / "gensets"
FUNCTIONS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
SPREAD = 0.02  # of one phase from another, and of a figure from its register

STARTED_BY_RELAY = frozenset({"dse_4520_mk2", "smartgen_hgm4020", "smartgen_hgm6100", "datakom_d500", "kohler_apm603"})
TESTED_BY_BUS = frozenset(name for name in GENSETS if name.startswith(("dse_", "smartgen_", "datakom_")))

every_family = pytest.mark.parametrize("family", sorted(GENSETS))


class Site:
    """One family's controller over a plant with a hand on its clock."""

    def __init__(self, family: str) -> None:
        self.now = 1000.0
        self.plant = Plant(PlantSettings(genset=GensetSettings(retransfer_s=20, cooldown_s=10)), self.now)
        self.profile = load(PROFILES / f"{family}.toml")
        self.blocks = [(block, self.profile.points_in(block)) for block in self.profile.blocks(TCP_FRAME)]
        self.device = GENSETS[family](self.plant, lambda: self.now, lambda: 1_788_739_200.0)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.plant.step(self.now)

    def readings(self):
        """What one poll over Modbus TCP makes of the device; a rejected block's points are unimplemented."""
        found = {}
        for block, points in self.blocks:
            said = answer(self.device, struct.pack(">BHH", FUNCTIONS[block.table], block.address, block.count))
            if said[0] & 0x80:
                found |= dict.fromkeys(points, (None, Quality.UNIMPLEMENTED))
                continue
            if block.table in BIT_TABLES:
                words = [said[2 + i // 8] >> i % 8 & 1 for i in range(block.count)]
            else:
                words = list(struct.unpack(f">{block.count}H", said[2:]))
            found |= {name: self.profile.decode(point, block, words) for name, point in points.items()}
        return found

    def values(self):
        return {name: value for name, (value, quality) in self.readings().items() if quality is Quality.GOOD}

    def order(self, name: str) -> bytes:
        write = self.profile.command[name].write
        if write.function == "coil":
            return answer(self.device, struct.pack(">BHH", 5, write.at, 0xFF00 * write.value))
        words = write.registers
        return answer(self.device, struct.pack(f">BHHB{len(words)}H", 16, write.at, len(words), 2 * len(words), *words))


def about(value: float, expected: float) -> bool:
    return value == pytest.approx(expected, rel=SPREAD, abs=1.0)


@every_family
def test_a_set_at_rest_is_at_rest_in_its_registers(family):
    values = Site(family).values()
    assert values["mode"] == "auto"
    assert values["engine_state"] == "stopped"
    assert about(values["battery_v"], 13.2)
    assert about(values["run_time_s"], 86 * 3600) if "run_time_s" in values else family == "kohler_apm603"
    assert {values.get(f"generator_v_l{phase}") for phase in (1, 2, 3)} == {0}
    assert not [name for name in values if values[name] is True and name != "mains_closed"]
    for phase in (1, 2, 3):
        assert about(values.get(f"mains_v_l{phase}", 230), 230)
    assert about(values.get("mains_hz", 50), 50)


@every_family
def test_a_set_on_load_is_on_load_in_its_registers(family):
    site = Site(family)
    site.plant.cut_mains()
    site.wait(120)
    values, genset = site.values(), site.plant.genset
    assert site.plant.source == "genset"
    assert set(values) == set(site.profile.point)
    assert values["mode"] == "auto"
    assert values["engine_state"] == "running"
    assert values["rpm"] == 1500
    assert about(values["generator_hz"], 50)
    assert values["generator_w"] == pytest.approx(genset.load_w, abs=500)  # some count whole kilowatts
    for phase in (1, 2, 3):
        assert about(values[f"generator_v_l{phase}"], 230)
        assert values.get(f"mains_v_l{phase}", 0) == 0
    amperes = sum(values[f"generator_a_l{phase}"] for phase in (1, 2, 3))
    assert amperes == pytest.approx(genset.load_w / 0.9 / 230, abs=2)
    assert about(values.get("oil_pressure", 420), 420)
    assert about(values.get("fuel_level", genset.fuel_percent), genset.fuel_percent)
    assert about(values["coolant_temperature"], genset.coolant_c)
    assert values.get("mains_failed", True) is True
    assert (values.get("genset_closed", True), values.get("mains_closed", False)) == (True, False)


@every_family
def test_a_failed_start_shows_and_nothing_claims_that_the_engine_runs(family):
    site = Site(family)
    site.plant.refuse_start()
    site.plant.cut_mains()
    seen = set()
    for _ in range(40):
        site.wait(2.5)
        seen.add(site.values().get("engine_state"))
    assert "running" not in seen
    values = site.values()
    told = [name for name in ("fail_to_start", "shutdown_alarm") if values.get(name)]
    assert told or values["engine_state"] == "failed" or family in ("datakom_d500", "deif_agc150")


@pytest.mark.parametrize("family", sorted(STARTED_BY_RELAY))
def test_a_set_that_a_start_by_bus_would_take_out_of_auto_is_started_by_the_relay(family):
    profile = load(PROFILES / f"{family}.toml")
    assert not profile.command.keys() & {"start", "cancel_start"}
    assert "start relay" in profile.notes


@pytest.mark.parametrize("family", sorted(GENSETS.keys() - STARTED_BY_RELAY))
def test_a_start_by_bus_keeps_auto_and_its_cancel_stops_the_set(family):
    site = Site(family)
    assert not site.order("start")[0] & 0x80
    site.wait(15)
    assert (site.values()["engine_state"], site.values()["mode"]) == ("running", "auto")
    assert site.plant.source == "mains"
    assert not site.order("cancel_start")[0] & 0x80
    site.wait(30)
    assert (site.values()["engine_state"], site.values()["mode"]) == ("stopped", "auto")


@pytest.mark.parametrize("family", sorted(TESTED_BY_BUS))
def test_a_test_takes_the_load_and_auto_gives_it_back(family):
    site = Site(family)
    assert not site.order("test_on_load")[0] & 0x80
    site.wait(20)
    assert (site.plant.source, site.values()["mode"]) == ("genset", "test_on_load")
    site.order("auto")
    site.wait(60)
    assert (site.plant.source, site.values()["mode"], site.values()["engine_state"]) == ("mains", "auto", "stopped")


@every_family
def test_every_mode_of_the_panel_is_the_same_mode_in_the_registers(family):
    site = Site(family)
    for mode, names in (
        (Mode.MANUAL, {"manual"}),
        (Mode.STOP, {"stop", "off"}),
        (Mode.AUTO, {"auto"}),
        (Mode.TEST, {"test_on_load", "test_off_load", "manual"}),
    ):
        site.plant.genset.set_mode(mode)
        assert site.values()["mode"] in names
