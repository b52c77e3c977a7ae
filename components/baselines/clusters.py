"""k-means as every method that groups prompts uses it. Shapes: N prompts, F features, C clusters."""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning


def cluster(unit_NF: NDArray[np.float32], clusters: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Centres, shape (C, F), and the cluster of each prompt; fewer clusters where there are fewer distinct prompts."""
    means = KMeans(min(clusters, np.unique(unit_NF, axis=0).shape[0]), n_init=1, random_state=seed)
    with warnings.catch_warnings():
        # Prompts that differ by rounding alone count as distinct here and as one in scikit-learn.
        warnings.simplefilter("ignore", ConvergenceWarning)
        cluster_N = means.fit_predict(unit_NF)
    return np.asarray(means.cluster_centers_, dtype=np.float32), np.asarray(cluster_N, dtype=np.intp)
