"""Rows of what orders to many stations took and cost."""

from collections.abc import Sequence

import msgspec

from tests.bench.table import Row, at_most, beside, exactly, percentile, plain

AIMS = {50: 0.5, 99: 1.0}  # s


class Order(msgspec.Struct):
    """One order to all. Seconds since before the request."""

    told: float  # the person has core's answer: it is on disk
    energised: float  # the last answer is on disk
    ended: float  # since the request to stop it
    cpu: dict[str, float]  # s, by process, until `energised`
    shown: float | None = None  # a page's view tells of all of them
    page: float | None = None  # s behind the last answer on disk until an open page in a browser has it
    page_kb: float = 0.0  # that the page was sent since the request


class Found(msgspec.Struct):
    """What was measured with one number of stations."""

    count: int
    orders: list[Order]
    idle: float  # % of a core
    pss: float  # MB
    rss: float
    right: int  # orders that the stations found rightly signed, for them
    watched: list[Order]  # with a page open
    view: float  # kB, of the largest view that the page got
    paged: list[Order]  # with web running and a page in a browser
    web_pss: float  # MB, of web behind them
    warmed: int  # orders besides, before those


def rows_of(found: Found, floors: Sequence[float]) -> list[Row]:
    n = found.count
    took = [order.energised for order in found.orders]
    name = f"order to {n} stations, until the last signed answer is on disk"
    rows = [at_most(f"{name}, p{percent}", percentile(took, percent), "s", most) for percent, most in AIMS.items()]
    if floors:
        rows.append(
            beside(f"{name}, p50 (floor: one unsigned message)", rows[0].value or 0, "s", percentile(floors, 50))
        )
    rows += [
        plain(
            "  of it until it is durable and its giver is told, p50",
            percentile([o.told for o in found.orders], 50),
            "s",
        ),
        plain(
            f"stop of {n} stations, until the last is seen silent, p50",
            percentile([o.ended for o in found.orders], 50),
            "s",
        ),
    ]
    rows += [
        plain(f"  CPU of {process} in an order", 1e3 * sum(o.cpu[process] for o in found.orders) / len(took), "ms")
        for process in found.orders[0].cpu
    ]
    if found.watched:
        watched = [order.energised for order in found.watched]
        shown = [order.shown for order in found.watched if order.shown is not None]
        rows += [at_most(f"{name}, page open, p50", percentile(watched, 50), "s", AIMS[50])]
        rows += [plain(f"  of it shown, p{percent}", percentile(shown, percent), "s") for percent in AIMS]
        rows.append(plain(f"a view while {n} stations are woken", found.view, "kB"))
    rows += page_rows(found)
    sent = 2 * n * (len(found.orders) + len(found.watched) + len(found.paged) + found.warmed)
    return [*rows, exactly("  orders and stops found rightly signed by their stations", found.right, "orders", sent)]


def cost_rows(found: Found) -> list[Row]:
    """What core costs with so many stations."""
    n = found.count
    return [
        plain(f"core with {n} stations: memory, PSS", found.pss, "MB"),
        plain(f"core with {n} stations: idle, a heartbeat of each in 3 s", found.idle, "% of a core"),
        plain(f"core with {n} stations: CPU in an order", 1e3 * core_cpu(found.orders), "ms"),
    ]


def page_rows(found: Found) -> list[Row]:
    """One page in a browser, and web's process behind it."""
    if not found.paged:
        return []
    n, orders = found.count, found.paged
    behind = [order.page for order in orders if order.page is not None]
    return [
        plain(f"page in a browser: behind the last of {n} answers on disk, p50", percentile(behind, 50), "s"),
        plain(f"page in a browser: behind the last of {n} answers on disk, p95", percentile(behind, 95), "s"),
        plain("  sent to it in an order and its stop", sum(o.page_kb for o in orders) / len(orders), "kB"),
        plain("  CPU of web in an order", 1e3 * sum(o.cpu["web"] for o in orders) / len(orders), "ms"),
        plain("  CPU of core in an order", 1e3 * core_cpu(orders), "ms"),
        plain("  memory of web, PSS", found.web_pss, "MB"),
    ]


def tls_rows(found: Found, clear: Found) -> list[Row]:
    """The same over TLS, as a box's broker speaks it, and what it costs."""
    took = [order.energised for order in found.orders]
    name = f"order to {found.count} stations over TLS, until the last signed answer is on disk"
    return [
        *(at_most(f"{name}, p{percent}", percentile(took, percent), "s", most) for percent, most in AIMS.items()),
        beside(
            "  CPU of core in an order (without TLS)", 1e3 * core_cpu(found.orders), "ms", 1e3 * core_cpu(clear.orders)
        ),
        beside("  idle, a heartbeat of each in 3 s (without TLS)", found.idle, "% of a core", clear.idle),
    ]


def core_cpu(orders: Sequence[Order]) -> float:
    """s in an order."""
    return sum(order.cpu["core"] for order in orders) / len(orders)


def costs_in_markdown(every: Sequence[Found]) -> str:
    """For docs/bench.md."""
    lines = [
        "| stations | core, PSS | idle, of a core | CPU in an order | last answer, p50 |",
        "|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one.count} | {one.pss:.0f} MB | {one.idle:.1f} % | {1e3 * core_cpu(one.orders):.0f} ms | "
        f"{percentile([o.energised for o in one.orders], 50):.2f} s |"
        for one in every
    ]
    return "\n".join(lines)
