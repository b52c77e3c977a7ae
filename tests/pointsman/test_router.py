from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from components.release.publish import publish
from pointsman.errors import BundleError
from pointsman.policy.policy import Budget, decide
from pointsman.router import Router
from pointsman.text.encoder import Encoder
from pointsman.text.lengths import prompt_tokens


@pytest.fixture(scope="module")
def router(bundle):
    return Router.load(bundle, threads=1)


def test_routing_is_its_parts_by_hand(parts, router, prompts):
    encoder = Encoder.load(parts.encoder_folder, threads=1)
    tokens, embedding_ND = encoder.tokenize(prompts), encoder.encode(prompts)
    prediction = parts.model.predict(parts.feature_map.transform(embedding_ND, tokens), embedding_ND, tokens.length_N)
    decision = decide(prediction, Budget(usd=1.0), fallback=0)
    routing = router.route(prompts, "budget=1")
    np.testing.assert_array_equal(routing.choice_N, decision.candidate_N)
    np.testing.assert_allclose(routing.quality_NM, prediction.quality_NM, atol=2e-6)
    assert routing.candidate == [("small", "large")[choice] for choice in decision.candidate_N]
    assert [task and task["id"] for task in routing.task] == [None if t < 0 else str(t) for t in prediction.task_N]
    best = routing.scores(0)
    assert {score["candidate"] for score in best} == {"small", "large"}
    assert routing.predicted_quality[0] == routing.quality_NM[0, decision.candidate_N[0]]
    assert routing.expected_cost_usd[0] == pytest.approx(prediction.cost_usd_NM[0, decision.candidate_N[0]])


def test_an_empty_batch_and_odd_prompts_are_routed(router):
    assert len(router.route([])) == 0
    assert len(router.route(["", "\0", "😀" * 50_000, "\ud800".encode("utf-8", "replace").decode()])) == 4


def test_a_long_prompt_is_the_same_in_training_and_in_service(parts, router):
    long = "how are you walking " * 4000 + "\nadd 1 2" * 40_000
    encoder = Encoder.load(parts.encoder_folder, threads=1)
    tokens, embedding_ND = encoder.tokenize([long]), encoder.encode([long])
    served, served_1D = router.encode([long])
    np.testing.assert_array_equal(served.token_E, tokens.token_E)
    np.testing.assert_array_equal(served_1D, embedding_ND)
    assert router.predict([long]).input_tokens_N == prompt_tokens(tokens.length_N, [long]) > 2 * tokens.length_N


def test_one_text_is_not_a_batch(router):
    with pytest.raises(ValueError, match="sequence of texts"):
        router.route("add 1 2")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([None], "prompt 0 must be a text, is NoneType"),
        (["add 1", 5], "prompt 1 must be a text, is int"),
        (["add 1", "\ud83d bad"], "prompt 1 isn't valid Unicode"),
        (["x" * 70_000 + "\udcff"], "prompt 0 isn't valid Unicode"),
    ],
)
def test_what_is_no_text_is_refused_by_its_place(router, given, message):
    with pytest.raises(ValueError, match=message):
        router.route(given)


def test_no_policy_is_the_operating_one_and_what_is_none_is_refused(router, prompts):
    asked = router.route(prompts, None)
    assert asked.policy == router.route(prompts).policy
    assert asked.candidate == router.route(prompts).candidate
    with pytest.raises(ValueError, match="policy must be a name or a Policy, is int"):
        router.route(prompts, 5)
    with pytest.raises(ValueError, match="max_output_tokens must be a number"):
        router.route(prompts, max_output_tokens="9")
    assert router.route(prompts, among=[" small "]).candidate == ["small"] * len(prompts)
    # as over HTTP, where a field that is null is one that is absent
    assert len(router.route(prompts, exclude=None, requires=None)) == len(prompts)


def test_only_available_candidates_are_chosen_and_new_ones_are_refused_by_name(router, prompts):
    assert set(router.route(prompts, among=["large"]).candidate) == {"large"}
    assert router.route(prompts, among=["large", "small"]).candidate == router.route(prompts).candidate
    with pytest.raises(ValueError, match="doesn't know 'brand-new': it was trained on small, large"):
        router.route(prompts, among=["small", "brand-new"])


def test_threads_share_a_router(router, prompts):
    alone = router.route(prompts).quality_NM
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: router.route(prompts).quality_NM, range(64)):
            np.testing.assert_array_equal(found, alone)


def test_a_published_root_loads_what_is_in_service(bundle, second, tmp_path):
    publish(bundle, tmp_path)
    assert Router.load(tmp_path).router_id == bundle.name
    publish(second, tmp_path)
    assert Router.load(tmp_path).router_id == second.name
    (tmp_path / "current.json").write_text('{"router_id": "../elsewhere"}')
    with pytest.raises(BundleError, match="names no router_id"):
        Router.load(tmp_path)


def test_a_gateway_loads_nothing_of_the_training_stack(bundle):
    import subprocess
    import sys
    from pathlib import Path

    code = (
        "import sys; from pointsman.router import Router;"
        "print(Router.load(sys.argv[1]).route(['add 1 2']).candidate);"
        "heavy = {'torch', 'mlflow', 'pandas', 'polars', 'sklearn', 'scipy', 'lightning', 'prefect', 'fastapi'};"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code, str(bundle)], check=True, cwd=Path(__file__).parents[3])
