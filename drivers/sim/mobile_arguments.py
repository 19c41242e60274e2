"""What a person gave a knob of the mobile network, checked: modems by name or number, figures in their range."""

from collections.abc import Mapping

from drivers.sim.modem import SimModem
from drivers.sim.network import canonical


def find_modem(modems: Mapping[str, SimModem], name: str) -> SimModem:
    """By its name or its number. Raises ValueError."""
    for modem in modems.values():
        if isinstance(name, str) and (modem.name == name or modem.number == canonical(name)):
            return modem
    known = ", ".join(f"{modem.name} ({modem.number})" for modem in modems.values())
    raise ValueError(f"there is no modem {name!r}; there are {known}")


def a_number(name: str, value: float, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}; it must be a number from {least:g} to {most:g}")
    return float(value)


def a_whole(name: str, value: int, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}; it must be a whole number from {least} to {most}")
    return value


def a_switch(on: bool) -> bool:
    if not isinstance(on, bool):
        raise ValueError(f"on is {on!r}; it must be true or false")
    return on


def one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"{name} is {value!r}; it can be {', '.join(known)}")
    return value
