"""Enrolment over the alarm network: a station's request goes up, the centre's grant comes down, in clear.

Neither is secret. Both screens then show the words of the grant: it holds the keys of both sides, so that who sits
between them cannot have the same words on both. Nothing is kept before a person said so on each side.
"""

import asyncio
from collections.abc import Awaitable, Callable

from appliance.key_book import BookError
from appliance.key_statement import MOST_OCTETS

PORT = 8114
WINDOW = 600.0  # s that a centre waits for its station: a telephone call and a walk to the rack
HEARD_WITHIN = 10.0  # s for a line once there is a connection
MOST_TRIES = 20  # connections in one window; a scanner must not end it at once, nor go on for ever
YES, NO = "yes", "no"


async def listen(host: str, port: int, offer: Callable[[str], str], agreed: Callable[[str], Awaitable[bool]]) -> bool:
    """At a centre. `offer` makes the grant of a request (raises ValueError for one that is none); a person then says
    whether the words are `agreed`. True once both sides have said yes. Raises OSError, TimeoutError.
    """
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    busy, tries = asyncio.Lock(), 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        try:
            if busy.locked() or done.done():
                return
            async with busy:
                try:
                    async with asyncio.timeout(HEARD_WITHIN):
                        request = (await reader.readline()).decode("ascii", "replace")
                    line = offer(request)
                except (TimeoutError, ValueError, BookError) as e:
                    writer.write(f"{NO} {e}\n".encode())
                    if tries >= MOST_TRIES and not done.done():
                        done.set_exception(BookError("Too many strangers connected; look at the network, then again."))
                    return
                writer.write(line.encode() + b"\n")
                await writer.drain()
                said, theirs = await asyncio.gather(agreed(line), _line(reader))
                both = said and theirs == YES
                writer.write(f"{YES if both else NO}\n".encode())
                await writer.drain()
                if not done.done():
                    done.set_result(both)
        except OSError as e:
            if not done.done():
                done.set_exception(e)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, port, limit=MOST_OCTETS)
    async with server, asyncio.timeout(WINDOW):
        return await done


async def call(host: str, port: int, request: str, agreed: Callable[[str], Awaitable[bool]]) -> str:
    """At a station: the grant that both sides agreed on. Raises OSError, TimeoutError, BookError."""
    async with asyncio.timeout(HEARD_WITHIN):
        reader, writer = await asyncio.open_connection(host, port, limit=MOST_OCTETS)
    try:
        writer.write(request.encode() + b"\n")
        async with asyncio.timeout(HEARD_WITHIN):
            line = await _line(reader)
        if line.startswith(NO) or not line:
            raise BookError(f"The centre refused: {line.removeprefix(NO).strip() or 'it serves another station now'}")
        said = await agreed(line)
        writer.write(f"{YES if said else NO}\n".encode())
        async with asyncio.timeout(WINDOW):
            answer = await _line(reader)
        if not (said and answer == YES):
            raise BookError("Nothing was changed: the words were not found the same on both screens.")
        return line
    finally:
        writer.close()


async def _line(reader: asyncio.StreamReader) -> str:
    return (await reader.readline()).decode("ascii", "replace").strip()
