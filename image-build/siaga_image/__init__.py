"""Builds the flashable image. Standard library alone, as root, on a Debian; what it runs it brings along (tools.py)."""
