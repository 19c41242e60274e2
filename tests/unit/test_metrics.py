"""What Prometheus gets, read with its own parser: only what is known, and nothing private."""

import msgspec
from dashboard_story import NOW, full_view
from prometheus_client.parser import text_string_to_metric_families

from web.metrics import exposition

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def with_labels(samples: Samples, name: str, **labels: str) -> list[float]:
    return [value for (n, own), value in samples.items() if n == name and labels.items() <= set(own)]


def test_a_figure_that_is_known_is_there_with_its_unit_age_and_quality() -> None:
    samples = scraped(exposition(full_view(), NOW, live=True))
    assert with_labels(samples, "siaga_reading", kind="genset", device="g1", point="fuel_level", unit="%") == [61.5]
    assert with_labels(samples, "siaga_reading_age_seconds", device="g1", point="fuel_level") == [1.0]
    assert with_labels(samples, "siaga_reading_quality", device="g1", point="fuel_level", quality="good") == [1.0]
    assert with_labels(samples, "siaga_reading", device="g1", point="mode", value="auto") == [1.0]
    assert with_labels(samples, "siaga_power_source", source="genset") == [1.0]
    assert with_labels(samples, "siaga_link_up", link="genset/g1") == [0.0]


def test_what_is_old_or_not_known_has_no_value_and_says_why() -> None:
    samples = scraped(exposition(full_view(), NOW, live=True))
    for point, quality in (("battery_v", "stale"), ("coolant_temperature", "sensor_fault")):
        assert with_labels(samples, "siaga_reading", device="g1", point=point) == []
        assert with_labels(samples, "siaga_reading_quality", device="g1", point=point) == [1.0]
        assert with_labels(samples, "siaga_reading_quality", device="g1", point=point, quality=quality) == [1.0]


def test_without_core_nothing_is_claimed() -> None:
    assert scraped(exposition(full_view(), NOW, live=False)) == {("siaga_core_up", frozenset()): 0.0}


def test_an_alarm_is_counted_while_it_stands_and_a_name_may_hold_any_sign() -> None:
    view = full_view()
    view.links['a"b\\c\nd'] = view.links["broker"]
    samples = scraped(exposition(view, NOW, live=True))
    assert with_labels(samples, "siaga_alarms", priority="1") == [1.0]
    assert with_labels(samples, "siaga_alarms", priority="2") == [1.0]
    assert with_labels(samples, "siaga_alarm", alarm="line.lost") == []
    assert with_labels(samples, "siaga_link_up", link='a"b\\c\nd') == [1.0]


def test_numbers_of_people_are_in_no_metric() -> None:
    assert "+62" not in exposition(full_view(), NOW, live=True)


def test_a_view_as_core_sends_it_is_told_as_well() -> None:
    view = msgspec.json.decode(msgspec.json.encode(full_view()), type=type(full_view()))
    assert exposition(view, NOW, live=True) == exposition(full_view(), NOW, live=True)
