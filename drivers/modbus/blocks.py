"""Which registers to read together. A question costs more than some registers, so small holes are read along.

No two blocks have the same length: a late answer to one can then never pass for the answer to another.
"""

from collections.abc import Collection, Iterable

import msgspec

MAX_REGISTERS = 125  # Modbus application protocol: an answer holds at most 250 bytes of registers


class Block(msgspec.Struct, frozen=True):
    """`count` registers from `address`, read in one transaction."""

    address: int
    count: int

    @property
    def end(self) -> int:
        return self.address + self.count


def plan(
    spans: Iterable[tuple[int, int]],
    *,
    bridge: int,
    max_registers: int = MAX_REGISTERS,
    barriers: Collection[int] = (),
) -> tuple[Block, ...]:
    """Blocks that cover all `spans` (address, registers) and no register of `barriers`, which the device rejects.

    Holes of up to `bridge` registers are read along. Raises ValueError when the lengths cannot be made to differ.
    """
    wanted = sorted(set(spans))
    widest = max((width for _, width in wanted), default=1)
    # Full blocks leave no room to grow apart, so the limit gives way until they do.
    for limit in range(max_registers, widest - 1, -1):
        blocks = _told_apart(_join(wanted, bridge, limit, barriers), max_registers, barriers)
        if blocks is not None:
            return blocks
    raise ValueError(
        f"blocks of different lengths of at most {max_registers} registers cannot cover these points; "
        "raise max_registers, or remove a barrier or a point"
    )


def _join(wanted: list[tuple[int, int]], bridge: int, limit: int, barriers: Collection[int]) -> list[Block]:
    blocks: list[Block] = []
    for address, width in wanted:
        if blocks:
            last = blocks[-1]
            end = max(last.end, address + width)
            near = address - last.end <= bridge and end - last.address <= limit
            if near and not any(last.end <= barrier < address for barrier in barriers):
                blocks[-1] = Block(last.address, end - last.address)
                continue
        blocks.append(Block(address, width))
    return blocks


def _told_apart(blocks: list[Block], max_registers: int, barriers: Collection[int]) -> tuple[Block, ...] | None:
    taken: set[int] = set()
    result = []
    for block in blocks:
        count = block.count
        while count in taken:  # reading a register more is harmless, even one of the next block
            grown = block.address + count  # the register that is added
            if count == max_registers or grown > 0xFFFF or grown in barriers:
                return None
            count += 1
        taken.add(count)
        result.append(Block(block.address, count))
    return tuple(result)
