"""The routing benchmark's child: PUBLISHED ROUNDS; prints JSON."""

import json
import statistics
import sys
import time
from collections.abc import Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from pointsman.bundle.pointer import resolve
from pointsman.bundle.reading import Bundle, read_bundle
from pointsman.model.folded.fold import fold
from pointsman.policy.policy import Best
from pointsman.router import Router
from pointsman.text.encoder import Encoder
from tests.benchmarks.child import medians

PROMPTS, WORDS, BATCH = 24, 12, 1000


def main(published: Path, rounds: int) -> None:
    """Measures the router in service."""
    bundle = read_bundle(resolve(published))
    router, encoder = Router.load(bundle.folder, threads=1), bundle.encoder(threads=1)
    texts = [row["prompt"] for row in bundle.golden]
    short = [" ".join(text.split()[:WORDS]) for text in texts[:PROMPTS]]
    kinds = {f"first {WORDS} words, each alone": short, "golden, each alone": texts[:PROMPTS]}
    rows = [{"prompts": kind, **_alone(router, encoder, prompts, rounds)} for kind, prompts in kinds.items()]
    rows.append(
        {"prompts": "golden, repeated", **_together(router, encoder, list(islice(cycle(texts), BATCH)), rounds)}
    )
    summary = {"router": router.router_id, "tasks": len(bundle.manifest.provenance.tasks)}
    summary |= _folded(bundle, short, rounds)
    print(json.dumps({"rows": rows, "summary": {**summary, "candidates": len(router.candidates)}}))


def _alone(router: Router, encoder: Encoder, prompts: Sequence[str], rounds: int) -> dict[str, float]:
    """Mean over prompts of each one's median processor time, encoded and routed in turn."""
    taken = [
        medians(
            [partial(encoder.encode, [prompt]), partial(router.route, [prompt])], rounds=rounds, clock=time.process_time
        )
        for prompt in prompts
    ]
    encode, route = (statistics.mean(column) for column in zip(*taken, strict=True))
    return _row(prompts, 1, encode, route - encode)


def _together(router: Router, encoder: Encoder, prompts: Sequence[str], rounds: int) -> dict[str, float]:
    """What is known after encoding is scored again and again: the difference of two long runs would be noise."""
    tokens = encoder.tokenize(prompts)
    start = time.process_time()
    embedding_ND = encoder.encode_tokens(tokens)
    encode = time.process_time() - start
    (beside,) = medians(
        [lambda: router.choose(router.predict_encoded(tokens, embedding_ND), Best())],
        rounds=rounds,
        clock=time.process_time,
    )
    return _row(prompts, len(prompts), encode, beside)


def _folded(bundle: Bundle, prompts: Sequence[str], rounds: int) -> dict[str, float]:
    """Milliseconds of the model's part alone on a lone prompt, folded as it is served and as it was trained."""
    encoder, folded = bundle.encoder(threads=1), fold(bundle.model)
    taken = []
    for prompt in prompts:
        tokens = encoder.tokenize([prompt])
        embedding_ND = encoder.encode_tokens(tokens)
        parts = (bundle.feature_map.transform(embedding_ND, tokens), embedding_ND, tokens.length_N)
        ways = [partial(folded.predict, *parts), partial(bundle.model.predict, *parts)]
        taken.append(medians(ways, rounds=rounds, clock=time.process_time))
    fast, plain = (1000 * statistics.mean(column) for column in zip(*taken, strict=True))
    return {"model on a lone prompt, folded, ms": fast, "model on a lone prompt, as trained, ms": plain}


def _row(prompts: Sequence[str], batch: int, encode: float, beside: float) -> dict[str, float]:
    return {
        "batch": batch,
        "words, mean": statistics.mean(len(prompt.split()) for prompt in prompts),
        "encode ms": 1000 * encode,
        "beside ms": 1000 * beside,
        "overhead": beside / encode,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
