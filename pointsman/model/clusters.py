"""Task tables at several granularities, drawn several times: what one partition alone is unsure of, many average out.

Shapes: N prompts, F features, R repeats, C clusters, M candidates.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pointsman.model.unit import unit_rows


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
        unit_NF = unit_rows(features_NF)
        repeats, clusters, width = self.centre_RCF.shape
        flat_SF = self.centre_RCF.reshape(repeats * clusters, width)
        distance_NS = self._square_S - 2 * (unit_NF @ flat_SF.T)
        nearest_NR = distance_NS.reshape(-1, repeats, clusters).argmin(axis=2)
        return np.asarray(self.quality_RCM[np.arange(repeats), nearest_NR].mean(axis=1))

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
