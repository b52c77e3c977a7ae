"""Routes each prompt to the model that will answer it well for the least money.

>>> from pointsman import Router                                        # doctest: +SKIP
>>> Router.load("data/published").route(["What is 17 * 23?"]).candidate  # doctest: +SKIP
['aster-small']
"""

from pointsman.errors import BundleError, InputError
from pointsman.policy.policy import Best, Budget, Policy, QualityBar, Tolerance, Tradeoff, parse
from pointsman.router import Router
from pointsman.routing import Decision, Routing

__all__ = [
    "Best",
    "Budget",
    "BundleError",
    "Decision",
    "InputError",
    "Policy",
    "QualityBar",
    "Router",
    "Routing",
    "Tolerance",
    "Tradeoff",
    "parse",
]
