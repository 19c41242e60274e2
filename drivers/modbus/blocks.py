"""Which registers to read together: the cheapest set of questions that covers all points.

No two blocks have the same length: a late answer to one can then never pass for the answer to another. Only a device
that wants no register read but the named ones (`bridge` 0) has blocks as they fall; the quarantine must do there.
"""

from collections.abc import Collection, Iterable
from itertools import accumulate

import msgspec

from drivers.modbus.registers import BIT_TABLES, Table

MAX_REGISTERS = 125  # Modbus application protocol: an answer holds at most 250 bytes of registers
MAX_BITS = 2000  # the same for coils and inputs
BITS = 16  # coils that weigh as much as a register

# What a question costs beside its registers, in registers of two characters. RTU: request 8, answer 5, two silences
# of 3.5 make 20 characters. TCP: a round trip weighs far more than bytes; the facts of the field say 31.
RTU_FRAME, TCP_FRAME = 10, 31


class Block(msgspec.Struct, frozen=True):
    """`count` registers (or coils) from `address`, read in one transaction, not more often than `every_s`."""

    address: int
    count: int
    table: Table = "holding"
    every_s: float = 0.0

    @property
    def end(self) -> int:
        return self.address + self.count


class Rules(msgspec.Struct, frozen=True):
    """What one device allows. `bridge` None: holes are read along where that is cheaper than another question."""

    frame: int = RTU_FRAME
    bridge: int | None = None
    max_registers: int = MAX_REGISTERS
    barriers: Collection[int] = ()
    exact: tuple[tuple[int, int], ...] = ()  # (address, count) that the device wants read exactly so


def plan(
    spans: Iterable[tuple[int, int]],
    rules: Rules,
    *,
    table: Table = "holding",
    every_s: float = 0.0,
    taken: Collection[int] = (),
) -> tuple[Block, ...]:
    """Blocks that cover all `spans` (address, width) and no register of the barriers, which the device rejects.

    No block is as long as one in `taken`, `size`s of blocks of this table made before. Raises ValueError when the
    lengths cannot be made to differ.
    """
    wanted = sorted(set(spans))
    fixed = [
        Block(address, count, table, every_s)
        for address, count in rules.exact
        if any(_inside(span, address, count) for span in wanted)
    ]
    wanted = [span for span in wanted if not any(_inside(span, b.address, b.count) for b in fixed)]
    widest = max((width for _, width in wanted), default=1)
    most = _most(rules, table)
    sizes = {*taken, *map(size, fixed)}
    # Full blocks leave no room to grow apart, so the limit gives way until they do.
    for limit in range(most, widest - 1, -BITS if table in BIT_TABLES else -1):
        blocks = [Block(at, end - at, table, every_s) for at, end in _cheapest(wanted, rules, limit, table)]
        apart = blocks if rules.bridge == 0 else _told_apart(blocks, most, rules.barriers, sizes)
        if apart is not None:
            return tuple(sorted([*fixed, *apart], key=lambda block: block.address))
    raise ValueError(
        f"blocks of different lengths of at most {most} registers cannot cover these points; "
        "raise max_registers, or remove a barrier or a point"
    )


def second_asks(blocks: Iterable[Block], rules: Rules, table: Table) -> dict[Block, Block]:
    """For each block one that covers it and has a length of its own: an answer to the first fits no question for it.

    None for what a device wants read exactly so.
    """
    mine = [block for block in blocks if block.table == table]
    sizes = {size(block) for block in mine}
    found: dict[Block, Block] = {}
    for block in mine:
        if rules.bridge == 0 or (block.address, block.count) in rules.exact:
            continue
        grown = _told_apart([block], _most(rules, table), rules.barriers, sizes)
        if grown is not None:
            found[block] = grown[0]
            sizes.add(size(grown[0]))
    return found


def _most(rules: Rules, table: Table) -> int:
    return min(rules.max_registers * BITS, MAX_BITS) if table in BIT_TABLES else rules.max_registers


def size(block: Block) -> int:
    """By what an answer's length tells the block: its registers, or the bytes of its coils."""
    return -(-block.count // 8) if block.table in BIT_TABLES else block.count


def _inside(span: tuple[int, int], address: int, count: int) -> bool:
    return address <= span[0] and span[0] + span[1] <= address + count


def _cheapest(spans: list[tuple[int, int]], rules: Rules, limit: int, table: Table) -> list[tuple[int, int]]:
    """The (start, end) of the cheapest blocks: best[i] covers the first i spans, as in breaking a text into lines."""
    frame = rules.frame * (BITS if table in BIT_TABLES else 1)
    ends = list(accumulate((address + width for address, width in spans), max))
    best: list[tuple[int, int]] = [(0, 0)]  # cost, and the first span of the last block
    for last in range(len(spans)):
        choices = []
        end, later = 0, None
        for first in range(last, -1, -1):
            address, width = spans[first]
            end = max(end, address + width)
            if later is not None and _parted(ends[first], later, rules):
                break
            if end - address > limit:
                break
            choices.append((best[first][0] + frame + end - address, first))
            later = address
        best.append(min(choices))
    found = []
    after = len(spans)
    while after:
        first = best[after][1]
        found.append((spans[first][0], max(address + width for address, width in spans[first:after])))
        after = first
    return found[::-1]


def _parted(end: int, later: int, rules: Rules) -> bool:
    """Whether a block must not reach from `end` to `later`."""
    if rules.bridge is not None and later - end > rules.bridge:
        return True
    return any(end <= barrier < later for barrier in rules.barriers)


def _told_apart(
    blocks: list[Block], most: int, barriers: Collection[int], sizes: Collection[int]
) -> list[Block] | None:
    taken = set(sizes)
    result = []
    for block in blocks:
        grown = block
        while size(grown) in taken:  # reading a register more is harmless, even one of the next block
            if grown.count == most or grown.end > 0xFFFF or grown.end in barriers:
                return None
            grown = msgspec.structs.replace(grown, count=grown.count + 1)
        taken.add(size(grown))
        result.append(grown)
    return result
