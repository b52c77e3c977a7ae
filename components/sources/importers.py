"""The log formats that can be imported, by the name a user gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.sources.call import Read, ReadOptions
from components.sources.decisions import read_decisions
from components.sources.inspect_eval import read_inspect
from components.sources.langfuse import read_langfuse
from components.sources.litellm_spend import read_litellm_spend
from components.sources.llmrouter import read_llmrouter
from components.sources.lm_eval import read_lm_eval
from components.sources.openai_batch import read_openai_batch
from components.sources.otel import read_otel
from components.sources.plain_tables import read_tables_folder
from components.sources.promptfoo import read_promptfoo
from components.sources.routerbench import read_routerbench
from components.sources.wide_csv import read_wide_csv

_LINES = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One log format."""

    read: Callable[[Sequence[Path], ReadOptions], Read]
    what: str
    """What it is, in a line."""
    example: str
    """How its files are had, and what they are called."""
    suffixes: tuple[str, ...]
    """Of the files that a folder is searched for (with .gz or .zst behind too)."""


SOURCES: dict[str, Source] = {
    "decisions": Source(
        read=read_decisions,
        what="the decision log of pointsman serve: choices with their propensities, and outcomes as they came in",
        example="the folder of pointsman serve --decisions DIR",
        suffixes=(".parquet", ".jsonl"),
    ),
    "inspect": Source(
        read=read_inspect,
        what="logs of Inspect evaluations",
        example="logs/*.json, logs/*.eval",
        suffixes=(".json", ".eval"),
    ),
    "langfuse": Source(
        read=read_langfuse,
        what="observations, traces and scores of Langfuse",
        example="answers of /api/public/observations, tables' exports (JSON, csv), blob storage (scores/ ...)",
        suffixes=(*_LINES, ".csv"),
    ),
    "litellm-spend": Source(
        read=read_litellm_spend,
        what="spend logs of a LiteLLM gateway",
        example="LiteLLM_SpendLogs as JSON lines, or the answer of /spend/logs",
        suffixes=_LINES,
    ),
    "llmrouter": Source(
        read=read_llmrouter,
        what="routing data of the LLMRouter library",
        example="default_routing_train_data.jsonl",
        suffixes=_LINES,
    ),
    "lm-eval": Source(
        read=read_lm_eval,
        what="samples of the lm-evaluation-harness, one file a model and task",
        example="lm_eval --log_samples: OUT/MODEL/samples_TASK_TIME.jsonl, with results_TIME.json beside",
        suffixes=(".jsonl",),
    ),
    "openai-batch": Source(
        read=read_openai_batch,
        what="output of OpenAI's batch API with its input",
        example="batch_input.jsonl batch_output.jsonl",
        suffixes=(".jsonl",),
    ),
    "otel": Source(
        read=read_otel,
        what="spans of calls: OpenTelemetry GenAI conventions or OpenInference",
        example="spans as JSON lines, or OTLP's JSON (resourceSpans; resourceLogs beside it)",
        suffixes=_LINES,
    ),
    "promptfoo": Source(
        read=read_promptfoo,
        what="results of promptfoo",
        example="promptfoo eval -o results.json",
        suffixes=_LINES,
    ),
    "routerbench": Source(
        read=read_routerbench,
        what="RouterBench's table",
        example="routerbench_0shot.csv with MODEL, MODEL|total_cost, MODEL|model_response",
        suffixes=(".csv",),
    ),
    "tables": Source(
        read=read_tables_folder,
        what="tables as in docs/logs.md, to change their scale or names",
        example="a folder with prompts, outcomes and candidates",
        suffixes=(".parquet", ".jsonl", ".json"),
    ),
    "wide-csv": Source(
        read=read_wide_csv,
        what="spreadsheets: one row a prompt and one column of grades a model, or one row a call",
        example="prompt,model-a,model-b or prompt,model,quality",
        suffixes=(".csv", ".tsv"),
    ),
}


def described() -> str:
    """The formats, for a person."""
    width = max(map(len, SOURCES))
    return "\n".join(f"{name:<{width}}  {one.what}\n{'':<{width}}  {one.example}" for name, one in SOURCES.items())
