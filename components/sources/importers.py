"""The log formats that can be imported, by the name a user gives."""

from collections.abc import Callable
from pathlib import Path

from components.sources.litellm_spend import import_litellm_spend
from components.sources.llmrouter_jsonl import import_llmrouter
from components.sources.wide_csv import import_wide_csv
from components.tables.store import Tables

IMPORTERS: dict[str, Callable[[Path], Tables]] = {
    "litellm-spend": import_litellm_spend,
    "llmrouter": import_llmrouter,
    "wide-csv": import_wide_csv,
}
