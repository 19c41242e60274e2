"""Whatever the network and the boxes do, and in whatever order: what must be true of siren orders stays true.

`make order-campaign` looks longer.
"""

import os
import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings

sys.path.append(str(Path(__file__).parents[1] / "integration"))

from whole_story import Plan, plans
from whole_told import tell

EXAMPLES = int(os.environ.get("SIAGA_EXAMPLES", "20"))


@given(plan=plans)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
def test_a_siren_order_is_never_lost_never_invented_and_never_sounds_twice(plan: Plan) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found, _ = tell(Path(folder), plan)
    assert not found, "\n".join(found)
