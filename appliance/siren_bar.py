"""The lockout of this box's siren, told to the annunciator: there it holds for the red button and without core too."""

import logging
from collections.abc import Callable

from appliance.annunciator_client import AnnunciatorLink
from drivers.jsonsocket import Gone, Refusal

log = logging.getLogger("siaga.local")


class SirenBar:
    """`left_s`: how long the siren is still locked, 0 for not. It must be told again to an annunciator that is back."""

    def __init__(self, annunciator: AnnunciatorLink, outputs: tuple[str, ...], left_s: Callable[[], float]) -> None:
        self._annunciator, self._outputs, self._left_s = annunciator, outputs, left_s
        self.behind = False  # the annunciator has not got the last word

    async def tell(self) -> bool:
        """Whether the annunciator holds it now."""
        self.behind = True
        try:
            await self._annunciator.lock(self._outputs, self._left_s())
        except (Gone, Refusal) as e:
            log.error("the annunciator does not take the siren's lockout: %s", e)
            return False
        self.behind = False
        return True
