"""libmodbus, another program's master, by ctypes: one blocking read at a time, each with its own connection."""

import ctypes
import os
from ctypes import c_char, c_char_p, c_int, c_uint8, c_uint16, c_uint32, c_void_p
from pathlib import Path

LIBRARY = "libmodbus.so.5"
TIMEOUT_S = 8
READS = {
    "holding": "modbus_read_registers",
    "input": "modbus_read_input_registers",
    "coil": "modbus_read_bits",
    "discrete": "modbus_read_input_bits",
}


class LibmodbusError(OSError):
    """libmodbus said no; the text is its own."""


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(LIBRARY, use_errno=True)
    library.modbus_new_tcp.restype = library.modbus_new_rtu.restype = c_void_p
    library.modbus_new_tcp.argtypes = [c_char_p, c_int]
    library.modbus_new_rtu.argtypes = [c_char_p, c_int, c_char, c_int, c_int]
    library.modbus_set_slave.argtypes = [c_void_p, c_int]
    library.modbus_set_response_timeout.argtypes = [c_void_p, c_uint32, c_uint32]
    library.modbus_strerror.restype = c_char_p
    for name in ("modbus_connect", "modbus_close", "modbus_free"):
        getattr(library, name).argtypes = [c_void_p]
    library.modbus_free.restype = None
    for name in READS.values():
        getattr(library, name).argtypes = [c_void_p, c_int, c_int, c_void_p]
    return library


def read(end: int | Path, unit: int, table: str, address: int, count: int) -> list[int]:
    """From a TCP port on loopback, or a tty at 9600 8N1. Blocks: call it in a thread. Raises LibmodbusError."""
    library = _library()
    if isinstance(end, int):
        context = library.modbus_new_tcp(b"127.0.0.1", end)
    else:
        context = library.modbus_new_rtu(os.fsencode(end), 9600, b"N", 8, 1)
    try:
        library.modbus_set_slave(context, unit)
        library.modbus_set_response_timeout(context, TIMEOUT_S, 0)
        if library.modbus_connect(context) < 0:
            raise _error(library)
        kept = ((c_uint8 if table in ("coil", "discrete") else c_uint16) * count)()
        if getattr(library, READS[table])(context, address, count, kept) != count:
            raise _error(library)
        return list(kept)
    finally:
        library.modbus_close(context)
        library.modbus_free(context)


def _error(library: ctypes.CDLL) -> LibmodbusError:
    number = ctypes.get_errno()
    return LibmodbusError(number, library.modbus_strerror(number).decode())
