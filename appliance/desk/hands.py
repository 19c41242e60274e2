"""What the desk can do, given by core: each a callable of another room, so that the desk knows none of them."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, NamedTuple

from appliance.call_commands import AnswerCall, Dial


async def _cannot(*_: Any) -> Any:
    raise OSError("this box has nothing to do it with")


class Hands(NamedTuple):
    """Every one may raise Refusal or OSError; none is waited for longer than the desk's own deadline.

    Who is greeted (CallGreeted) hears the announcement until a person takes the call: the sound room sees to that.
    """

    usable: Callable[[], Collection[str]] = tuple  # lines on which a call is or could be
    speaks: Callable[[str], bool] = lambda line: False  # whether a caller on the line would hear the box
    quiet_s: Callable[[str], float | None] = lambda call: None  # s since the caller's last word; None: not known
    answer: Callable[[str, str, str], Awaitable[Any]] = _cannot  # line, call, actor
    reject: Callable[[str, str, str, str], Awaitable[Any]] = _cannot  # line, call, why for CallRefused, actor
    take: Callable[[AnswerCall, str], Awaitable[Any]] = _cannot  # as a person's own command, and its actor
    dial: Callable[[Dial, str], Awaitable[Any]] = _cannot  # with a number in `to`
    notice: Callable[[str, str, float, str], Awaitable[Any]] = _cannot  # number, text, lifetime in s, key
