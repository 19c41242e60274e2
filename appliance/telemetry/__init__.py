"""What every figure was, minute by minute, in a file of its own: kept for charts, and never in an event's way."""
