"""The choice between partitions: planted blocks, the rule, bits, and every input without tasks."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from components.tasks.choice import choose_partition
from components.tasks.discovery_config import DiscoveryConfig

pytestmark = pytest.mark.filterwarnings("ignore")
GRAPHS = DiscoveryConfig(density_minimum_samples=(), repeats=2)


def choose(world, config=GRAPHS, seed=0, cut=400):
    return choose_partition(
        world.embedding[:cut], world.quality[:cut], world.embedding[cut:], world.quality[cut:], config, seed
    )


def test_the_planted_blocks_are_chosen(blocks):
    found = choose(blocks)
    assert found.method == "graph"
    assert adjusted_rand_score(blocks.task[:400], found.partition.task_N) >= 0.95
    assert found.bootstrap_ari >= 0.7
    assert found.neighbour_recall == 1
    json.dumps([asdict(trial) for trial in found.trials])


def test_descriptions_decide_the_cut_and_prompts_the_judgement(draw):
    # The prompts' embeddings say nothing of the tasks; their descriptions do.
    world, noise = draw(), np.random.default_rng(1).normal(size=(480, 12)).astype(np.float32)
    blind = world._replace(embedding=noise)
    # One resolution: where judgement is blind all trials tie, and which is the steadiest isn't the question here.
    config = replace(GRAPHS, resolutions=(1.0,))
    args = (noise[:400], blind.quality[:400], noise[400:], blind.quality[400:], config, 0)
    told = choose_partition(*args, semantic_ND=world.embedding[:400])
    assert adjusted_rand_score(world.task[:400], told.partition.task_N) >= 0.95
    assert adjusted_rand_score(world.task[:400], choose_partition(*args).partition.task_N) < 0.2
    with pytest.raises(ValueError, match="9 semantic embeddings for 400"):
        choose_partition(*args, semantic_ND=world.embedding[:9])


def test_turns_of_one_validation_conversation_tie_trials_as_one_prompt_does(draw):
    world = draw(prompts=240, missing=0.2)
    world.quality[200:203] = np.nan  # groups are cut as regrets are
    turns, group_K = np.repeat(np.arange(200, 240), 40), np.repeat(np.arange(40), 40)
    config, train = replace(GRAPHS, minimum_size=10), (world.embedding[:200], world.quality[:200])
    once, grouped, alone = (
        choose_partition(*train, world.embedding[rows], world.quality[rows], config, 0, validation_group_K=group)
        for rows, group in ((np.arange(200, 240), None), (turns, group_K), (turns, None))
    )
    tied = [[trial.tied for trial in found.trials] for found in (once, grouped, alone)]
    assert tied[0] == tied[1]
    assert sum(tied[2]) < sum(tied[1])


def test_the_same_seed_gives_the_same_bits(blocks):
    one, two = choose(blocks, seed=4), choose(blocks, seed=4)
    assert one.partition.task_N.tobytes() == two.partition.task_N.tobytes()
    assert one.partition.membership_N.tobytes() == two.partition.membership_N.tobytes()
    assert one.trials == two.trials


@pytest.mark.slow
def test_density_competes_and_is_reproducible(draw):
    world = draw(prompts=360, tasks=5)
    config = DiscoveryConfig(resolutions=(2.0,), preference_mixes=(0.0,), epochs=50, repeats=2)
    one, two = choose(world, config, cut=280), choose(world, config, cut=280)
    assert [trial.method for trial in one.trials] == ["graph", "density", "density"]
    assert one.trials == two.trials
    alone = choose(world, DiscoveryConfig(resolutions=(), epochs=50, repeats=2), cut=280)
    assert alone.method == "density"
    assert adjusted_rand_score(world.task[:280], alone.partition.task_N) >= 0.95


def test_the_chosen_is_a_contender_of_least_regret_by_the_rule(draw):
    found = choose(draw(noise=1.2, missing=0.2))
    scored = [trial for trial in found.trials if trial.stability is not None]
    assert all(trial.tied for trial in scored)
    assert found.bootstrap_ari >= max(trial.stability for trial in scored) - 0.05
    assert min(found.trials, key=lambda trial: trial.validation_regret).tied


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda x, q: (x[:8], q[:8]), "fewer than the minimum size"),
        (lambda x, q: (np.ones_like(x), q), "same embedding"),
        (lambda x, q: (x, q[:, :1]), "one candidate"),
        (lambda x, q: (x, np.full_like(q, 0.5)), "all outcomes are equal"),
    ],
)
def test_where_tasks_cannot_help_there_are_none_and_the_reason_is_said(blocks, change, reason):
    x, q = change(blocks.embedding, blocks.quality)
    found = choose_partition(x, q, x[:20], q[:20], GRAPHS, 0)
    assert found.method == "none"
    assert found.partition.tasks == 0
    assert reason in found.reason


def test_all_noise_ends_without_tasks(blocks):
    config = DiscoveryConfig(density_minimum_samples=(), minimum_size=300, resolutions=(8.0,))
    found = choose(blocks, config)
    assert found.method == "none"
    assert "unassigned" in found.reason
    assert len(found.trials) == 2
    assert found.neighbour_recall == 1


def test_no_graph_no_recall(blocks):
    assert choose(blocks, cut=5).neighbour_recall is None


def test_bad_input_is_refused(blocks):
    x, q = blocks.embedding, blocks.quality
    broken = x.copy()
    broken[0, 0] = np.nan
    for arguments, message in [
        ((broken, q, x, q), "nan or infinity"),
        ((x, q, broken, q), "nan or infinity"),
        ((x, q[:9], x, q), "training embeddings"),
        ((x, q, x, q[:9]), "validation embeddings"),
        ((x, q, x[:, :9], q), "differ in dimensions"),
        ((x, np.full_like(q, np.nan), x, q), "no training prompt has an outcome"),
        ((x, q, x, np.full_like(q, np.nan)), "no validation prompt has an outcome"),
    ]:
        with pytest.raises(ValueError, match=message):
            choose_partition(*arguments, GRAPHS, 0)


@pytest.mark.parametrize(
    "bad",
    [
        {"resolutions": (), "density_minimum_samples": ()},
        {"resolutions": (0.0,)},
        {"preference_mixes": (2.0,)},
        {"density_minimum_samples": (0,)},
        {"repeats": 0},
        {"neighbours": 1},
        {"minimum_size": 1},
    ],
)
def test_ranges_are_checked(bad):
    with pytest.raises(ValueError, match=r"must be|nothing to try"):
        DiscoveryConfig(**bad)


def test_labels_are_tried_where_there_are_two_that_fill_a_task(blocks):
    args = (blocks.embedding[:400], blocks.quality[:400], blocks.embedding[400:], blocks.quality[400:], GRAPHS, 0)
    label = np.where(np.arange(400) < 200, "a", "b")
    tried = [trial.parameters["within_labels"] for trial in choose_partition(*args, label_N=label).trials]
    assert tried.count(True) == tried.count(False) > 0
    rare = np.where(np.arange(400) < 3, "a", "b")
    assert not any(trial.parameters["within_labels"] for trial in choose_partition(*args, label_N=rare).trials)
