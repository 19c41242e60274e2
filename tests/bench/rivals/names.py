"""What the rows of rivals are called: the bench finds them by these names. Where their figures are kept."""

from pathlib import Path

BUILD = Path(__file__).parents[3] / "build"
FOLDER = BUILD / "rivals"  # what was installed
FILE = BUILD / "rivals.json"  # the rows

NODE_RED = "Node-RED 4"
BACK_TO_BACK = f"{NODE_RED}, mosquitto as installed, back to back"
LONE = f"{NODE_RED}, mosquitto as installed, lone"
LONE_NO_NAGLE = f"{NODE_RED}, our broker's settings, lone"
GSMMODEM = "python-gsmmodem-new 0.13.0"
