"""Task tables at several granularities, drawn several times: what one partition alone is unsure of, many average out.

Shapes: N prompts, F features, R repeats, C clusters, M candidates.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pointsman.model.unit import unit_rows

_STEP = 50_000
"""Prompts whose distances are worked out at a time."""


# without slots, which leave no place for what is worked out once
@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterTables:
    """The finest tables of a hierarchy that shrank each level towards the coarser one."""

    centre_RCF: NDArray[np.float32]
    """Of unit features."""
    quality_RCM: NDArray[np.float64]
    """Estimated quality of each candidate at each centre."""

    def expected(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean over repeats of the row of each prompt's nearest centre, shape (N, M)."""
        return self.nearest(features_NF)[0]

    def nearest(self, features_NF: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What is expected of each prompt, shape (N, M), and its distance, shape (N,), both means over repeats.

        The distance is the squared one of unit features to the nearest centre: of prompts like those that the clusters
        were drawn from it is small, and it grows with what sets a prompt apart from all of them.
        """
        parts = [
            self._nearest(features_NF[start : start + _STEP]) for start in range(0, max(len(features_NF), 1), _STEP)
        ]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _nearest(self, features_NF: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        unit_NF = unit_rows(features_NF)
        repeats, clusters, width = self.centre_RCF.shape
        flat_SF = self.centre_RCF.reshape(repeats * clusters, width)
        distance_NS = self._square_S - 2 * (unit_NF @ flat_SF.T)
        distance_NRC = distance_NS.reshape(-1, repeats, clusters)
        nearest_NR = distance_NRC.argmin(axis=2)
        least_NR = np.take_along_axis(distance_NRC, nearest_NR[:, :, None], axis=2)[:, :, 0]
        distance_N = np.vecdot(unit_NF, unit_NF) + least_NR.mean(axis=1, dtype=np.float64)
        return np.asarray(self.quality_RCM[np.arange(repeats), nearest_NR].mean(axis=1)), np.asarray(distance_N)

    def farthest(self) -> float:
        """A distance that no prompt exceeds: even one that points away from the shortest centre of each repeat."""
        shortest_R = np.sqrt((self.centre_RCF.astype(np.float64) ** 2).sum(axis=2).min(axis=1))
        return float(((1 + shortest_R) ** 2).mean())

    @cached_property
    def _square_S(self) -> NDArray[np.float32]:
        """Squared length of every centre, shape (R x C,)."""
        return np.asarray((self.centre_RCF**2).sum(axis=2).ravel(), dtype=np.float32)


def blend(table_NM: NDArray[np.float64], clusters_NM: NDArray[np.float64]) -> NDArray[np.float64]:
    """What stage 1 expects: the task table and the cluster tables in equal parts, shape (N, M).

    >>> blend(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])).tolist()
    [[0.75, 0.25]]
    """
    return (table_NM + clusters_NM) / 2
