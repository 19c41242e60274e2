"""For all tests: this folder's modules (`running_demo`) can be imported from the folders below it."""

import signal

# A shell's background job, and what it starts, ignores SIGINT: then Ctrl-C could be tested with nobody.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
