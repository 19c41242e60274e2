"""A slave that holds what a dump says, for ever the same. It takes no writes."""

from collections.abc import Mapping

from drivers.sim.modbus_slave import (
    ILLEGAL_FUNCTION,
    READ_COILS,
    READ_DISCRETE,
    READ_HOLDING,
    READ_INPUT,
    Exceptional,
)


class DumpRegisters:
    """One case of a dump. Its holding and input registers are one space, as most devices have only one of them.

    Raises ValueError when the two tables say different things of one address.
    """

    functions = frozenset({READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT})
    answers = True

    def __init__(
        self, registers: list[Mapping[int, int]], coils: Mapping[int, int], discretes: Mapping[int, int], fill: int
    ) -> None:
        self._words: dict[int, int] = {}
        for table in registers:
            if twice := [at for at, word in table.items() if self._words.get(at, word) != word]:
                raise ValueError(f"holding and input register {twice[0]} differ, and a replay has one space for both.")
            self._words |= table
        self._bits = {READ_COILS: coils, READ_DISCRETE: discretes}
        self._fill = fill

    def read(self, address: int, count: int) -> list[int]:
        return [self._words.get(at, self._fill) for at in range(address, address + count)]

    def read_bits(self, function: int, address: int, count: int) -> list[bool]:
        return [bool(self._bits[function].get(at, 0)) for at in range(address, address + count)]

    def write(self, address: int, values: list[int]) -> None:
        raise Exceptional(ILLEGAL_FUNCTION)

    def write_coil(self, address: int, on: bool) -> None:
        raise Exceptional(ILLEGAL_FUNCTION)
