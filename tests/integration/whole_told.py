"""A story told and accounted for: what was found, and what the story was made of."""

from collections import Counter
from pathlib import Path

from whole_account import Account
from whole_story import Plan, Teller, Told
from whole_world import Whole, play_whole


def tell(folder: Path, plan: Plan) -> tuple[list[str], Counter[str]]:
    told = Told(tests=plan.tests, left=plan.left)
    found: list[str] = []

    async def whole(w: Whole) -> None:
        await w.greeted()
        await Teller(w, told).tell(plan.deaf, plan.story)
        account = Account(w, told)
        found.extend(account.faults())
        told.done.update(account.counted())

    play_whole(folder, whole, plan.tests)
    return found, told.done
