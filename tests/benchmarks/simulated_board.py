"""Worlds with known truth as boards, quick to draw: rules are chosen on these, and real blocks only confirm them.

Shapes: N prompts, M candidates, T topics, F features.
"""

import numpy as np
from numpy.typing import NDArray

from components.tables.board import Board
from components.tables.splits import SPLITS

SIMULATED = "simulated"
PROMPTS, TOPICS, CANDIDATES, FEATURES = 4000, 12, 8, 32
_SHARES = (0.7, 0.15, 0.15)


def simulated_board(seed: int, prompts: int = PROMPTS) -> tuple[Board, NDArray[np.float64]]:
    """A board and the chances of right answers that its outcomes were drawn from, shape (N, M).

    Complete outcomes of candidates whose strengths differ by topic, each world other than the next.

    A candidate's chance of a right answer is a level of its own, rising with its price, plus strengths by topic and the
    prompt's ease and direction within the topic, on the logit scale. How much candidates and topics differ is drawn
    with the seed: in some worlds one candidate is best nearly everywhere, in others cheap ones are as good.
    """
    generator = np.random.default_rng((seed, 20130))
    level_spread, topic_spread, bend = generator.uniform((0.1, 0.1, 0.0), (0.8, 0.9, 0.6))
    price_M = np.sort(np.exp(generator.uniform(np.log(0.0002), np.log(0.02), CANDIDATES)))
    rank_M = np.linspace(-1, 1, CANDIDATES)
    level_M = level_spread * (rank_M + 0.6 * generator.standard_normal(CANDIDATES))
    strength_TM = topic_spread * generator.standard_normal((TOPICS, CANDIDATES))
    ease_T = 0.5 + 0.8 * generator.standard_normal(TOPICS)
    topic_N = generator.choice(TOPICS, size=prompts, p=generator.dirichlet(np.full(TOPICS, 3.0)))
    centre_TF = 1.2 * generator.standard_normal((TOPICS, FEATURES))
    features_NF = centre_TF[topic_N] + generator.standard_normal((prompts, FEATURES))
    slope_FM = bend * generator.standard_normal((FEATURES, CANDIDATES)) / np.sqrt(FEATURES)
    within_NM = (features_NF - centre_TF[topic_N]) @ slope_FM
    ease_N1 = (ease_T[topic_N] + generator.standard_normal(prompts))[:, None]
    chance_NM = 1 / (1 + np.exp(-(ease_N1 + level_M + strength_TM[topic_N] + within_NM)))
    length_N = np.exp(generator.normal(4.5, 0.7, prompts))
    unit_ND = features_NF / np.linalg.norm(features_NF, axis=1, keepdims=True)
    board = Board(
        quality_NM=(generator.random(chance_NM.shape) < chance_NM).astype(np.float64),
        answered_NM=np.ones(chance_NM.shape, dtype=bool),
        cost_usd_NM=price_M * (length_N / 100)[:, None] * np.exp(0.3 * generator.standard_normal(chance_NM.shape)),
        input_tokens_N=length_N,
        model_M=np.array([f"candidate-{place}" for place in range(CANDIDATES)]),
        benchmark_N=np.array([f"topic-{topic // 3}" for topic in topic_N]),
        split_N=generator.choice(SPLITS, size=prompts, p=_SHARES),
        group_N=np.arange(prompts, dtype=np.int32),
        embedding_ND=unit_ND.astype(np.float32),
        features_NF=unit_ND.astype(np.float32),
    )
    return board, chance_NM
