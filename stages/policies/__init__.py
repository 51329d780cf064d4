"""The kinds of policies, by name."""

from collections.abc import Mapping

from stages.core.errors import UserError
from stages.core.policy import Policy
from stages.policies.knn import KNN
from stages.policies.local_linear import LocalLinear

POLICIES: Mapping[str, type[Policy]] = {"knn": KNN, "local_linear": LocalLinear}


def find_policy(kind: str) -> type[Policy]:
    """The policy of that kind; UserError when there is none."""
    if kind not in POLICIES:
        raise UserError(f"policy: found kind {kind}, allowed: {', '.join(POLICIES)}")
    return POLICIES[kind]
