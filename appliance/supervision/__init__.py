"""The watch over stations at the centre: their health, lockouts of sirens, and tests by calendar."""
