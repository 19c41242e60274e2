"""Quectel EG25-G, firmware 30.202: +CLIP and ccinfo announce a call, RING and +CRING never come."""

from collections.abc import Mapping

from drivers.sim.modem_dialect import ENDED, FLAGS, CallView, Dialect, Switch, ending


class Eg25g(Dialect):
    model, manufacturer, product, revision = "eg25g", "Quectel", "EG25", "EG25GGBR07A08M2G_30.202"
    woken = ("RDY", "+CFUN: 1")
    settled = ("+QUSIM: 1", "+QIND: SMS DONE", "+QIND: PB DONE")
    sim_gone = ("+CPIN: NOT READY",)
    cnmi = (2, 1, 0, 0, 0)
    memory = "ME"
    call_index = 2  # 1 is the data session that VoLTE keeps
    busy_lines = ('+CLCC: 1,0,0,1,0,"",128',)
    answered_before_ok, released_before_ok = 0, 0
    accepts = ("+QURCCFG", "+QMBNCFG", "+QSIMDET", "+QSIMSTAT")
    switches = (Switch("+QTONEDET", "keys", (0, 1)),)
    on: Mapping[str, int] = {"ctzu": 1}
    band = "LTE BAND 3"
    power_down, power_down_command = ("OK", "POWERED DOWN"), "+QPOWD"
    chatter = ('+QIND: "csq",21,99', '+QIND: "act","FDD LTE"', "+CIEV: 7,1")
    fixed: Mapping[str, tuple[str, ...]] = {
        "I": ("Quectel", "EG25", f"Revision: {revision}"),
        "+QGMR": (f"{revision}.202.00.000",),
        '+QCFG="usbcfg"': ('+QCFG: "usbcfg",0x2C7C,0x0125,1,1,1,1,1,0,1',),
        "+QCCID": ("+QCCID: 89621012345678901234",),
        "+CBC": ("+CBC: 0,78,3902",),
    }

    def rings(self, call: CallView, flags: FLAGS) -> list[str]:
        return [self.clip(call)] if flags.get("clip") else []

    def reports(self, call: CallView, flags: FLAGS) -> list[str]:
        lines = []
        if flags.get("ccinfo"):
            lines.append(f'+QIND: "ccinfo",{call.clcc(-1 if call.state == ENDED else call.state)}')
        if call.state == ENDED and not call.ended_here:
            lines.append(ending(call))
        return lines

    def key(self, key: str) -> str:
        return f"+QTONEDET: {ord(key)}"

    def memory_full(self, memory: str, flags: FLAGS) -> list[str]:
        return [f'+QIND: "smsfull","{memory}"'] if flags.get("smsfull") else []
