"""The desk: who waits, who is called back, who calls, and what the calls of a day came to."""
