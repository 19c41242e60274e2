"""The firewall, loaded by nft into a network of its own, and tried by neighbours over real cables."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.namespaces import inside, needs

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "firmware-config" / "nftables" / "nftables.conf"
TRY = Path(__file__).parent / "firewall_try.py"
PAGE = [80, 443, 8112, 8443]

pytestmark = [needs("nft", "nftables"), needs("ip", "iproute2")]


@pytest.fixture(scope="module")
def seen() -> Any:
    tried = inside('exec "$@"', "--net", arguments=[sys.executable, TRY, RULES])
    assert tried.returncode == 0, tried.stdout + tried.stderr
    return json.loads(tried.stdout)


def test_nft_takes_it() -> None:
    checked = inside('nft -c -f "$1"; nft -f "$1"; nft -f "$1"; nft list ruleset', "--net", arguments=[RULES])
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count("dport 8883") == 1  # loaded again it is not doubled


def test_a_neighbour_reaches_what_the_box_serves_and_nothing_else(seen: Any) -> None:
    assert seen["near"]["tcp"] == sorted([22, *PAGE, 8114, 8883])
    assert seen["near"]["udp"] == [123]


def test_a_stranger_from_far_reaches_the_broker_alone_which_asks_for_a_certificate(seen: Any) -> None:
    assert seen["far"] == {"tcp": [8883], "udp": []}


def test_the_box_reaches_itself(seen: Any) -> None:
    assert seen["itself"] == [1884, 3493, 8112, 8883, 8884]


def test_who_tries_to_log_in_again_and_again_has_to_wait(seen: Any) -> None:
    assert 5 <= seen["logins"] <= 15


def test_stations_that_all_come_back_behind_one_address_are_let_in(seen: Any) -> None:
    assert seen["stations"] == 500


def test_nothing_is_forwarded() -> None:
    listed = inside('nft -f "$1" && nft list chain inet siaga forward', "--net", arguments=[RULES])
    assert "policy drop" in listed.stdout
    assert "accept" not in listed.stdout
