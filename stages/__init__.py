"""A reproducible imitation-learning pipeline: each module here is a stage that `python -m stages.<stage>` runs."""

import os

from stages.core import environment as environment
from stages.core.garbage import look_less
from stages.core.orphans import die_with_parent

# DVC sets it for what it runs. At once: until here, a stage whose DVC is killed would go on.
if "DVC_STAGE" in os.environ:
    die_with_parent()
look_less()
