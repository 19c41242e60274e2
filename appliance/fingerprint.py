"""A certificate's fingerprint for two people to compare: as browsers show it, and as words that can be read aloud.

The words are proquints (Wilkerson, 2009): 16 bits each, of letters that sound alike in Indonesian and English.
"""

CONSONANTS, VOWELS = "bdfghjklmnprstvz", "aiou"
WORDS = 6  # 96 bits: nobody makes a second certificate with the same ones


def in_words(digest: bytes) -> str:
    """The digest's first 12 octets as six words: "lusab babad gutih tugad hutam mudof"."""
    numbers = (int.from_bytes(digest[at : at + 2]) for at in range(0, 2 * WORDS, 2))
    return " ".join(map(_word, numbers))


def in_hex(digest: bytes) -> str:
    """As certificate viewers write it: A1:B2:..."""
    return digest.hex(":").upper()


def _word(number: int) -> str:
    return (
        CONSONANTS[number >> 12] + VOWELS[number >> 10 & 3] + CONSONANTS[number >> 6 & 15]
        + VOWELS[number >> 4 & 3] + CONSONANTS[number & 15]
    )  # fmt: skip
