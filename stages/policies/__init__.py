"""The kinds of policies, by name."""

from stages.core.policy import Policy
from stages.core.registry import Registry

POLICIES: Registry[Policy] = Registry(
    "policy",
    {
        "knn": "stages.policies.knn:KNN",
        "local_linear": "stages.policies.local_linear:LocalLinear",
        "mlp": "stages.policies.mlp:MLP",
    },
)
