"""SIMCom SIM7600: RING, +CLCC: reports, VOICE CALL: BEGIN and END, MISSED_CALL; registration without quotes."""

from collections.abc import Mapping

from drivers.sim.modem_dialect import ACTIVE, ALERTING, ENDED, FLAGS, CallView, Dialect, Switch
from drivers.sim.network_calls import Cause


class Sim7600(Dialect):
    model, manufacturer, product = "sim7600", "SIMCOM INCORPORATED", "SIMCOM_SIM7600G-H"
    revision = "LE20B04SIM7600G22"
    woken = ("RDY",)
    settled = ("SMS DONE", "PB DONE")
    sim_gone = ("+SIMCARD: NOT AVAILABLE", "+CPIN: SIM REMOVED")
    cmee = 2
    cnmi = (0, 0, 0, 0, 0)  # forgets at each start whom to tell of messages
    memory = "SM"
    call_index = 4
    answered_before_ok, released_before_ok = 1, 2
    reports_clcc = True
    alpha = '""'
    switches = (Switch("+DDET", "keys", (0, 1)),)
    band = "EUTRAN-BAND3"
    power_down_command, power_down = "+CPOF", ("OK",)
    chatter = ("+STIN: 25", "+CGEV: EPS PDN ACT 1", "+CIEV: 7,1")
    fixed: Mapping[str, tuple[str, ...]] = {
        "I": (f"Manufacturer: {manufacturer}", f"Model: {product}", f"Revision: {revision}", "+GCAP: +CGSM"),
        "+CPSI?": ("+CPSI: LTE,Online,510-10,0x1F00,7930115,303,EUTRAN-BAND3,1850,5,5,-94,-864,-557,15",),
        "+CNSMOD?": ("+CNSMOD: 0,8",),
        "+CICCID": ("+ICCID: 89621012345678901234",),
        "+CBC": ("+CBC: 3.969V",),
    }

    def reports(self, call: CallView, flags: FLAGS) -> list[str]:
        clcc = [self.listed(call)] if flags.get("clcc") else []
        if call.state == ACTIVE and call.news:
            return ["VOICE CALL: BEGIN", *clcc]
        if call.state == ALERTING:
            return []  # only AT+CLCC shows it
        if call.state != ENDED:
            return clcc
        if call.talked_s is not None:
            minutes, seconds = divmod(int(call.talked_s), 60)
            return [*clcc, f"VOICE CALL: END: {minutes // 60:02d}{minutes % 60:02d}{seconds:02d}"]
        if call.ended_here:
            return clcc
        if call.incoming:
            return [f"MISSED_CALL: {call.clock} {call.number}"]
        return [*clcc, "BUSY" if call.cause is Cause.BUSY else "NO CARRIER"]

    def registration(self, name: str, mode: int, status: int, place: tuple[str, str], technology: int) -> str:
        if mode != 2 or status not in (1, 5):
            return str(status)
        space = " " if name == "+CEREG" else ""
        return f"{status},{space}{place[0]},{space}{place[1]}" + (f" ,{technology}" if space else "")

    def key(self, key: str) -> str:
        return f"+RXDTMF: {key}"

    def memory_full(self, memory: str, flags: FLAGS) -> list[str]:
        return ["+SMS FULL"]
