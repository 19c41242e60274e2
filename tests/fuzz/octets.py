"""Octets for the campaign: messages and modem talk, right ones, bent ones and noise. All from one seeded source."""

from random import Random

from drivers.modem import gsm7, gsm7_national

LONGEST_PDU = 300  # octets; the codec takes 255
LONGEST_TEXT = 400  # characters: up to three parts of 7 bit, six of UCS-2

# What modems, networks and broken cables say; `%` becomes a number, `@` hex.
LINES = (
    "OK", "ERROR", "+CME ERROR: %", "+CMS ERROR: %", "+CMS ERROR:", "COMMAND NOT SUPPORT", "NO CARRIER", "BUSY", "RING",
    "> ", "+CSQ: %,%", "+CESQ: 99,99,255,255,%,%", "+CMGS: %", "+CMGR: 1,,%", "@", "+CMT: ,%", "+CDS: %",
    '+CMTI: "ME",%', '+CDSI: "SR",%', '+CREG: %,"04CA","81DE"', "+CREG: %,%", "+CEREG: 2,1, 1F00, 79D903 ,7",
    '+CLCC: 1,1,%,0,0,"%",129,"",,0', "+CLCC: %,1,6,0,0", '+CLIP: "%",129,,,,0', '+CCWA: "%",129,1,,0',
    '+QIND: "ccinfo",2,1,%,0,0,"+38970349147",145', "^DSCI: 2,1,%,0,%,145", "VOICE CALL: BEGIN", "VOICE CALL: END: %",
    "MISSED_CALL: 11:53AM %", "^ORIG:%,0", "^CONF :%", "^CONN:%", "^CEND:%", "+RXDTMF: %", "+QTONEDET: %",
    '+CUSD: %,"menu\r\n1. a', '2. b",15', '+CUSD: %,"@",72', "+CPIN: READY", '+CPMS: "SM",%,%,"ME",%,%',
    '+COPS: 0,0,"TELKOMSEL",%', '+CMGL: %,1,,%', "+CMEE: 1", "+CMGF: 0", '+CSCS: "GSM"', "+CNMI: 2,1,0,2,0", "EG25",
)  # fmt: skip
COMMANDS = (
    "AT", "ATI", "ATA", "ATH", "ATD+62811234567;", "AT+CSQ", "AT+CREG?", "AT+CLCC", "AT+CMGR=1", "AT+CMGL=4",
    "AT+CMGS=23", 'AT+CUSD=1,"*888#",15', "AT+CPMS?", "AT+COPS?", "AT+CNMI=2,1,0,2,0",
)  # fmt: skip
ENDS = ("\r\n", "\r\n", "\r\n\r\n", "\r", "\n", "")
ALPHABETS = (
    gsm7.DEFAULT.replace("\x1b", ""),
    gsm7.DEFAULT.replace("\x1b", "") + "".join(gsm7.EXTENSION.values()),
    "".join(chr(point) for point in range(0x20, 0x600)),
    "aé€→ঁअ🔥🚒\ud83d\udd25",  # the last two: halves of a character
)


def bent(random: Random, octets: bytes) -> bytes:
    """Some octets changed, taken out, put in or repeated; sometimes none."""
    bits = bytearray(octets)
    for _ in range(random.choice((0, 0, 1, 2, 5))):
        at = random.randrange(len(bits) + 1)
        match random.randrange(5):
            case 0 | 1:
                bits[at : at + 1] = random.randbytes(1)
            case 2:
                del bits[at : at + random.randrange(1, 8)]
            case 3:
                bits[at:at] = random.randbytes(random.randrange(1, 8))
            case 4:
                bits[at:at] = bits[at : at + random.randrange(1, 40)]
    return bytes(bits)


