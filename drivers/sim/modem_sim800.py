"""SIMCom SIM800, 2G only, behind a USB-serial adapter: its port stays when it dies, and only RDY tells of it.

Words from SIM800 Series AT Command Manual V1.09.
"""

from collections.abc import Mapping
from datetime import datetime

from drivers.sim.modem_dialect import ENDED, FLAGS, GSM, CallView, Dialect, Switch, ending


class Sim800(Dialect):
    model, manufacturer, product = "sim800", "SIMCOM_Ltd", "SIMCOM_SIM800L"
    revision = "Revision:1418B05SIM800L24"
    woken = ("RDY", "+CFUN: 1")
    settled = ()
    registered = ("Call Ready", "SMS Ready")
    sim_gone = ("+CPIN: NOT INSERTED",)
    cmee = 0
    cnmi = (2, 1, 0, 0, 0)
    cnmi_most = (3, 3, 2, 1, 1)  # no place for reports: AT+CNMI=2,1,0,2,0 is refused
    memory, memories = "SM", ("SM", "ME")
    call_index = 1
    answered_before_ok, released_before_ok = 0, 0
    reports_clcc = True
    arrangements = "0,1,1x,2,2x,3,4"
    alpha = '""'
    lacks = frozenset({"+CEREG", "+CESQ", "+CTZR", "+CTZU", "+CPINR"})
    accepts = ("+CSDT", "+CMIC", "+CMTE", "+CSCLK", "+CSNS", "+ECHO")
    switches = (Switch("+DDET", "keys", (0, 1)), Switch("+CLTS", "clts", (0, 1)), Switch("+MORING", "moring", (0, 1)))
    over_usb = False
    technology = GSM
    band = "EGSM"
    places: Mapping[str, tuple[str, str]] = {"+CREG": ("04CA", "1DE4"), "+CGREG": ("04CA", "1DE4")}
    clock_begins = datetime(2004, 1, 1)
    power_down, power_down_command = ("NORMAL POWER DOWN",), "+CPOWD"
    low_voltage = ("UNDER-VOLTAGE WARNNING", "UNDER-VOLTAGE POWER DOWN")  # the maker's own spelling
    chatter = ('+CIEV: 10,"51010","TELKOMSEL","TELKOMSEL", 0, 0', "+CTZV: +28,0", "DST: 0")
    fixed: Mapping[str, tuple[str, ...]] = {
        "I": ("SIM800 R14.18",),
        "+CCID": ("89621012345678901234",),
        "+CBC": ("+CBC: 0,78,3902",),
    }

    def clip(self, call: CallView) -> str:
        return f'+CLIP: "{call.number}",{call.type},"",0,"",{0 if call.number else 1}'

    def listed(self, call: CallView) -> str:
        return f'{super().listed(call)},""' if call.number else super().listed(call)

    def reports(self, call: CallView, flags: FLAGS) -> list[str]:
        lines = [self.listed(call)] if flags.get("clcc") else []
        if flags.get("moring") and call.news and not call.incoming and call.state in (3, 0):
            lines.append("MO RING" if call.state else "MO CONNECTED")
        return [*lines, ending(call)] if call.state == ENDED and not call.ended_here else lines

    def registration(self, name: str, mode: int, status: int, place: tuple[str, str], technology: int) -> str:
        return f'{status},"{place[0]}","{place[1]}"' if mode == 2 and status in (1, 5) else str(status)

    def key(self, key: str) -> str:
        return f"+DTMF: {key}"

    def network_time(self, local: datetime, quarters: int, flags: FLAGS) -> list[str]:
        if not flags.get("clts"):
            return []
        when = f"{local.year},{local.month},{local.day},{local.hour},{local.minute},{local.second}"
        return [f'*PSUTTZ: {when},"{quarters:+03d}",0', "DST: 0"]
