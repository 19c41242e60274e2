"""What the desk writes by SMS to the overflow number: `notices.toml`, in the site's language."""

from pathlib import Path

import msgspec

from appliance.config import Site

FILE = Path(__file__).with_name("notices.toml")
LONGEST_NAME = 30  # characters of the centre's name, so that a notice stays one part


class Notices:
    """Reads the texts once. Raises OSError, msgspec.DecodeError when the installation is damaged."""

    def __init__(self, site: Site, file: Path = FILE) -> None:
        texts = msgspec.toml.decode(file.read_text(), type=dict[str, dict[str, str]])
        self._texts, self._name = texts[site.language], site.name[:LONGEST_NAME]

    def text(self, why: str, waiting: int, after_s: float) -> str:
        return self._texts[why].format(name=self._name, waiting=waiting, after_s=f"{after_s:g}")
