"""Any UPS that Network UPS Tools knows, through its server upsd."""
