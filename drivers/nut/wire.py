"""NUT's network protocol as text (developer guide, chapter "Network protocol"): lines to words, words to a line.

Words with blanks stand in double quotes; a backslash takes the next character as it is.
"""

from drivers.modbus.errors import BadAnswer

MAX_LINE = 1024  # bytes; upsd's own limit is 512 for what it reads


def words(line: bytes) -> list[str]:
    """The words of one line without its end. Raises BadAnswer for what is no line of the protocol."""
    text = line.decode("utf-8", "replace")  # a model's name may be in any coding; it is shown, not judged by
    found: list[str] = []
    word: list[str] | None = None
    quoted = escaped = False
    for c in text:
        if escaped:
            word, escaped = [*(word or []), c], False
        elif c == "\\":
            escaped = True
        elif c == '"':
            word, quoted = word or [], not quoted
        elif c.isspace() and not quoted:
            if word is not None:
                found.append("".join(word))
            word = None
        else:
            word = [*(word or []), c]
    if quoted or escaped:
        raise BadAnswer(f"upsd sent a line that ends in the middle of a word: {text[:80]!r}.")
    if word is not None:
        found.append("".join(word))
    return found


def line(*parts: str) -> bytes:
    """One line to send. Raises ValueError for a word that cannot stand in a line."""
    for part in parts:
        if not part or not part.isprintable():
            raise ValueError(f"{part!r} cannot stand in a line for upsd.")
    return (" ".join(map(_quoted, parts)) + "\n").encode()


def _quoted(part: str) -> str:
    if all(c.isalnum() or c in "-_.@:" for c in part):
        return part
    escaped = part.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
