"""The wrong and odd ways in which modems have been seen to write +CREG, +CGREG and +CEREG."""

from collections.abc import Callable, Mapping

Written = Callable[[int, str, str, int], str]  # status, area, cell, technology

STYLES: Mapping[str, Written] = {
    "bare": lambda status, area, cell, act: f"{status},{area},{cell},{act}",
    "quoted": lambda status, area, cell, act: f'{status},"{area}","{cell}",{act}',
    "spaces": lambda status, area, cell, act: f"{status}, {area}, {cell} ,{act}",
    "missing_quote": lambda status, area, cell, act: f'{status},"{area},"{cell}",{act}',
    "no_technology": lambda status, area, cell, act: f'{status},"{area}","{cell}"',
    "unasked_place": lambda status, area, cell, act: (
        f'{status},"{area}","{cell}",{act}'
    ),  # also when the mode is 0 or 1
}
OWN = "own"  # as the model's dialect writes it


def wants_place(style: str, mode: int, status: int) -> bool:
    return status in (1, 5) and (mode == 2 or style == "unasked_place")
