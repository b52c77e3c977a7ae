"""Commands that a gateway runs: route, explain, whatif and serve."""

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

from pointsman.completion import SHELLS, completion
from pointsman.home import published
from pointsman.options import given, location, path, port

if TYPE_CHECKING:
    from pointsman.bundle.signature import Trust

POLICIES = "operating (what the bundle declares) | best | budget=USD | quality=Q | tradeoff=W | tolerance=T"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds them to a parser's."""
    command = commands.add_parser("route", help="choose a candidate for each prompt of a file")
    router_option(command)
    trust_option(command)
    command.add_argument(
        "--input", type=path, required=True, help="parquet, jsonl, json or csv; column 'prompt' or 'messages'"
    )
    command.add_argument("--output", type=path, required=True, help="parquet, jsonl, json or csv")
    command.add_argument("--policy", default="operating", help=POLICIES)
    command.add_argument("--among", help="candidates that may be chosen, with commas between (default: all)")
    command.add_argument("--exclude", default="", help="candidates that may not be chosen, with commas between")
    command.add_argument("--requires", default="", help="capabilities that the choice must have, such as tools,vision")
    command.add_argument(
        "--max-output-tokens",
        type=int,
        default=0,
        metavar="N",
        help="of the answer, which must fit into the context window",
    )
    command.set_defaults(command=_route)

    command = commands.add_parser("explain", help="why a router decides as it does on a prompt")
    router_option(command)
    trust_option(command)
    command.add_argument("--prompt", required=True, help="the text")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(command=_explain)

    command = commands.add_parser("whatif", help="what each policy of a router would cost and get")
    router_option(command)
    trust_option(command)
    command.add_argument("--requests", type=int, default=2_000_000, help="a month (default: 2000000)")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(command=_whatif)

    command = commands.add_parser("completion", help="print a script that completes commands and options with Tab")
    command.add_argument("shell", choices=SHELLS, help="the shell that is to complete them")
    command.set_defaults(command=lambda options: print(completion(options.shell, commands), end="") or 0)

    command = commands.add_parser("serve", help="answer routing requests over HTTP")
    router_option(command)
    trust_option(command)
    command.add_argument("--host", default="127.0.0.1", help="address to listen at")
    command.add_argument(
        "--token-file", type=path, help="holds the bearer token to ask for (default: POINTSMAN_SERVE_TOKEN, or none)"
    )
    command.add_argument("--port", type=port, default=8080, help="port to listen at")
    _serving_options(command)
    command.set_defaults(command=_serve)


def router_option(command: argparse.ArgumentParser) -> None:
    """Adds --router, which takes a bundle or a published folder, or the URL of either."""
    command.add_argument(
        "--router",
        type=location,
        default=published(),
        help="a bundle or a published folder, or its URL (default: data/published in POINTSMAN_HOME, or here)",
    )


def trust_option(command: argparse.ArgumentParser) -> None:
    """Adds --trust, which takes a file of public keys."""
    command.add_argument(
        "--trust",
        type=path,
        metavar="KEY",
        help="file of public keys, one of which must have signed the router (default: unsigned ones are taken too)",
    )


def _trust(options: argparse.Namespace) -> "Trust | None":
    if options.trust is None:
        return None
    from pointsman.bundle.keys import PublicKeys

    return PublicKeys.read(options.trust)


