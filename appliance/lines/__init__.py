"""Telephone lines: calls and messages over GSM modems, and the watch on the 112 trunk."""

ORDER_PORT = 16112  # of orders and answers by SMS; 3GPP TS 23.040 clause 9.2.3.24.4 leaves 16000-16999 to applications
