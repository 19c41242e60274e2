"""How full the memories of SIM and modem are: told when one is nearly full, and when it has room again. Pure."""

from collections.abc import Container

from appliance.events import SmsMemoryEvent, SmsMemoryFilling, SmsMemoryFreed
from drivers.modem.events import SmsMemory

NEARLY_FULL = 0.8  # of its places; the last ten of a SIM's fifty are two long messages to each of five people


def told(line: str, seen: SmsMemory, filling: Container[str]) -> SmsMemoryEvent | None:
    """What is new. `filling` are the memories, as "line/memory", that the journal has as nearly full."""
    nearly_full = seen.used >= NEARLY_FULL * seen.total
    if nearly_full == (f"{line}/{seen.memory}" in filling):
        return None
    kind = SmsMemoryFilling if nearly_full else SmsMemoryFreed
    return kind(line=line, memory=seen.memory, used=seen.used, total=seen.total)
