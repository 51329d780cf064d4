"""A reproducible imitation-learning pipeline: each module here is a stage that `python -m stages.<stage>` runs."""

from stages.core import environment as environment
