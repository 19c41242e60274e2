"""A scan against every device that there is a dump of: it must name the right profile, and no wrong one as certain."""

import contextlib

import pytest

from appliance.cli_modbus import profiles
from appliance.cli_modbus_replay import registers
from drivers.clock import VirtualClock
from drivers.modbus.bus import Bus
from drivers.modbus.dump import load_dump
from drivers.modbus.line import TcpLine
from drivers.modbus.profile import load
from drivers.modbus.survey import guesses
from drivers.sim.modbus_slave import Slave
from drivers.sim.modbus_tcp import TcpPort

FILES = profiles()
LOADED = {name: load(file) for name, file in FILES.items()}


def scanned(name, case):
    """The guesses at a case of a profile's golden dump."""

    async def story():
        dump = load_dump(FILES[name].with_suffix(".dump.toml"))
        port = TcpPort({1: Slave(registers(dump, dump.case[case]))})
        await port.start(0)
        try:
            with contextlib.closing(Bus(TcpLine("127.0.0.1", port.port))) as bus:
                return await guesses(bus, 1, LOADED)
        finally:
            await port.stop()

    return VirtualClock().run(story())


@pytest.mark.parametrize("name", FILES)
def test_a_scan_of_a_golden_dump_names_its_own_profile(name):
    found = scanned(name, 0)
    certain = [guess.name for guess in found if guess.known]
    if LOADED[name].identify:
        assert certain[0] == name, certain
    else:
        assert name in [guess.name for guess in found]
        assert not certain


@pytest.mark.parametrize("name", ["dse_7320_mk2", "apc_smart_ups", "riello_netman"])
def test_a_short_profile_whose_bits_fit_nearly_everything_does_not_stand_before_a_long_one_that_fits(name):
    assert scanned(name, 1)[0].name == name
