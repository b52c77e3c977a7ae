"""Commands that buy answers and grades: collect, grade, onboard and the demonstration that needs no key."""

import argparse
import sys
from typing import TYPE_CHECKING

from flows.purchasing import Bar, endpoint, predicted_for, stoppable
from pointsman.options import path, seed, share

if TYPE_CHECKING:
    from components.grading.believed import Agreement


def add_buying(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands to a parser's."""
    command = commands.add_parser(
        "grade",
        help="give the answers of a folder grades, and derive quality from them",
        epilog="example: pointsman grade --data logs --by judge --url https://api.openai.com/v1 --model gpt-4.1-mini "
        "--budget 5; the key is read from POINTSMAN_LLM_KEY or OPENAI_API_KEY",
    )
    command.add_argument("--data", type=path, required=True, help="folder of the tables")
    command.add_argument("--by", choices=["reference", "judge", "feedback", "preference"], help="who grades")
    _endpoint_options(command, "the judge's name there")
    command.add_argument("--pairwise", action="store_true", help="the judge compares two answers, in both orders")
    command.add_argument(
        "--max-output-tokens", type=int, default=2000, help="where the judge's words are cut (default: 2000)"
    )
    command.add_argument("--forget", action="store_true", help="delete the texts of all answers afterwards")
    command.set_defaults(command=run_grade)

    command = commands.add_parser(
        "collect",
        help="buy answers: choose probes, print the bill, ask the candidates, append to the tables",
        epilog="example: pointsman collect --data logs --url http://127.0.0.1:4000/v1 --budget 5 --dry-run",
    )
    command.add_argument("--data", type=path, required=True, help="folder of the tables")
    _endpoint_options(command, None)
    command.add_argument("--candidates", help="who is asked, with commas between (default: all that aren't retired)")
    command.add_argument("--prompts", type=int, help="how many prompts to probe (default: what the budget reaches)")
    command.add_argument("--dry-run", action="store_true", help="print the bill and ask nothing")
    command.add_argument("--max-output-tokens", type=int, default=1024, help="where answers are cut (default: 1024)")
    command.add_argument("--seed", type=seed, default=0, help="same seed and tables: same prompts")
    command.set_defaults(command=run_collect)

    command = commands.add_parser(
        "onboard",
        help="add a candidate to the router in service from few graded answers; nothing else is trained again",
        epilog="example: pointsman onboard --data logs --model new-model --url http://127.0.0.1:4000/v1 --budget 2 "
        "--judge gpt-4.1-mini",
    )
    command.add_argument("--data", type=path, help="folder of the tables, which name the candidate and its prices")
    command.add_argument("--model", required=True, help="the candidate")
    _endpoint_options(command, None)
    command.add_argument("--judge", help="who grades answers that have no reference, at the same URL")
    command.add_argument("--probes", type=int, default=200, help="graded answers to reach (default: 200)")
    command.add_argument("--max-output-tokens", type=int, default=1024, help="where answers are cut (default: 1024)")
    command.add_argument("--margin", type=share, default=0.01, help="quality that may be lost at most (default: 0.01)")
    command.add_argument("--retire", action="store_true", help="take the candidate out of the router in service")
    command.add_argument("--seed", type=seed, default=0, help="same seed: same answers bought")
    command.set_defaults(command=run_onboard)

    command = commands.add_parser(
        "demo", help="see collect, grade, retrain, serve, feedback and onboard at work: all simulated, no key needed"
    )
    command.add_argument("--prompts", type=int, default=800, help="simulated prompts (default: 800)")
    command.add_argument("--seed", type=seed, default=0, help="same seed: same simulated prompts")
    command.set_defaults(command=_demo)


def _demo(options: argparse.Namespace) -> int:
    from flows.platform.settings import prepare_environment

    prepare_environment()
    from flows.tour import run_tour

    return run_tour(options.prompts, options.seed)


def _endpoint_options(command: argparse.ArgumentParser, model: str | None) -> None:
    command.add_argument("--url", help="base of an OpenAI-compatible API (default: POINTSMAN_LLM_URL)")
    if model:
        command.add_argument("--model", help=model)
    command.add_argument("--budget", type=float, help="USD that are never exceeded")


def run_grade(options: argparse.Namespace) -> int:
    """Grades a folder and prints what came of it."""
    if options.by is None and not options.forget:
        raise ValueError("--by is missing: reference, judge, feedback or preference")
    from components.grading.folder import JudgeRequest, forget, grade_folder
    from components.grading.judge import JudgeConfig

    request, bar = None, Bar(options.budget or 0.0)
    if options.by == "judge":
        if not options.model or options.budget is None:
            raise ValueError("--by judge needs --url, --model and --budget")
        request = JudgeRequest(
            endpoint=endpoint(options.url),
            judge=JudgeConfig(model=options.model, max_output_tokens=options.max_output_tokens),
            budget_usd=options.budget,
            pairs=options.pairwise,
        )
    if options.by is not None:
        found = stoppable(lambda: grade_folder(options.data, options.by, request, bar), bar)
        for notice in found.notices:
            print(f"note: {notice}")
        for agreement in found.agreement:
            print(_agreement(agreement))
        print(f"{found.grades} grades by {options.by}; {found.quality} of {found.outcomes} outcomes have a quality")
        if request is not None:
            print(f"spent: {found.spent_usd:.6f} USD of {options.budget:g}")
        # what has no grade yet needs its text
        kept = "; the texts of answers were kept" if options.forget else ""
        if found.problem:
            raise ValueError(found.problem + kept)
        if found.left and options.forget:
            raise ValueError(
                f"{found.left} answers have no grade by {options.by} yet{kept}: the same command goes on, and "
                f"`pointsman grade --data {options.data} --forget` deletes them ungraded"
            )
    if options.forget:
        print(f"texts of answers deleted: {forget(options.data)}")
    return 0


def _agreement(agreement: "Agreement") -> str:
    line = f"{agreement.grader}: {agreement.judged} answers, {agreement.corrected} with a better grade"
    if agreement.corrected:
        line += f"; bias {agreement.bias:+.3f}, correlation {agreement.correlation:.2f}"
    return line + ("; corrected by them" if agreement.used else "; uncorrected: ten better grades or more correct it")


def run_collect(options: argparse.Namespace) -> int:
    """Buys answers and prints the bill before, and what came of it."""
    if options.budget is None:
        raise ValueError("--budget is missing: USD that are never exceeded")
    from components.collecting.choosing import CollectConfig, plan_folder
    from components.collecting.folder import collect_folder, prepare

    config = CollectConfig(
        budget_usd=options.budget,
        candidates=tuple(name.strip() for name in options.candidates.split(",")) if options.candidates else (),
        prompts=options.prompts,
        max_output_tokens=options.max_output_tokens,
        seed=options.seed,
    )
    where = None if options.dry_run else endpoint(options.url)
    planned = plan_folder if options.dry_run else prepare
    plan = planned(options.data, config, predicted_for(options.data))
    for notice in plan.notices:
        print(f"note: {notice}")
    print(plan.bill)
    prompts = plan.cells["prompt_id"].n_unique()
    print(f"{prompts} prompts, {plan.bill.answers} answers, about {plan.bill.usd:.4f} USD of {options.budget:g}")
    if where is None:
        return 0
    bar = Bar(options.budget)
    found = stoppable(lambda: collect_folder(options.data, config, plan, where, bar), bar)
    for notice in found.notices:
        print(f"note: {notice}")
    print(f"{found.answers} answers added to {options.data}; spent: {found.spent_usd:.6f} USD of {options.budget:g}")
    if found.problem:
        raise ValueError(found.problem)
    print(f"they wait for grades: pointsman grade --data {options.data} --by reference|judge")
    return 0


def run_onboard(options: argparse.Namespace) -> int:
    """Adds a candidate to the router in service, or takes one out, and prints the verdict."""
    from flows.platform import paths
    from flows.platform.settings import prepare_environment

    print(f"onboard: {options.model}, to the router in {paths.published()}", file=sys.stderr, flush=True)
    prepare_environment()
    if not options.retire:
        _prepare_onboarding(options)
    # after whatever can be refused without them, since they load torch
    from components.learning.onboarding import OnboardConfig
    from flows.stations.onboard import onboard, retire

    if options.retire:
        change = retire(options.model)
    else:
        change = onboard(options.data, options.model, OnboardConfig(margin=options.margin), options.seed)
        judged = change.judged
        if judged is not None:
            print(
                f"{options.model}: quality {judged.mean:.3f} on {judged.gain.count} probes, chosen on "
                f"{judged.share:.1%} of them"
            )
    ended, found = change.verdicted, change.criterion
    print(f"{found.name}: {found.words}. {found.advice}".rstrip(". ") + ".")
    if found.passed and ended.verdict != "promoted":
        print(*ended.reasons, sep="\n")
    done = "taken out of" if options.retire else "added to"
    print(f"{options.model} was {'' if ended.verdict == 'promoted' else 'not '}{done} the router in service")
    print(f"verdict: {ended.verdict}")
    print(f"bundle: {ended.bundle}\nreport: {ended.report}")
    return 0 if ended.verdict == "promoted" else 1


def _prepare_onboarding(options: argparse.Namespace) -> None:
    """Refuses what can't be onboarded, and buys what is missing."""
    from flows.platform.settings import settings
    from flows.stations.newcomer import router_without

    if options.data is None:
        raise ValueError("--data is missing: the folder of the tables")
    router_without(options.model)
    # the form of the flow gives an empty URL where nothing is to be bought
    elsewhere = options.url is None and options.budget is not None and settings().llm_url
    if options.url or elsewhere:
        from flows.probing import probe

        probe(options)
