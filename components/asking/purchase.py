"""Many questions within a budget: each asked once ever, killed at any moment, gone on with in the next run."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from components.asking.budget import Budget, Reserved
from components.asking.client import Client
from components.asking.journal import Journal
from components.asking.question import Answer, AskError, Hopeless, Lost, Price, Question, UnknownModel

HOPELESS = 8
"""Calls that were answered with nothing of use before the first good answer: then no more are paid for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a purchase is."""

    done: int
    """Questions with an answer or without hope of one."""
    all: int
    spent_usd: float
    """Of this purchase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """What a purchase brought."""

    answers: dict[str, Answer]
    """By the question's key; those of earlier runs too."""
    failed: dict[str, str]
    """Question's key -> why it has no answer."""
    unknown_models: tuple[str, ...]
    """Models that the endpoint doesn't know; their other questions weren't asked."""
    spent_usd: float
    """Of this purchase, with what a cut-off run before it had spent."""
    stopped: str | None
    """Why the purchase ended early; None: every question was asked."""
    over_budget: bool
    """Whether it ended because the next call might not fit."""


def buy(
    questions: Sequence[Question],
    client: Client,
    prices: Mapping[str, Price],
    budget_usd: float,
    journal: Journal,
    tell: Callable[[Progress], None] = lambda _: None,
    wrong: Callable[[Question, Answer], str | None] = lambda *_: None,
) -> Bought:
    """Asks what isn't answered yet, in order, as far as the budget reaches.

    Args:
        questions: in the order of their worth.
        client: of the endpoint.
        prices: of every model asked.
        budget_usd: never exceeded, > 0; a purchase that was cut off goes on with what it has left.
        journal: of everything bought before.
        tell: called after each question.
        wrong: why an answer is of no use; None: it is of use. Those that aren't are asked for again in another run.

    Raises:
        ValueError: a model without a price, or a budget that isn't positive.
        KeyboardInterrupt: after the calls under way are noted.
    """
    if missing := sorted({q.model for q in questions} - set(prices)):
        raise ValueError(f"no price known for {', '.join(missing)}")
    journal.begin()
    distinct = {question.key: question for question in questions}
    purchase = _Purchase(distinct, client, prices, Budget(budget_usd, journal.spent_usd), journal, tell, wrong)
    with ThreadPoolExecutor(client.endpoint.parallel) as pool:
        try:
            purchase.run(pool)
        except BaseException:
            purchase.stop()
            raise
    return purchase.bought()


