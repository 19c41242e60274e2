"""PINs that systemd hands to core beside the site file."""

from pathlib import Path

import pytest

from appliance.config import Site, SiteError, load_site
from appliance.credentials import with_credentials

SITE = load_site(Path(__file__).parents[2] / "firmware-config/sites/demo/centre.toml")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


def pins(site: Site) -> dict[str, str | None]:
    return {line.id: line.pin for line in site.line}


def test_without_systemd_and_without_the_file_the_site_is_as_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert with_credentials(SITE) is SITE
    (folder / "secrets.toml").write_text("#")  # what the unit gives where there is no file
    assert with_credentials(SITE) == SITE
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert with_credentials(SITE) is SITE


def test_a_pin_goes_to_its_line_and_is_not_printed(folder: Path) -> None:
    first, *others = [line.id for line in SITE.line]
    (folder / "secrets.toml").write_text(f'[pin]\n{first} = "4711"\n')
    site = with_credentials(SITE)
    assert pins(site)[first] == "4711"
    assert {line: pins(site)[line] for line in others} == {line: pins(SITE)[line] for line in others}
    assert "4711" not in repr(site)


@pytest.mark.parametrize(
    "text", ['[pin]\nl1 = "47 11"', "[pin]\nl1 = 4711", 'pin = "4711"', '[pin]\nl1 = "4711', '[nobody]\nl1 = "4711"',
             '[pin]\nl99 = "4711"'],
)  # fmt: skip
def test_a_wrong_file_is_refused_and_not_quoted(folder: Path, text: str) -> None:
    (folder / "secrets.toml").write_text(text)
    with pytest.raises(SiteError, match=r"secrets\.toml") as refused:
        with_credentials(SITE)
    assert "47" not in str(refused.value)
