"""From what a client asked to what the service decides, within the server's limits."""

from typing import Any

from pointsman.policy.eligibility import Wanted, constrained
from pointsman.serving.config import ServingConfig
from pointsman.serving.contract import Asked
from pointsman.serving.jobs import Job, new_id
from pointsman.serving.paces import known_policy
from pointsman.text.conversation import DEFAULT, ConversationConfig, ends_in_tool_loop, routed_messages
from pointsman.text.sent import sent_characters
from pointsman.text.valid import require_texts


def job_of(asked: Asked, limits: ServingConfig, conversation: ConversationConfig = DEFAULT) -> Job:
    """The request within the limits.

    Args:
        asked: as it came.
        limits: of the server.
        conversation: of the router in service: which turns of `messages` are routed.

    Raises:
        ValueError: it isn't.
    """
    given = [name for name in ("prompt", "prompts", "messages") if getattr(asked, name) is not None]
    if len(given) != 1:
        raise ValueError("give either prompt or prompts or messages, one of them")
    requires, characters, digests, in_tool_loop = set(asked.requires), None, None, False
    if asked.messages is not None:
        routed = routed_messages(asked.messages, conversation)
        prompts = [routed.text]
        requires |= set(routed.requires)
        characters, digests = [max(sent_characters(asked.messages), len(routed.text))], [routed.digest]
        in_tool_loop = ends_in_tool_loop(asked.messages)
    else:
        prompts = [asked.prompt] if asked.prompt is not None else asked.prompts or []
    if not 1 <= len(prompts) <= limits.largest_batch:
        raise ValueError(f"want 1 to {limits.largest_batch} prompts, got {len(prompts)}")
    for row, prompt in enumerate(prompts):
        if len(prompt) > limits.longest_prompt:
            raise ValueError(f"prompt {row} has {len(prompt)} characters, at most {limits.longest_prompt}")
    require_texts(prompts)
    for name in ("session", "tenant", "requires"):
        if plain(getattr(asked, name)) != getattr(asked, name):
            raise ValueError(f"{name} isn't valid Unicode")
    if asked.decision_id is not None and len(prompts) > 1:
        raise ValueError("decision_id names one decision: give it with one prompt")
    policy, wanted = constrained(
        asked.policy,
        Wanted(
            among=None if asked.among is None else tuple(asked.among),
            exclude=tuple(asked.exclude),
            requires=tuple(sorted(requires)),
            max_output_tokens=asked.max_output_tokens,
        ),
    )
    return Job(
        prompts=prompts,
        decision_ids=[asked.decision_id] if asked.decision_id else [new_id() for _ in prompts],
        policy=known_policy(policy),
        wanted=wanted,
        characters=characters,
        digests=digests,
        session=asked.session,
        tenant=asked.tenant,
        explain=asked.explain,
        in_tool_loop=in_tool_loop,
    )


def plain(value: Any) -> Any:
    """Half surrogate pairs replaced, since they can't be sent."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value
