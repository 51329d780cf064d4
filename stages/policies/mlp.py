"""A parametric clone to compare with: a multilayer perceptron, as scikit-learn trains it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self
import warnings

import numpy as np
from numpy.typing import NDArray

from stages.core.bounds import LARGEST, SMALLEST
from stages.core.episode import Steps
from stages.core.params import PolicySettings
from stages.core.policy import Answer, Arrays, Policy, Votes
from stages.core.streams import derive
from stages.core.task import Channel, Floats
from stages.policies.memory import Memory


@dataclass(frozen=True)
class MLP(Policy):
    """Rectified layers from the features to the actions, both standardized; Adam on the squared error.

    Its answer stays within the range of the actions it was shown. Novelty is that of the memory it was trained on: the
    distance to the k-th nearest row. Its initial weights are the same whatever `seed` is: they derive from 0. Source of
    the training: sklearn.neural_network.MLPRegressor.
    """

    by_neighbors: ClassVar = False

    memory: Memory
    weights: tuple[Floats, ...]  # of L layers, (inputs, outputs) each
    biases: tuple[Floats, ...]  # (outputs,) each
    scaling: Floats  # (2, F) mean and spread of the features

    @classmethod
    def fit(cls, steps: Steps, settings: PolicySettings, observation: Sequence[Channel]) -> Self:
        """Train on every row. UserError for more neighbours than rows."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor

        memory = Memory.of(steps, settings, observation)
        scaling, aims = _scaling(memory.known.points), _scaling(steps.actions)
        model = MLPRegressor(
            hidden_layer_sizes=tuple(settings.hidden),
            max_iter=settings.epochs,
            random_state=derive(0, "mlp") % 2**32,
            tol=0.0,
        )
        inputs, outputs = (memory.known.points - scaling[0]) / scaling[1], (steps.actions - aims[0]) / aims[1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is what was asked for
            # One channel is given as (N,), the same to it, or it would warn.
            model.fit(inputs, outputs if outputs.shape[1] > 1 else outputs.ravel(), memory.trust)
        weights, biases = list(model.coefs_), list(model.intercepts_)
        # The last layer answers in the unit of the actions.
        weights[-1], biases[-1] = weights[-1] * aims[1], biases[-1] * aims[1] + aims[0]
        return cls(memory, tuple(weights), tuple(biases), scaling)

    def act(self, observations: Floats) -> Answer:
        """The network's action (B, A) and the nearest rows, of which none has a vote."""
        recalled = self.memory.recall(observations)
        # Row by row (B, 1, F): a product of matrices rounds differently with the size of the batch.
        values = ((recalled.queries - self.scaling[0]) / self.scaling[1])[:, None]
        for layer, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = values @ weights + biases
            if layer + 1 < len(self.weights):
                values = np.maximum(values, 0)
        known = self.memory.actions
        actions = np.clip(values[:, 0], known.min(axis=0), known.max(axis=0))
        return Answer(actions, self.memory.recollection(recalled))

    def votes(self, observations: Floats) -> Votes:
        """The nearest rows, none of which has a vote."""
        recalled = self.memory.recall(observations)
        return Votes(recalled.rows, recalled.distances, np.zeros_like(recalled.distances))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The memory and the layers."""
        layers = {f"weights_{layer}": one for layer, one in enumerate(self.weights)}
        layers |= {f"biases_{layer}": one for layer, one in enumerate(self.biases)}
        return {**self.memory.arrays(), "scaling": self.scaling, **layers}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The policy that was stored. Raises ValueError or KeyError where its arrays do not belong together."""
        memory, scaling = Memory.from_arrays(arrays), arrays["scaling"]
        layers = sum(name.startswith("weights_") for name in arrays)
        weights = tuple(arrays[f"weights_{layer}"] for layer in range(layers))
        biases = tuple(arrays[f"biases_{layer}"] for layer in range(layers))
        sizes = [memory.known.points.shape[1], *(len(one) for one in biases)]
        if not layers or sizes[-1] != memory.actions.shape[1] or scaling.shape != (2, sizes[0]):
            raise ValueError("its layers are not those of its rows")
        if any(one.shape != (sizes[layer], sizes[layer + 1]) for layer, one in enumerate(weights)):
            raise ValueError("its layers do not fit each other")
        if any(one.dtype != np.float64 for one in (*weights, *biases, scaling)):
            raise ValueError("its layers are no numbers")
        if not all((np.abs(one) < LARGEST).all() for one in (*weights, *biases)):
            raise ValueError("its numbers are not finite, or too large")
        if (scaling[1] < SMALLEST).any() or not (np.abs(scaling) < LARGEST / SMALLEST).all():
            raise ValueError("its scaling is out of bounds")
        return cls(memory, weights, biases, scaling)


def _scaling(values: Floats) -> Floats:
    """Mean and spread (2, C) of the columns; a column that hardly changes has the spread 1."""
    spread = values.std(axis=0)
    return np.stack([values.mean(axis=0), np.where(spread >= SMALLEST, spread, 1.0)])