def _serving_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--decisions",
        type=given,
        metavar="DIR",
        help="keep a log of decisions and outcomes here; a URL of an object store gets it a minute later",
    )
    command.add_argument(
        "--decision-text",
        choices=("full", "hash", "embedding"),
        default="full",
        help="what the log keeps of prompts; only full ones can be learnt from (default: full)",
    )
    command.add_argument(
        "--explore", type=float, default=0.0, metavar="R", help="share of decisions drawn among plausible candidates"
    )
    command.add_argument(
        "--explore-budget", type=float, metavar="USD", help="most that exploration may add to 1000 decisions' cost"
    )
    command.add_argument("--explore-not", default="", metavar="TENANTS", help="tenants never explored on, with commas")
    command.add_argument(
        "--shadow", type=given, metavar="DIR", help="a second router that decides too, without counting"
    )
    command.add_argument(
        "--canary", type=float, metavar="SHARE", help="share of sessions that the shadow decides for, until it is worse"
    )
    command.add_argument(
        "--canary-outcomes",
        type=int,
        default=1000,
        metavar="N",
        help="outcomes of the shadow's decisions after which it has succeeded, if it was never worse",
    )
    command.add_argument(
        "--prices", type=path, metavar="FILE", help="JSON of prices that go before the router's, read when it changes"
    )
    command.add_argument(
        "--upstream",
        metavar="URL",
        help="hand chat completions on to this OpenAI-compatible server, key in POINTSMAN_UPSTREAM_KEY",
    )
    command.add_argument(
        "--sticky", type=float, metavar="Q", help="a session keeps its candidate unless another is better by Q quality"
    )


def _route(options: argparse.Namespace) -> int:
    from pointsman.files import route_file

    among = None if options.among is None else _names(options.among)
    routed = route_file(
        options.router,
        options.input,
        options.output,
        options.policy,
        among,
        exclude=_names(options.exclude),
        requires=_names(options.requires),
        max_output_tokens=options.max_output_tokens,
        trust=_trust(options),
    )
    if routed.renamed:
        names = ", ".join(f"{name} as {other}" for name, other in routed.renamed.items())
        print(
            f"pointsman: columns that are called as a decision's are kept under another name: {names}", file=sys.stderr
        )
    empty = f", {routed.empty} of them on empty prompts" if routed.empty else ""
    if routed.undecided:
        print(
            f"pointsman: {routed.undecided} of {routed.prompts} prompts have no candidate, for none can take them: "
            "the column reason says why",
            file=sys.stderr,
        )
    print(f"{routed.prompts - routed.undecided} decisions written to {options.output}{empty}")
    return 0


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _explain(options: argparse.Namespace) -> int:
    from pointsman.explain import explain, text_of

    found = explain(options.router, options.prompt, _trust(options))
    print(json.dumps(found, indent=1, ensure_ascii=False) if options.json else text_of(found))
    return 0


def _whatif(options: argparse.Namespace) -> int:
    from pointsman.whatif import text_of, whatif

    found = whatif(options.router, options.requests, _trust(options))
    print(json.dumps(found, indent=1, ensure_ascii=False) if options.json else text_of(found))
    return 0


def _serve(options: argparse.Namespace) -> int:
    from pointsman.policy.exploration import ExplorationConfig
    from pointsman.serving.app import ServingConfig, serve
    from pointsman.serving.canary import CanaryConfig
    from pointsman.serving.config import UpstreamConfig
    from pointsman.serving.decision_log import LogConfig

    given = options.token_file
    token = os.environ.get("POINTSMAN_SERVE_TOKEN") if given is None else given.read_text(encoding="utf-8").strip()
    if token is None and options.host not in LOOPBACK:
        print(f"pointsman: whoever reaches {options.host} may ask, for there is no token", file=sys.stderr)
    exploration = ExplorationConfig(
        rate=options.explore,
        usd_per_1000=float("inf") if options.explore_budget is None else options.explore_budget,
        opted_out=frozenset(_names(options.explore_not)),
    )
    config = ServingConfig(
        token=token,
        trust=_trust(options),
        explore=exploration,
        log=None if options.decisions is None else LogConfig.at(options.decisions, text=options.decision_text),
        shadow=options.shadow,
        canary=None if options.canary is None else CanaryConfig(share=options.canary, enough=options.canary_outcomes),
        sticky=options.sticky,
        prices=options.prices,
        upstream=None
        if options.upstream is None
        else UpstreamConfig(url=options.upstream, key=os.environ.get("POINTSMAN_UPSTREAM_KEY") or None),
    )
    serve(options.router, host=options.host, port=options.port, config=config)
    return 0
