"""The box's own authority: what it vouches for, for how long, and what a wrong clock makes of it. Dates are virtual."""

import datetime as dt

import pytest
from cryptography import x509

from web.authority import (
    BACK,
    DAY,
    RELEASED,
    SERVED_LASTS,
    Pair,
    Unusable,
    allowed,
    ending,
    issue,
    make_authority,
    names_in,
    parse,
    why_new,
)

NAMES = ("localhost", "pusat", "127.0.0.1", "192.168.1.20")
NOW = RELEASED + 100 * DAY
YEAR = 365 * DAY


@pytest.fixture(scope="module")
def authority() -> Pair:
    return make_authority("Pusat Komando 112", NAMES, NOW)


def good_at(pair: Pair, wall: float) -> bool:
    at = dt.datetime.fromtimestamp(wall, dt.UTC)
    return pair.certificate.not_valid_before_utc <= at <= pair.certificate.not_valid_after_utc


def test_the_authority_can_vouch_for_nothing_that_is_on_the_internet(authority: Pair) -> None:
    asked = [
        "bank.co.id",
        "8.8.8.8",
        "2001:db8::1",
        "evil-local",
        "pusat",
        "kamar.pusat",
        "x.lan",
        "10.1.2.3",
        "fd00::1",
    ]
    assert allowed(authority.certificate, asked) == ("10.1.2.3", "fd00::1", "kamar.pusat", "pusat", "x.lan")
    constraints = authority.certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    basic = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert basic.value.path_length == 0


def test_a_name_of_the_site_file_is_vouched_for_though_it_is_public() -> None:
    authority = make_authority("Pusat", ["siaga.ambon.go.id", "203.0.113.7"], NOW)
    assert allowed(authority.certificate, ["siaga.ambon.go.id", "ambon.go.id", "203.0.113.7", "203.0.113.8"]) == (
        "203.0.113.7",
        "siaga.ambon.go.id",
    )


@pytest.mark.parametrize("wall", [0.0, 1_577_836_800.0, RELEASED - 1])
def test_a_clock_that_is_wrong_at_the_first_start_makes_certificates_that_serve(wall: float) -> None:
    authority = make_authority("Pusat", NAMES, wall)
    served = issue(authority, NAMES, wall)
    for true_time in (RELEASED, RELEASED + 330 * DAY):
        assert good_at(served, true_time)
        assert good_at(authority, true_time)
    assert why_new(served.certificate, authority.certificate, NAMES, wall) == ""


def test_a_certificate_made_by_a_wrong_clock_is_replaced_when_the_time_is_known(authority: Pair) -> None:
    behind, ahead = issue(authority, NAMES, 0.0), issue(authority, NAMES, NOW + 9 * YEAR)
    true_time = RELEASED + 3 * YEAR
    for wrong in (behind, ahead):
        assert not good_at(wrong, true_time)
        assert why_new(wrong.certificate, authority.certificate, NAMES, true_time)
        assert good_at(issue(authority, NAMES, true_time), true_time)


def test_a_clock_that_fell_back_in_a_blackout_costs_no_good_certificate(authority: Pair) -> None:
    served = issue(authority, NAMES, RELEASED + 3 * YEAR)
    assert why_new(served.certificate, authority.certificate, NAMES, 0.0) == ""


def test_certificates_follow_one_another_through_the_years_with_a_third_of_their_time_to_spare(authority: Pair) -> None:
    served, made, spare = issue(authority, NAMES, NOW), 1, []
    for day in range(0, 10 * 365, 5):
        wall = NOW + day * DAY
        assert good_at(served, wall)
        if why_new(served.certificate, authority.certificate, NAMES, wall):
            spare.append(served.certificate.not_valid_after_utc.timestamp() - wall)
            served, made = issue(authority, NAMES, wall), made + 1
    assert made == 15
    assert min(spare) > 114 * DAY
    assert not ending(authority.certificate, NOW + 10 * YEAR)
    assert ending(authority.certificate, NOW + 19 * YEAR)


def test_no_certificate_lasts_longer_than_browsers_take(authority: Pair) -> None:
    for wall in (0.0, NOW, NOW + 19.5 * YEAR):
        made = issue(authority, NAMES, wall).certificate
        length = (made.not_valid_after_utc - made.not_valid_before_utc).total_seconds()
        assert BACK < length <= SERVED_LASTS <= 397 * DAY
        assert made.not_valid_after_utc <= authority.certificate.not_valid_after_utc


def test_a_new_address_needs_a_new_certificate_and_one_that_went_does_not(authority: Pair) -> None:
    served = issue(authority, NAMES, NOW).certificate
    assert names_in(served) == set(NAMES)
    assert "10.0.0.9" in why_new(served, authority.certificate, [*NAMES, "10.0.0.9"], NOW)
    assert why_new(served, authority.certificate, NAMES[:2], NOW) == ""


def test_a_certificate_of_another_authority_is_not_served(authority: Pair) -> None:
    other = make_authority("Pusat Komando 112", NAMES, NOW)
    assert why_new(issue(other, NAMES, NOW).certificate, authority.certificate, NAMES, NOW)


def test_what_is_not_whole_is_seen(authority: Pair) -> None:
    pem, other = authority.pem(), issue(authority, NAMES, NOW).pem()
    assert parse(pem).certificate == authority.certificate
    for broken in (b"", pem[: len(pem) // 2], pem[:-40], bytes(len(pem)), pem[: pem.index(b"-----BEGIN CERT")]):
        with pytest.raises(Unusable):
            parse(broken)
    with pytest.raises(Unusable, match="belong together"):
        parse(pem[: pem.index(b"-----BEGIN CERT")] + other[other.index(b"-----BEGIN CERT") :])
