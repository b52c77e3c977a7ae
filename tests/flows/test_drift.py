"""Drift in the planted world: a router that knows all task families but one meets fresh prompts.

The router is in closed form (nearest family in a bag of words), so that many worlds cost seconds; the last test trains
one with the real encoder.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from onnx import TensorProto, helper, numpy_helper
from prefect.artifacts import Artifact
from prefect.client.orchestration import get_client
from prefect.events.filters import EventFilter, EventNameFilter
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from components.drift.config import DriftConfig
from components.drift.inspection import inspect
from components.drift.recent import read_recent
from components.embeddings.feature_fit import FeatureConfig, fit_features
from components.embeddings.folders import write_spec
from components.learning.novelty_fit import NoveltyConfig, fit_novelty
from components.release.writing import write_bundle
from components.sources.planted.families import FAMILIES
from components.sources.planted.world import PlantedConfig, World, generate
from components.tables.board import to_board
from components.tables.schema import OUTCOMES, PROMPTS
from components.tables.store import Tables, read_tables, write_tables
from flows.drift import EVENT, DriftParameters, drift
from flows.platform.arrays import save_named
from flows.platform.references import DataRef, reference
from flows.platform.settings import settings
from flows.stations.board import lay_out_board, split_names
from flows.stations.drift_reference import keep_drift_reference, load_reference, reference_path
from pointsman.bundle.manifest import Candidate, Provenance
from pointsman.bundle.pointer import write_pointer
from pointsman.bundle.reading import read_bundle
from pointsman.cli import main
from pointsman.model.calibration import identity
from pointsman.model.clusters import ClusterTables
from pointsman.model.cost import CostHead, CostSource
from pointsman.model.router_model import RouterModel
from pointsman.model.weights import ClassifierWeights, ExpertWeights
from pointsman.router import Router
from pointsman.text.encoder import Encoder
from pointsman.text.spec import EncoderSpec

pytestmark = pytest.mark.filterwarnings("ignore")
DIMENSIONS = 384
NAMES = tuple(family.name for family in FAMILIES)


def _world(seed: int, prompts: int, keep) -> Tables:
    """A fresh world's tables, of the prompts whose families are kept."""
    world: World = generate(PlantedConfig(prompts=prompts, seed=seed))
    ids = world.truth.filter(pl.col("task").is_in(keep))["prompt_id"].to_list()
    tables = world.tables
    return Tables(
        prompts=tables.prompts.filter(pl.col("prompt_id").is_in(ids)),
        candidates=tables.candidates,
        outcomes=tables.outcomes.filter(pl.col("prompt_id").is_in(ids)),
    )


def _with_new(seed: int, family: str, known: int, new: int) -> Tables:
    """Fresh prompts of the other families and a few of a new one."""
    others = _world(seed, known, [name for name in NAMES if name != family])
    world = generate(PlantedConfig(prompts=18 * new, seed=seed + 500))
    ids = world.truth.filter(pl.col("task") == family)["prompt_id"][:new].to_list()
    renamed = pl.format("new-{}", "prompt_id").alias("prompt_id")
    picked = pl.col("prompt_id").is_in(ids)
    return Tables(
        prompts=pl.concat([others.prompts, world.tables.prompts.filter(picked).with_columns(renamed)]),
        candidates=others.candidates,
        outcomes=pl.concat([others.outcomes, world.tables.outcomes.filter(picked).with_columns(renamed)]),
    )


