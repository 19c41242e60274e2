"""Whatever core answers to an order for the plant or about an alarm, a page says it in words of both languages."""

import inspect
import re
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest

from appliance import commands, control
from appliance.alarms import desk
from appliance.power import order_machine, order_refusals, orders
from appliance.power_commands import PlantCommand
from web.orders import ALARM_ORDERS, Orders
from web.plant_orders import STATES, refusal_words
from web.words import LANGUAGES, Words, load_texts

TEXTS = {language: load_texts(language) for language in LANGUAGES}
WEB = {"core_gone", "unknown_outcome", "bad_command", "login"}  # what web and the control socket say of any order


def refusals(*modules: ModuleType) -> set[str]:
    """The codes that a module raises by itself."""
    return {code for m in modules for code in re.findall(r'Refusal\(\s*"(\w+)"', inspect.getsource(m))}


def returned(module: ModuleType) -> set[str]:
    """The codes of what stands in the way: what its checks return."""
    found = re.findall(r'return "(\w+)"|"(\w+)" if |else "(\w+)"', inspect.getsource(module))
    return {code for codes in found for code in codes if code}


def failures() -> set[str]:
    source = inspect.getsource(orders)
    ends = re.findall(r'_end\([\w.\[\]]+, "(\w+)"', source)
    whys = re.findall(r'return "(\w+)"', inspect.getsource(orders._why))
    return {*ends, *whys, *re.findall(r'due, "(\w+)"\)', source), "not_observed"}


def told(language: str, path: str, code: str) -> str:
    """What a person reads; the text of core is nowhere in it."""
    words = Words(language, TEXTS[language], ZoneInfo("UTC"))
    _, answer = Orders(None, words)._no(path, code, "CORE'S OWN TEXT")  # type: ignore[arg-type]
    return str(answer["text"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_of_an_order_to_the_plant_has_words(language: str) -> None:
    codes = set(order_refusals.WORDS) | refusals(order_refusals, control) - {"people", "wrong", "slow_down"} | WEB
    assert {"outage", "back_fed", "no_device", "role"} <= codes
    assert [c for c in codes - {"unknown", "too_old", "journal"} if "CORE'S" in told(language, "/power/order", c)] == []


def test_every_interlock_has_words_of_core_too() -> None:
    assert {"outage", "runs", "relay_held"} <= returned(order_machine)
    assert returned(order_machine) - set(order_refusals.WORDS) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_about_an_alarm_has_words(language: str) -> None:
    codes = refusals(desk) | {"role"} | WEB
    assert {"no_alarm", "full"} <= codes
    said = {path: [c for c in codes if "CORE'S" in told(language, path, c)] for path in ALARM_ORDERS}
    assert {path: left for path, left in said.items() if left} == {}
    assert commands.TECHNICAL  # what an operator may not do, for which "role" is answered


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_state_and_failure_of_an_order_has_words(language: str) -> None:
    texts = TEXTS[language]
    words = Words(language, texts, ZoneInfo("UTC"))
    ends = failures()
    assert {"not_sent", "refused", "restarted", "cancelled", "died", "not_ready"} <= ends
    assert [code for code in ends | set(order_refusals.WORDS) if refusal_words(words, code) == code] == []
    assert [c for c in PlantCommand if f"offer.command.{c}" not in texts or f"offer.asks.{c}" not in texts] == []
    assert [s for s in STATES if f"plant_order.state.{s}" not in texts] == []
    assert [r for roles in order_machine.ROLES.values() for r in roles if f"person.role.{r}" not in texts] == []