def pdu(random: Random) -> tuple[bytes, bool]:
    """A message of any kind as it might come in, bent or right, or noise; and whether an SMSC stands in front."""
    smsc = random.choice((b"", b"\x00", bytes.fromhex("07912618010000F0")))
    kind = random.randrange(10)
    if kind == 0:
        octets = random.randbytes(random.randrange(LONGEST_PDU))
    elif kind == 1:
        report = bytes((random.choice((0x02, 0x06)), random.randrange(256))) + _address(random) + _time(random)
        octets = report + _time(random) + random.randbytes(1) + b"\xff" * random.randrange(9)
    elif kind == 2:
        octets = b"\x02" + random.randbytes(4) + _address(random) + bytes((3,)) + random.randbytes(3)
    else:
        octets = _message(random)
    return bent(random, smsc + octets), bool(smsc) != (random.random() < 0.1)


def _message(random: Random) -> bytes:
    """A DELIVER or a SUBMIT with anything in its header and behind it."""
    has_header = random.random() < 0.7
    header = _header(random) if has_header else b""
    dcs = random.choice((0x00, 0x00, 0x04, 0x08, 0x10, 0xF5, random.randrange(256)))
    body = header + random.randbytes(random.randrange(141 - len(header)))
    length = len(body) * 8 // 7 if dcs in (0x00, 0x10) else len(body)
    first = random.choice((0x00, 0x04, 0x24, 0x01, 0x11, 0x19)) | (0x40 if has_header else 0)
    submit = first & 3 == 1
    validity = {0x11: 1, 0x19: 7}.get(first & 0x1F, 0) if submit else 7
    lead = bytes((first, 0)) if submit else bytes((first,))
    return lead + _address(random) + bytes((0, dcs)) + _time(random)[:validity] + bytes((length,)) + body


def talk(random: Random) -> bytes:
    """Some lines of a modem, cut where a port cuts them: anywhere."""
    if random.random() < 0.05:
        return random.randbytes(random.randrange(1, 3000))
    out = []
    for _ in range(random.randrange(1, 8)):
        line = random.choice(LINES).replace("%", str(random.choice((0, 1, 2, 5, 31, 99, 10**12))))
        line = line.replace("@", random.choice((random.randbytes(20), pdu(random)[0])).hex().upper())
        out.append(line.encode("latin-1") + random.choice(ENDS).encode("latin-1"))
    whole = b"".join(out)
    return bent(random, whole) if random.random() < 0.5 else whole


def text(random: Random) -> str:
    """Of one alphabet's characters, also such as no encoder can take."""
    letters = random.choice((*ALPHABETS, letters_of(random.randrange(15), random.randrange(15))))
    return "".join(random.choices(letters, k=random.randrange(random.choice((20, 170, LONGEST_TEXT)))))


def letters_of(locking: int, shift: int) -> str:
    """Every character that can be written with these tables."""
    codes = [code for code in range(128) if code != gsm7.ESC]
    both = bytes(codes) + b"".join(bytes((gsm7.ESC, code)) for code in codes)
    return gsm7.text_of(both, locking, shift).replace("\ufffd", "")


def languages(random: Random) -> tuple[int | None, int | None]:
    """Tables for a text: mostly none, or any, also such as there are not."""
    known = (None, None, None, 0, *gsm7_national.SHIFT, 14, 255)
    return random.choice(known), random.choice(known)


def _address(random: Random) -> bytes:
    if random.random() < 0.5:  # the same sender again, so that parts meet
        return bytes.fromhex("0A912618325476")
    digits = random.randrange(21)
    return bytes((digits, random.choice((0x91, 0x81, 0xD0, 0xA1)))) + random.randbytes((digits + 1) // 2)


def _time(random: Random) -> bytes:
    return random.choice((bytes.fromhex("62111021436582"), random.randbytes(7)))


def _header(random: Random) -> bytes:
    elements = b""
    for _ in range(random.randrange(1, 4)):
        total = random.choice((1, 2, 2, 3, 255))
        elements += random.choice(
            (
                bytes((0x00, 3, random.randrange(4), total, random.randrange(1, total + 1))),
                bytes((0x08, 4, 0, random.randrange(4), total, random.randrange(total + 1))),
                bytes((0x05, 4)) + random.randbytes(4),
                bytes((0x24, 1, random.randrange(16))),
                bytes((0x25, 1, random.randrange(16))),
                bytes((random.randrange(256), 2)) + random.randbytes(2),
            )
        )
    return bytes((len(elements),)) + elements
