"""What the rows of rivals are called: the bench finds them by these names. Where their figures are kept."""

from pathlib import Path

BUILD = Path(__file__).parents[3] / "build"
FOLDER = BUILD / "rivals"  # what was installed
FILE = BUILD / "rivals.json"  # the rows

NODE_RED = "Node-RED"
BACK_TO_BACK = f"{NODE_RED}, back to back"  # mosquitto with its own defaults
LONE = f"{NODE_RED}, lone"  # the same, a press at a time
LONE_OUR_BROKER = f"{NODE_RED}, lone, our broker"  # mosquitto with the settings that a box ships
TO_RELAY, TO_ANSWER = "to relay", "to answer"
