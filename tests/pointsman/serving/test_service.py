"""Requests that are decided together, each for itself."""

from pointsman.policy.eligibility import NoneEligible, Wanted
from pointsman.router import Router
from pointsman.serving.config import ServingConfig
from pointsman.serving.jobs import Job, Piece
from pointsman.serving.meters import Meters
from pointsman.serving.service import Service


def test_a_request_that_fails_fails_alone(bundle, prompts, monkeypatch):
    router, service = Router.load(bundle), Service(ServingConfig(), Meters(), None)
    choose = Router.choose

    def faulty(self, prediction, policy, wanted):
        if wanted.exclude == ("break",):
            raise TypeError("nobody foresaw this")
        return choose(self, prediction, policy, wanted)

    monkeypatch.setattr(Router, "choose", faulty)
    jobs = [Job(prompts=[prompt], decision_ids=[f"d{row}"]) for row, prompt in enumerate(prompts)]
    jobs[1] = Job(prompts=["x"], decision_ids=["x"], wanted=Wanted(exclude=("break",)))
    jobs[2] = Job(prompts=["y"], decision_ids=["y"], wanted=Wanted(exclude=("small", "large")))
    found = service.predict([Piece(router=router, arm="champion", job=job, start=0, end=1) for job in jobs])
    assert [type(one) for one in found] == [bytes, TypeError, NoneEligible, *[bytes] * (len(jobs) - 3)]
