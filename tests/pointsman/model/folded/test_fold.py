"""What a gateway evaluates is the router as it is defined."""

from dataclasses import replace

import numpy as np
import pytest

from pointsman.model.cost import CostSource
from pointsman.model.folded.fold import fold


def compared(model, seen, rows=slice(None)):
    asked = (seen.features_NF[rows], seen.embedding_ND[rows], seen.input_tokens_N[rows])
    found, wanted = fold(model).predict(*asked), model.predict(*asked)
    np.testing.assert_array_equal(found.task_N, wanted.task_N)
    np.testing.assert_array_equal(found.novel_N, wanted.novel_N)
    np.testing.assert_allclose(found.margin_N, wanted.margin_N, atol=1e-6)
    np.testing.assert_allclose(found.quality_NM, wanted.quality_NM, atol=2e-6)
    np.testing.assert_allclose(found.cost_usd_NM, wanted.cost_usd_NM, rtol=1e-5)
    for name in ("quality_NM", "cost_usd_NM", "task_N", "margin_N", "novel_N"):
        assert getattr(found, name).dtype == getattr(wanted, name).dtype
    return found


def changed(model, fresh, *, alpha, soft, special, far=0.0):
    """The fitted router with parts that its fit didn't choose, and with rows of several repeats."""
    generator = np.random.default_rng(1)
    shape = model.experts.task_TMH.shape
    experts = replace(
        model.experts,
        trunk_bias_H=generator.normal(size=shape[2]).astype(np.float32),
        general_bias_M=generator.normal(size=shape[1]).astype(np.float32),
        task_bias_TM=(generator.normal(size=shape[:2]) * special).astype(np.float32),
        task_TMH=(generator.normal(size=shape) * special).astype(np.float32),
    )
    width = model.experts.trunk_FH.shape[0]
    clusters = replace(
        model.clusters,
        centre_RCF=generator.normal(size=(3, 5, width)).astype(np.float32),
        quality_RCM=generator.random((3, 5, shape[1])),
    )
    classifier = replace(model.classifier, temperature=np.array(3, dtype=np.float32))
    return replace(
        model,
        alpha=np.array(alpha),
        guard_margin=np.array(0.03),
        doubt_margin=np.array(0.2),
        distance_margin=np.array(0.3),
        usual_distance=np.array(far),
        longest_tokens=np.array(np.quantile(fresh.input_tokens_N, 0.8)),
        soft=np.array(soft),
        experts=experts,
        clusters=clusters,
        classifier=classifier,
        # half of the prompts are novel
        novelty=replace(model.novelty, floor=np.median(model.novelty.similarity(fresh.embedding_ND))),
    )


@pytest.mark.parametrize("tasks", [0, 3])
@pytest.mark.parametrize(
    ("alpha", "soft", "special"), [(0.0, False, 1), (0.4, True, 1), (0.7, False, 0), (1.0, True, 0), (1.0, False, 1)]
)
def test_it_predicts_what_the_router_predicts(fit_world, tasks, alpha, soft, special):
    model, _, fresh = fit_world(tasks=tasks)
    model = changed(model, fresh, alpha=alpha, soft=soft, special=special)
    # half of the prompts are farther away than usual
    usual = np.median(model.clusters.nearest(fresh.features_NF)[1])
    model = changed(model, fresh, alpha=alpha, soft=soft, special=special, far=usual)
    whole = compared(model, fresh)
    assert np.ptp(compared(replace(model, doubt_margin=np.array(0.0)), fresh).margin_N) > 0.01
    assert 0 < whole.novel_N.mean() < 1
    assert len(set(whole.task_N.tolist())) > (1 if tasks else 0)
    for row in range(40):
        compared(model, fresh, slice(row, row + 1))
    assert compared(model, fresh, slice(0, 0)).quality_NM.shape == (0, 4)


@pytest.mark.parametrize("costs", [True, False])
def test_costs_that_only_some_candidates_have(fit_world, costs):
    model, _, fresh = fit_world(costs=costs, missing=0.3)
    source_M = model.cost.source_M.copy()
    source_M[:2] = CostSource.MEAN_COST, CostSource.UNKNOWN
    nan = np.array([np.nan if source < CostSource.ASSUMED_TOKENS else 1.0 for source in source_M])
    cost = replace(
        model.cost,
        source_M=source_M,
        mean_cost_M=np.array([0.25, np.nan, 1, 1]),
        mean_cost_TM=np.arange(12.0).reshape(3, 4),
        input_usd_per_mtok_M=model.cost.input_usd_per_mtok_M * nan,
        output_usd_per_mtok_M=model.cost.output_usd_per_mtok_M * nan,
    )
    model = replace(model, cost=cost)
    found = compared(model, fresh)
    np.testing.assert_array_equal(found.cost_usd_NM[found.task_N == 1, 0], 4.0)
    compared(model, fresh, slice(0, 1))


def test_a_prompt_without_words_or_place_is_predicted(fitted):
    model, _, fresh = fitted
    nowhere = replace(fresh, features_NF=fresh.features_NF * 0, embedding_ND=fresh.embedding_ND * 0)
    for floor in (-0.5, 0.5):
        other = replace(model, novelty=replace(model.novelty, floor=np.array(floor, dtype=np.float32)))
        compared(other, nowhere, slice(0, 3))
        compared(other, nowhere, slice(0, 1))


@pytest.mark.parametrize("length", [0.0, 1e-14, 1e-3, 1e3])
def test_the_length_of_features_does_not_change_what_is_nearest(fitted, length):
    model, _, fresh = fitted
    model = changed(model, fresh, alpha=0.0, soft=True, special=0)
    other = replace(fresh, features_NF=np.asarray(fresh.features_NF * length, dtype=np.float32))
    compared(model, other, slice(0, 5))
    for row in range(5):
        compared(model, other, slice(row, row + 1))


@pytest.mark.parametrize("rows", [1, 5])
def test_wrong_inputs_are_refused(fitted, rows):
    model, _, fresh = fitted
    folded = fold(model)
    features, embedding, tokens = fresh.features_NF[:rows], fresh.embedding_ND[:rows], fresh.input_tokens_N[:rows]
    with pytest.raises(ValueError, match="features must be"):
        folded.predict(features[:, 1:], embedding, tokens)
    with pytest.raises(ValueError, match="features must be"):
        folded.predict(features, embedding[1:], tokens)
    for wrong in (np.nan, np.inf):
        with pytest.raises(ValueError, match="must be finite"):
            folded.predict(features * wrong, embedding, tokens)
        with pytest.raises(ValueError, match="must be finite"):
            folded.predict(features, embedding * wrong, tokens)