def _encoder(folder: Path, prompts: list[str]) -> Encoder:
    """A bag of words: random word vectors, averaged; it knows the words of every family."""
    folder.mkdir()
    words = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, unk_token="[UNK]"))
    words.normalizer, words.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    split = {
        word
        for prompt in prompts
        for word, _ in words.pre_tokenizer.pre_tokenize_str(words.normalizer.normalize_str(prompt))
    }
    vocabulary = ["[UNK]", "[CLS]", "[SEP]", *sorted(split)]
    tokenizer = Tokenizer(models.WordLevel({word: row for row, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = words.normalizer, words.pre_tokenizer
    tokenizer.save(str(folder / "tokenizer.json"))
    vectors_VD = np.random.default_rng(0).normal(size=(len(vocabulary), DIMENSIONS)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["tokens"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["weights"]),
            helper.make_node("Mul", ["tokens", "weights"], ["kept"]),
            helper.make_node("ReduceMean", ["kept"], ["mean"], axes=[1], keepdims=0),
            helper.make_node("LpNormalization", ["mean"], ["embedding"], axis=1, p=2),
        ],
        "bag",
        [helper.make_tensor_value_info(n, TensorProto.INT64, ["n", "l"]) for n in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", DIMENSIONS])],
        [numpy_helper.from_array(vectors_VD, "table"), numpy_helper.from_array(np.array([2]), "last")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "encoder.onnx").write_bytes(made.SerializeToString())
    spec = EncoderSpec(
        name="bag", kind="onnx", dimension=DIMENSIONS, pooling="sentence", before=("[CLS]",), after=("[SEP]",)
    )
    write_spec(spec, folder)
    return Encoder.load(folder, threads=1)


def _nearest_family(features: int, embedding_ND, family_N, quality_NM, novelty) -> RouterModel:
    """Tasks are the families of training; quality is a family's mean."""
    families, number_N = np.unique(family_N, return_inverse=True)
    tasks, candidates = families.size, quality_NM.shape[1]
    centre_TD = np.stack([embedding_ND[number_N == task].mean(axis=0) for task in range(tasks)])
    centre_TD /= np.linalg.norm(centre_TD, axis=1, keepdims=True)
    reach_FD = np.zeros((features, DIMENSIONS), np.float32)
    reach_FD[:DIMENSIONS] = np.eye(DIMENSIONS)
    table_TM = np.stack([quality_NM[number_N == task].mean(axis=0) for task in range(tasks)])
    return RouterModel(
        classifier=ClassifierWeights(
            hidden_FH=np.concatenate([reach_FD, -reach_FD], axis=1),
            hidden_bias_H=np.zeros(2 * DIMENSIONS, np.float32),
            task_HT=(20 * np.concatenate([centre_TD, -centre_TD], axis=1).T).astype(np.float32),
            task_bias_T=np.zeros(tasks, np.float32),
            temperature=np.array(1, np.float32),
            confidence_floor=np.array(0.5, np.float32),
        ),
        experts=ExpertWeights(
            trunk_FH=np.zeros((features, 1), np.float32),
            trunk_bias_H=np.zeros(1, np.float32),
            general_HM=np.zeros((1, candidates), np.float32),
            general_bias_M=np.zeros(candidates, np.float32),
            task_TMH=np.zeros((tasks, candidates, 1), np.float32),
            task_bias_TM=np.zeros((tasks, candidates), np.float32),
            head_TM=np.zeros((tasks, candidates), np.bool_),
        ),
        clusters=ClusterTables(
            centre_RCF=np.concatenate([centre_TD, np.zeros((tasks, features - DIMENSIONS))], axis=1)[None].astype(
                np.float32
            ),
            quality_RCM=table_TM[None],
        ),
        calibration=identity(candidates),
        cost=CostHead(
            weights_FM=np.zeros((features, candidates), np.float32),
            bias_M=np.full(candidates, 4.0),
            task_TM=np.zeros((tasks, candidates)),
            low_M=np.full(candidates, 1.0),
            high_M=np.full(candidates, 9.0),
            smear_M=np.ones(candidates),
            smear_TM=np.ones((tasks, candidates)),
            mean_cost_M=np.full(candidates, np.nan),
            mean_cost_TM=np.full((tasks, candidates), np.nan),
            input_usd_per_mtok_M=np.ones(candidates),
            output_usd_per_mtok_M=np.ones(candidates),
            source_M=np.full(candidates, int(CostSource.MEAN_TOKENS), np.int64),
        ),
        novelty=novelty,
        task_quality_TM=table_TM,
        general_quality_M=quality_NM.mean(axis=0),
        alpha=np.array(0.0),
        soft=np.array(False),
        guard_margin=np.array(0.0),
        doubt_margin=np.array(0.0),
        distance_margin=np.array(0.0),
        usual_distance=np.array(0.0),
        longest_tokens=np.array(0.0),
        fallback=np.array(0, np.int64),
    )


def _stages(folder: Path, tables: Tables, features, embedding_ND, split_N, model) -> dict[str, DataRef]:
    """Stage outputs as a retrain leaves them."""
    parts = {name: folder / name for name in ("tables", "embedded", "splits", "features", "combined")}
    for path in parts.values():
        path.mkdir()
    write_tables(tables, parts["tables"])
    np.save(parts["embedded"] / "embedding.npy", embedding_ND)
    splits = pl.DataFrame({"prompt_id": tables.prompts["prompt_id"], "split": split_N})
    # the table of splits may be in another order than the prompts
    splits.reverse().write_parquet(parts["splits"] / "splits.parquet")
    save_named(features, parts["features"] / "features.npz")
    save_named(model.to_arrays(), parts["combined"] / "router.npz")
    refs = {name: reference(path) for name, path in parts.items()}
    combined = refs.pop("combined")
    return {**refs, "combined": combined, "laid_out": lay_out_board.fn(**refs, seed=0)}


def _keep(stages: dict[str, DataRef], router_id: str, seed: int) -> None:
    needed = {name: stages[name] for name in ("tables", "laid_out", "combined")}
    keep_drift_reference.fn(**needed, router_id=router_id, seed=seed)


@dataclass(frozen=True)
class Served:
    """A published router that doesn't know one family."""

    published: Path
    router_id: str
    stages: dict[str, DataRef]
    """What a retrain leaves for the reference."""
    model: RouterModel

    def judge(self, tables: Tables, folder: Path, seed: int = 0, config: DriftConfig | None = None):
        write_tables(tables, folder)
        recent = read_recent(folder, minimum=50)
        bundle = read_bundle(self.published / self.router_id)
        return inspect(bundle, load_reference(self.router_id), recent, config or DriftConfig(), seed)


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    """Publishes a router that knows every family but one."""
    everything = generate(PlantedConfig(prompts=1800, seed=90))
    encoder_folder = tmp_path_factory.mktemp("bag") / "encoder"
    encoder = _encoder(encoder_folder, everything.tables.prompts["prompt"].to_list())
    world = generate(PlantedConfig(prompts=1080, seed=0))
    prompts = world.tables.prompts["prompt"].to_list()
    tokens, embedding_ND = encoder.tokenize(prompts), encoder.encode(prompts)
    family_N, quality_NM = world.truth["task"].to_numpy(), to_board(world.tables).quality_NM
    feature_map = fit_features(tokens, encoder.vocabulary, FeatureConfig(lexical_rank=3, seed=0))
    features_NF = feature_map.transform(embedding_ND, tokens)
    split_N = np.where(np.random.default_rng(0).random(len(prompts)) < 0.6, "train", "test")

    def publish(stranger: str) -> Served:
        known_N = family_N != stranger
        train_N = known_N & (split_N == "train")
        novelty = fit_novelty(embedding_ND[train_N], embedding_ND[known_N & ~train_N], NoveltyConfig(), seed=0)
        model = _nearest_family(
            features_NF.shape[1], embedding_ND[train_N], family_N[train_N], quality_NM[train_N], novelty
        )
        names = world.tables.candidates["model"].to_list()
        labels = tuple(sorted(set(NAMES) - {stranger}))
        provenance = Provenance(candidates=tuple(Candidate(model=name) for name in names), tasks=labels)
        golden = Router(model, feature_map, encoder, names, tasks=labels).golden(prompts[:4])
        published = tmp_path_factory.mktemp(f"without-{stranger}")
        report = {"methods": {}}
        router_id = write_bundle(published, model, feature_map, encoder_folder, provenance, report, golden)
        write_pointer(published, router_id)
        stages = _stages(
            tmp_path_factory.mktemp("stages"),
            _world(0, 1080, labels),
            {"features_NF": features_NF[known_N], "input_tokens_N": tokens.length_N[known_N]},
            embedding_ND[known_N],
            split_N[known_N],
            model,
        )
        _keep(stages, router_id, 0)
        return Served(published=published, router_id=router_id, stages=stages, model=model)

    return publish


@pytest.fixture(scope="module")
def served(serve):
    return serve("poem")


@pytest.fixture(scope="module")
def others():
    return [name for name in NAMES if name != "poem"]


def test_the_reference_is_of_the_logs_outside_train_and_kept_once(served):
    stages = served.stages
    split_N = pl.read_parquet(stages["splits"].file("splits.parquet")).reverse()["split"].to_numpy()
    embedding_ND = np.load(stages["embedded"].file("embedding.npy"))
    kept = load_reference(served.router_id)
    np.testing.assert_array_equal(kept.embedding_KD, embedding_ND[split_N == "test"])
    features_NF = np.load(stages["features"].file("features.npz"))["features_NF"]
    np.testing.assert_array_equal(kept.task_K, served.model.tasks(features_NF[split_N == "test"]))
    path = reference_path(served.router_id)
    before = path.stat().st_mtime_ns, path.read_bytes()
    _keep(stages, served.router_id, 1)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before


def test_the_reference_keeps_one_turn_of_each_conversation_of_the_logs(served, tmp_path):
    frames = read_tables(served.stages["tables"].path)
    talk = pl.Series([f"talk {row // 4}" for row in range(frames.prompts.height)])
    write_tables(frames.having(PROMPTS, frames.prompts.with_columns(conversation_id=talk)), tmp_path)
    _keep({**served.stages, "tables": reference(tmp_path)}, "ab" * 32, 0)
    split_N = split_names(served.stages["splits"], frames.prompts["prompt_id"])
    kept = load_reference("ab" * 32)
    assert kept.task_K.size == talk.filter(pl.Series(split_N == "test")).n_unique() < (split_N == "test").sum()


def _assert_found(report, tables, stranger):
    assert report.verdict == "drift", stranger
    assert report.groups, stranger
    wrote = tables.prompts.filter(pl.col("prompt_id").str.starts_with("new-"))["prompt"].to_list()
    named = [group for group in report.groups if all(_among(example, wrote) for example in group["examples"])]
    assert sum(group["recent"] for group in named) >= 0.6 * len(wrote), stranger
    assert all(group["keywords"] for group in named)


def _among(example, texts):
    return any(text.startswith(example) for text in texts)


@pytest.mark.parametrize("runs", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_no_alarm_without_drift(served, others, tmp_path, runs):
    reports = [served.judge(_world(seed, 300, others), tmp_path / str(seed), seed=seed) for seed in range(1, runs + 1)]
    assert [report.verdict for report in reports] == ["no drift"] * runs
    # six on all, and one on the candidate whose outcomes stand out most
    assert all(len(report.checks) == 7 for report in reports)


def test_a_new_family_is_found_in_one_run(served, tmp_path):
    tables = _with_new(31, "poem", known=280, new=28)
    report = served.judge(tables, tmp_path)
    _assert_found(report, tables, "poem")
    assert {"poem", "haiku", "sonnet", "ballad", "limerick", "mood"} & set(report.groups[0]["keywords"])
    assert report.groups[0]["reference"] <= 2


@pytest.mark.slow
@pytest.mark.parametrize("stranger", NAMES)
def test_whichever_family_is_new_it_is_found_in_one_run(serve, tmp_path, stranger):
    tables = _with_new(40, stranger, known=280, new=28)
    _assert_found(serve(stranger).judge(tables, tmp_path), tables, stranger)


def test_a_new_family_is_found_by_embeddings_alone(served, tmp_path):
    tables = _with_new(31, "poem", known=280, new=28)
    encoder = read_bundle(served.published / served.router_id).encoder()
    np.save(tmp_path / "embeddings.npy", encoder.encode(tables.prompts["prompt"].to_list()))
    recent = read_recent(tmp_path, minimum=50)
    bundle, kept = read_bundle(served.published / served.router_id), load_reference(served.router_id)
    report = inspect(bundle, kept, recent, DriftConfig(), 0)
    assert report.verdict == "drift"
    assert report.groups[0]["keywords"] == report.groups[0]["examples"] == []
    assert report.groups[0]["recent"] >= 17
    np.save(tmp_path / "embeddings.npy", recent.embedding_ND[:-28])
    assert inspect(bundle, kept, read_recent(tmp_path, minimum=50), DriftConfig(), 0).verdict == "no drift"


def test_a_missing_family_moves_the_mix(served, others, tmp_path):
    report = served.judge(_world(5, 600, others[:9]), tmp_path)
    assert "task mix, stability index" in {check.name for check in report.checks if check.alarm}


def test_a_candidate_that_got_worse_is_noticed(served, others, tmp_path):
    tables = _world(6, 300, others)
    worse = pl.when(pl.col("model") == tables.candidates["model"][0]).then(0.0).otherwise(pl.col("quality") * 0.7)
    broken = Tables(
        prompts=tables.prompts, candidates=tables.candidates, outcomes=tables.outcomes.with_columns(quality=worse)
    )
    report = served.judge(broken, tmp_path)
    overall, worst = [check.name for check in report.checks if check.alarm]
    assert overall == "predicted less observed quality"
    assert worst.startswith(f"predicted less observed quality of {tables.candidates['model'][0]} (")
    gaps = report.quality["by_candidate"]
    assert max(gaps, key=gaps.get) == tables.candidates["model"][0]


def test_answers_of_a_model_that_the_router_does_not_know_are_told(server, served, others, tmp_path, capsys):
    tables = _world(1, 300, others)
    name = tables.candidates["model"][0]
    renamed = pl.when(pl.col("model") == name).then(pl.lit("brand-new")).otherwise(pl.col("model")).alias("model")
    count = tables.outcomes.filter(pl.col("model") == name).height
    write_tables(tables.having(OUTCOMES, tables.outcomes.with_columns(renamed)), tmp_path)
    assert main(["drift", "--recent", str(tmp_path), "--router", str(served.published)]) == 0
    told = capsys.readouterr().out
    words = f"{count} outcomes of brand-new were left out"
    assert words in told
    report = Path(next(line for line in told.splitlines() if line.startswith("report:")).split(maxsplit=1)[1])
    assert words in report.read_text()


@pytest.fixture(scope="module")
def alarmed(server, served, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recent")
    write_tables(_with_new(31, "poem", known=280, new=28), folder)
    parameters = DriftParameters(recent=folder, router=served.published)
    return drift(parameters), parameters


def test_an_alarm_is_an_event_that_names_router_and_reasons(alarmed, served):
    found, _ = alarmed
    assert found.verdict == "drift"
    assert found.router_id == served.router_id
    seen = _events(found.router_id)
    assert len(seen) == 1
    assert seen[0].payload["reasons"] == list(found.reasons)
    assert seen[0].payload["run_url"].endswith(found.run_id)


def test_the_report_is_json_html_and_markdown_and_escaped(alarmed):
    found, parameters = alarmed
    folder = found.report.parent
    document = json.loads((folder / "drift.json").read_text())
    assert document["report"]["verdict"] == "drift"
    assert document["router_id"] == found.router_id
    page, markdown = found.report.read_text(), (folder / "drift.md").read_text()
    keyword = document["report"]["groups"][0]["keywords"][0]
    assert keyword in page
    assert keyword in markdown
    assert "<script" not in page
    assert page.startswith("<!doctype html>")
    # what users asked isn't quoted unless somebody asks for it
    told = page + markdown + (folder / "drift.json").read_text()
    assert not parameters.examples
    assert not [text for text in pl.read_parquet(parameters.recent / "prompts.parquet")["prompt"] if text[:60] in told]


def test_prefect_and_mlflow_show_the_figures(alarmed):
    from mlflow import MlflowClient

    found, _ = alarmed
    shown = {key: Artifact.get(key) for key in ("drift", "drift-checks", "drift-mlflow-run")}
    assert all(shown.values())
    assert "Drift" in shown["drift"].data
    assert len(json.loads(shown["drift-checks"].data)) == 7
    run = MlflowClient(settings().tracking_uri).get_run(found.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["alarm"] == 1
    assert run.data.tags["router_id"] == found.router_id
    assert {"drift/drift.html", "drift/drift.json"} <= {
        a.path for a in MlflowClient(settings().tracking_uri).list_artifacts(found.run_id, "drift")
    }


def test_the_same_prompts_give_the_same_report_and_no_event_unless_wanted(alarmed):
    found, parameters = alarmed
    before = found.report.with_name("drift.json").read_bytes()
    again = drift(parameters.model_copy(update={"announce": False}))
    assert again.report == found.report
    assert again.report.with_name("drift.json").read_bytes() == before
    assert len(_events(found.router_id)) == 1


def _events(router_id, at_least=1, patience_s=90):
    """Events travel in the background."""
    deadline = time.monotonic() + patience_s
    while len(events := _recorded(router_id)) < at_least and time.monotonic() < deadline:
        time.sleep(0.5)
    return events


def _recorded(router_id):
    with get_client(sync_client=True) as client:
        answer = client.request(
            "POST",
            "/events/filter",
            json={"filter": EventFilter(event=EventNameFilter(name=[EVENT])).model_dump(mode="json")},
        )
    from prefect.events.schemas.events import ReceivedEvent

    events = [ReceivedEvent.model_validate(event) for event in answer.json()["events"]]
    return [event for event in events if event.resource.id == f"pointsman.router.{router_id}"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "nothing to judge"),
        ({"prompts.jsonl": '{"text": "hello"}\n'}, "prompts.jsonl: needs a text column 'prompt'"),
        (
            {"prompts.jsonl": '{"prompt": "hello"}\n'},
            "prompts.jsonl: 1 prompts are too few to judge drift, at least 50",
        ),
    ],
)
def test_unusable_input_ends_with_code_2_and_names_file_and_rule(server, served, tmp_path, capsys, files, message):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert main(["drift", "--recent", str(tmp_path), "--router", str(served.published)]) == 2
    assert message in capsys.readouterr().err


def test_embeddings_of_another_encoder_are_refused(server, served, tmp_path, capsys):
    np.save(tmp_path / "embeddings.npy", np.random.default_rng(0).normal(size=(60, 7)))
    assert main(["drift", "--recent", str(tmp_path), "--router", str(served.published)]) == 2
    assert f"7 dimensions, the router's encoder has {DIMENSIONS}" in capsys.readouterr().err


def test_a_router_that_was_not_trained_here_has_no_reference(server, serve, tmp_path, capsys):
    elsewhere = serve("sql")
    reference_path(elsewhere.router_id).unlink()
    write_tables(_world(3, 120, NAMES), tmp_path)
    assert main(["drift", "--recent", str(tmp_path), "--router", str(elsewhere.published)]) == 2
    assert "run `pointsman retrain` again" in capsys.readouterr().err
