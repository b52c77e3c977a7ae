"""The key of a language model's API, from a Prefect Secret block where the environment has none."""

import os

SECRET = "pointsman-llm-key"  # noqa: S105  # the block's name
"""Name of the Secret block."""


def key_from_block() -> None:
    """Puts the block's value where settings read the key; the environment's own key goes first, and so does none.

    A key is never a parameter: those are stored and shown.
    """
    from prefect.blocks.system import Secret  # noqa: PLC0415  # only flows need Prefect

    if os.environ.get("POINTSMAN_LLM_KEY") or os.environ.get("OPENAI_API_KEY"):
        return
    try:
        block = Secret.load(SECRET)
    except ValueError:
        return
    os.environ["POINTSMAN_LLM_KEY"] = str(block.get())  # type: ignore[union-attr]
