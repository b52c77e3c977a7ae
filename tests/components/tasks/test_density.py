"""Density discovery: planted blocks, bits, noise; UMAP's own compile makes it slow."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from components.tasks.density import DensityConfig, LayoutConfig, cut_density, lay_out, reduce
from components.tasks.neighbours import directions

pytestmark = pytest.mark.filterwarnings("ignore")


def test_importing_the_module_is_light():
    code = "import sys, components.tasks.choice; print({'umap', 'hdbscan', 'numba', 'igraph'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


@pytest.mark.slow
def test_finds_planted_blocks_and_the_same_bits_again(draw):
    world = draw(prompts=240, tasks=4)
    one, two = (
        cut_density(reduce(directions(world.embedding), config), config) for config in [DensityConfig(epochs=60)] * 2
    )
    assert adjusted_rand_score(world.task, one.task_N) >= 0.95
    assert one.task_N.tobytes() == two.task_N.tobytes()
    assert one.membership_N.tobytes() == two.membership_N.tobytes()


def test_blobs_in_few_dimensions_and_noise_between():
    rng = np.random.default_rng(0)
    blobs = np.concatenate([centre + 0.05 * rng.normal(size=(60, 2)) for centre in ([0, 0], [3, 0], [0, 3])])
    found = cut_density(np.concatenate([blobs, [[40.0, 40.0]]]), DensityConfig())
    assert found.tasks == 3
    assert found.task_N[-1] == -1
    assert adjusted_rand_score(np.repeat([0, 1, 2], 60)[found.task_N[:-1] >= 0], found.task_N[found.task_N >= 0]) == 1


def test_all_noise_is_a_partition_without_tasks():
    points = np.random.default_rng(0).uniform(size=(40, 2))
    assert cut_density(points, DensityConfig(minimum_size=30, minimum_samples=30)).tasks == 0


@pytest.mark.slow
def test_the_map_keeps_blocks_together_and_the_same_bits_again(draw):
    world = draw(prompts=240, tasks=4)
    one, two = (lay_out(world.embedding, LayoutConfig(points=160, epochs=80, seed=3)) for _ in range(2))
    assert one.point_K2.tobytes() == two.point_K2.tobytes()
    assert one.point_K2.shape == (160, 2)
    assert (np.diff(one.row_K) > 0).all()
    task = world.task[one.row_K]
    near = NearestNeighbors(n_neighbors=5).fit(one.point_K2).kneighbors(return_distance=False)
    assert (task[near] == task[:, None]).mean() > 0.95


@pytest.mark.slow
def test_prompts_without_a_direction_are_left_out_of_the_map(draw):
    embedding = draw(prompts=60, tasks=3).embedding.copy()
    embedding[[7, 59]] = 0
    assert lay_out(embedding, LayoutConfig(epochs=5)).row_K.tolist() == np.delete(np.arange(60), [7, 59]).tolist()


@pytest.mark.slow
def test_what_umap_compiles_is_kept_for_the_next_process():
    code = (
        "from components.tasks.density import compile_ahead; compile_ahead()\n"
        "from umap.umap_ import smooth_knn_dist as compiled; print(sum(compiled.stats.cache_misses.values()))"
    )
    misses = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    assert misses[1] == "0"


@pytest.mark.parametrize(
    "embedding",
    [np.eye(4), np.ones((40, 4)), np.eye(9)[:, :4]],
    ids=["too few", "identical", "too few that aren't zero"],
)
def test_where_no_map_can_be_drawn_it_has_no_points(embedding):
    assert lay_out(embedding, LayoutConfig()).point_K2.shape == (0, 2)


@pytest.mark.parametrize("bad", [{"points": 4}, {"neighbours": 1}, {"epochs": 0}, {"distance": 2}])
def test_the_maps_ranges_are_checked(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        LayoutConfig(**bad)


@pytest.mark.parametrize("name", ["neighbours", "dimensions", "epochs", "minimum_size", "minimum_samples"])
def test_ranges_are_checked(name):
    with pytest.raises(ValueError, match=name):
        DensityConfig(**{name: 0})
