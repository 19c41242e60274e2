"""How the fold is written down: a table for each room, of what an event changes in the state."""

from collections.abc import Callable
from typing import Any, TypeVar

from appliance.event import Event
from appliance.stamp import Stamp
from appliance.state import State

E = TypeVar("E", bound=Event)
Fold = Callable[[State, Any, Stamp], None]


class Folds(dict[type[Event], Fold]):
    """One table; `of` enters the function below it for one or more kinds of events."""

    def of(self, *kinds: type[E]) -> Callable[[Callable[[State, E, Stamp], None]], Callable[[State, E, Stamp], None]]:
        def register(fold: Callable[[State, E, Stamp], None]) -> Callable[[State, E, Stamp], None]:
            for kind in kinds:
                self[kind] = fold
            return fold

        return register