class _Purchase:
    def __init__(
        self,
        questions: dict[str, Question],
        client: Client,
        prices: Mapping[str, Price],
        budget: Budget,
        journal: Journal,
        tell: Callable[[Progress], None],
        wrong: Callable[[Question, Answer], str | None],
    ) -> None:
        self.questions, self.client, self.prices = questions, client, prices
        self.budget, self.journal, self.tell, self.wrong = budget, journal, tell, wrong
        kept = {key: journal.answers[key] for key in questions if key in journal.answers}
        self.there = {key for key, answer in kept.items() if wrong(questions[key], answer) is None}
        """Questions whose answer is there, and of use or paid for in this run."""
        self.failed: dict[str, str] = {}
        self.unknown: set[str] = set()
        self.stopped: str | None = None
        self.over_budget = False
        self.answered = False
        self.lost = 0
        self.why = ""

    def run(self, pool: ThreadPoolExecutor) -> None:
        under_way: set[Future[None]] = set()
        done = len(self.there)
        for key, question in self.questions.items():
            if key in self.there or question.model in self.unknown:
                continue
            if self.stopped:
                break
            # no more than there are workers: what a question sets aside that waits for one, workers would wait for
            if len(under_way) >= self.client.endpoint.parallel:
                finished, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                done += self._collect(finished)
                self.tell(Progress(done=done, all=len(self.questions), spent_usd=self.budget.spent_usd))
            reserved = self._reserve(question)
            if reserved is None:
                if not self.stopped:
                    self.over_budget = True
                    self.stopped = self._short(question)
                break
            if question.model in self.unknown or self.stopped:
                self.budget.settle(reserved, 0.0)
                continue
            under_way.add(pool.submit(self._one, question, reserved))
        while under_way:
            finished, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            done += self._collect(finished)
            self.tell(Progress(done=done, all=len(self.questions), spent_usd=self.budget.spent_usd))

    def bought(self) -> Bought:
        answers = {key: self.journal.answers[key] for key in self.questions if key in self.there}
        return Bought(
            answers=answers,
            failed=self.failed,
            unknown_models=tuple(sorted(self.unknown)),
            spent_usd=self.budget.spent_usd,
            stopped=self.stopped,
            over_budget=self.over_budget,
        )

    def _collect(self, finished: set[Future[None]]) -> int:
        for one in finished:
            one.result()
        return len(finished)

    def _one(self, question: Question, reserved: Reserved) -> None:
        """One question; a try that may have been charged in vain counts in full, and the next needs money again."""
        held: Reserved | None = reserved
        for tried in range(self.client.endpoint.attempts):
            if tried:
                self.client.pause(tried - 1)
                held = self._reserve(question)
            if held is None:
                if not self.budget.closed:
                    self.failed[question.key] = self._short(question)
                return
            if not self._try(question, held, tried):
                return

    def _try(self, question: Question, held: Reserved, tried: int) -> bool:
        """One call; whether another one may go better."""
        spent_usd, answered = 0.0, False
        try:
            if self.stopped or question.model in self.unknown:
                return False
            self.journal.asked(question, held.usd)
            answer = self.client.ask(question, self.prices[question.model])
            spent_usd, answered = answer.cost_usd, True
            self.journal.answered(question, answer)
            self.there.add(question.key)
            self.failed.pop(question.key, None)
            if why := self.wrong(question, answer):
                self._give_up(why)
            else:
                self.answered = True
            return False
        except Lost as error:
            spent_usd = held.usd
            self._failed(question, f"{error} ({tried + 1} attempts)", spent_usd)
            self._give_up(str(error))
            return True
        except AskError as error:
            self._failed(question, str(error), 0.0)
            if isinstance(error, UnknownModel):
                self.unknown.add(question.model)
            if isinstance(error, Hopeless) and not self.stopped:
                self.stopped = str(error)
                self.stop()
            return False
        finally:
            self.budget.settle(held, spent_usd, answered=answered)

    def stop(self) -> None:
        """Ends every wait, for another try and for money."""
        self.client.stop.set()
        self.budget.close()

    def _reserve(self, question: Question) -> Reserved | None:
        return self.budget.reserve(question.model, question.worst_usd(self.prices[question.model]))

    def _give_up(self, why: str) -> None:
        """Stops where none of the first answers was of use: they are paid for, and the rest would be like them."""
        self.lost += 1
        self.why = why
        if self.lost >= HOPELESS and not self.answered and not self.stopped:
            self.stopped = f"{self.client.endpoint.url}: the first {self.lost} answers were of no use: {why}"
            self.stop()

    def _failed(self, question: Question, why: str, cost_usd: float) -> None:
        self.journal.failed(question, why, cost_usd)
        self.failed[question.key] = why

    def _short(self, question: Question) -> str:
        table = question.worst_usd(self.prices[question.model])
        worst = self.budget.worst_usd(question.model, table)
        left = self.budget.limit_usd - self.budget.spent_usd
        budget = f"the budget of {self.budget.limit_usd:g} USD"
        reason = f"{budget} has {left:.6f} left" if left >= 0 else f"{budget} is exceeded by {-left:.6f}"
        reason += f" and the next call, to {question.model}, can cost {worst:.6f}"
        if worst > table:
            reason += f" ({table:.6f} by the table of prices; the endpoint charged more than it says)"
        if self.lost and not self.answered:
            reason += f"; {self.lost} calls were charged and of no use: {self.why}"
        return reason
