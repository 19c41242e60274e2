"""What upsd says no to. The rest of what can go wrong has the same names as on a Modbus line."""

from drivers.modbus.errors import BusError

NEXT = {  # upsd's codes that a person can do something about
    "ACCESS-DENIED": "give the user in upsd.users the rights for it (instcmds), and upsd our address (LISTEN)",
    "CMD-NOT-SUPPORTED": "its driver cannot do that; order it at the UPS itself",
    "DATA-STALE": "upsd's driver has lost the UPS; look at its cable",
    "DRIVER-NOT-CONNECTED": "start upsd's driver for this UPS",
    "INVALID-PASSWORD": "compare with upsd.users",
    "UNKNOWN-UPS": "compare the name with upsd's ups.conf",
}
DRIVER_LOST = frozenset({"DATA-STALE", "DRIVER-NOT-CONNECTED"})  # upsd itself says that it has no data


class UpsdRefused(BusError):
    """upsd understood and said no, with one of its codes; nothing was done."""

    sent = False

    def __init__(self, name: str, code: str) -> None:
        advice = f": {NEXT[code]}" if code in NEXT else ""
        super().__init__(f"{name}: upsd says {code}{advice}.")
        self.code = code

    @property
    def lost(self) -> bool:
        """Whether upsd has no link to the UPS."""
        return self.code in DRIVER_LOST
