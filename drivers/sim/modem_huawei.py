"""Huawei E-series stick (E173): ^ORIG to ^CEND, signal and ^BOOT told all the time, USSD as packed hex.

AT^CURC=0 silences what it says of itself, AT^DDSETEX=2 switches calls' reports on, AT^USSDMODE=0 makes USSD text.
"""

from collections.abc import Mapping
from datetime import datetime

from drivers.sim.modem_dialect import ACTIVE, ALERTING, DIALLING, ENDED, FLAGS, GSM, CallView, Dialect, Switch, ending
from drivers.sim.network_calls import Cause

CAUSES = {Cause.BUSY: 17, Cause.NO_ANSWER: 19, Cause.UNREACHABLE: 3}  # of 24.008; 16 is a normal end


class Huawei(Dialect):
    model, manufacturer, product, revision = "huawei", "huawei", "E173", "11.126.15.00.00"
    woken = ("^SIMST:1",)
    settled = ("^SRVST:2", "^MODE:3,2")
    sim_gone = ("^SIMST:255",)
    tells_pin = False
    cmee = 0
    cnmi = (1, 1, 0, 0, 0)
    memory = "SM"
    call_index = 1
    answered_before_ok, released_before_ok = 0, 0
    lacks = frozenset({"+CEREG", "+CESQ", "+CPINR", "+CTZR", "+CTZU"})
    accepts = ("^U2DIAG", "^CVOICE", "^PORTSEL")
    switches = (
        Switch("^CURC", "curc", (0, 1)),
        Switch("^DDSETEX", "ddsetex", (0, 1, 2)),
        Switch("^USSDMODE", "ussdmode", (0, 1)),
        Switch("^DDTMFCFG", "keys", (0, 1)),
    )
    on: Mapping[str, int] = {"curc": 1, "ussdmode": 1, "keys": 1}
    unsupported = "COMMAND NOT SUPPORT"
    technology = GSM
    band = "GSM900"
    places: Mapping[str, tuple[str, str]] = {"+CREG": ("5E25", "605F"), "+CGREG": ("5E25", "605F")}
    ussd_packed = True
    chatter = ("^RSSI:20", "^BOOT:20952548,0,0,0,72", "^RSSI:21", "^SRVST:2")
    fixed: Mapping[str, tuple[str, ...]] = {
        "I": (
            f"Manufacturer: {manufacturer}",
            f"Model: {product}",
            f"Revision: {revision}",
            "IMEI: {imei}",
            "+GCAP: +CGSM,+DS,+ES",
        ),
        "^SYSINFO": ("^SYSINFO:2,3,0,3,1,,0",),
        "^CVOICE?": ("^CVOICE:0,8000,16,20",),
        "^CARDLOCK?": ("^CARDLOCK: 2,10,0",),
        "^ICCID?": ("^ICCID: 89621012345678901234",),
        "+CBC": ("+CBC: 0,0",),
    }

    def reports(self, call: CallView, flags: FLAGS) -> list[str]:
        lines = []
        if flags.get("ddsetex") == 2:
            told = {ACTIVE: f"^CONN:{call.index},0"}
            if not call.incoming:
                told |= {DIALLING: f"^ORIG:{call.index},0", ALERTING: f"^CONF:{call.index}"}
            if call.state in told and call.news:
                lines.append(told[call.state])
            elif call.state == ENDED:
                lines.append(f"^CEND:{call.index},{int(call.talked_s or 0)},29,{CAUSES.get(call.cause, 16)}")
        return [*lines, ending(call)] if call.state == ENDED and not call.ended_here else lines

    def registration(self, name: str, mode: int, status: int, place: tuple[str, str], technology: int) -> str:
        return f"{status}, {place[0]}, {place[1]}" if mode == 2 and status in (1, 5) else str(status)

    def key(self, key: str) -> str:
        return f"^DDTMF: {key}"

    def memory_full(self, memory: str, flags: FLAGS) -> list[str]:
        return [f'^SMMEMFULL:"{memory}"']

    def network_time(self, local: datetime, quarters: int, flags: FLAGS) -> list[str]:
        return [f"^NWTIME:{local:%y/%m/%d,%H:%M:%S}{quarters:+03d},0"] if flags.get("curc") else []

    def noise(self, flags: FLAGS) -> list[str]:
        return ["^RSSI:20", "^BOOT:20952548,0,0,0,72"] if flags.get("curc") else []
