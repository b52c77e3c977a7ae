import numpy as np

from pointsman.model.weights import BLOCK, ClassifierWeights, ExpertWeights, sigmoid, softmax


def experts(tasks: int) -> ExpertWeights:
    random = np.random.default_rng(0)
    features, hidden, candidates = 6, 5, 3

    def draw(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    return ExpertWeights(
        trunk_FH=draw(features, hidden),
        trunk_bias_H=draw(hidden),
        general_HM=draw(hidden, candidates),
        general_bias_M=draw(candidates),
        task_TMH=draw(tasks, candidates, hidden),
        task_bias_TM=draw(tasks, candidates),
        head_TM=np.ones((tasks, candidates), dtype=bool),
    )


def test_logits_are_general_plus_the_tasks_own_row_by_row() -> None:
    weights = experts(4)
    features_NF = np.random.default_rng(1).normal(size=(7, 6)).astype(np.float32)
    task_N = np.array([0, 3, -1, 2, 2, -1, 1], dtype=np.int32)
    for features, task, logits in zip(features_NF, task_N, weights.logits(features_NF, task_N), strict=True):
        hidden = np.maximum(features @ weights.trunk_FH + weights.trunk_bias_H, 0)
        for candidate in range(3):
            expected = hidden @ weights.general_HM[:, candidate] + weights.general_bias_M[candidate]
            if task >= 0:
                expected += weights.task_TMH[task, candidate] @ hidden + weights.task_bias_TM[task, candidate]
            np.testing.assert_allclose(logits[candidate], expected, rtol=1e-4, atol=1e-5)
        alone = weights.logits(features[None], np.array([task], dtype=np.int32))
        np.testing.assert_allclose(alone, logits[None], rtol=1e-5, atol=1e-6)
        assert alone.dtype == logits.dtype


def test_without_tasks_only_general_heads_speak() -> None:
    weights = experts(0)
    features_NF = np.ones((2, 6), dtype=np.float32)
    logits_NM = weights.logits(features_NF, np.full(2, -1, dtype=np.int32))
    np.testing.assert_array_equal(logits_NM, weights.general_logits(features_NF))
    assert logits_NM.dtype == np.float32


def test_softmax_survives_large_logits_and_no_classes() -> None:
    np.testing.assert_allclose(softmax(np.array([[1e4, 1e4]], dtype=np.float32)), [[0.5, 0.5]])
    assert softmax(np.zeros((3, 0), dtype=np.float32)).shape == (3, 0)


def test_temperature_flattens_the_posterior_without_changing_its_order() -> None:
    random = np.random.default_rng(0)
    features_NF = random.normal(size=(20, 4)).astype(np.float32)
    arrays = {
        "hidden_FH": random.normal(size=(4, 8)).astype(np.float32),
        "hidden_bias_H": np.zeros(8, dtype=np.float32),
        "task_HT": random.normal(size=(8, 3)).astype(np.float32),
        "task_bias_T": np.zeros(3, dtype=np.float32),
        "confidence_floor": np.float32(0).reshape(()),
    }
    sharp, flat = (ClassifierWeights(**arrays, temperature=np.array(t, dtype=np.float32)) for t in (0.5, 2.0))
    sharp_NT, flat_NT = sharp.posterior(features_NF), flat.posterior(features_NF)
    np.testing.assert_allclose(flat_NT.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(sharp_NT.argmax(axis=1), flat_NT.argmax(axis=1))
    assert (sharp_NT.max(axis=1) > flat_NT.max(axis=1)).all()


def test_blocks_of_prompts_do_not_show() -> None:
    weights = experts(4)
    random = np.random.default_rng(2)
    features_NF = random.normal(size=(2 * BLOCK + 3, 6)).astype(np.float32)
    task_N = random.integers(-1, 4, size=features_NF.shape[0]).astype(np.int32)
    alone = [weights.logits(features[None], task[None])[0] for features, task in zip(features_NF, task_N, strict=True)]
    np.testing.assert_allclose(weights.logits(features_NF, task_N), alone, rtol=1e-4, atol=1e-5)


def test_sigmoid_matches_its_formula_and_never_overflows():
    x = np.linspace(-30, 30, 61)
    np.testing.assert_allclose(sigmoid(x), 1 / (1 + np.exp(-x)), rtol=1e-12)
    assert sigmoid(np.array([-1e9, 1e9])).tolist() == [0, 1]
