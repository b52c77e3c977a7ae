"""The MLflow flavour of a bundle, by models-from-code: MLflow stores this file, not a pickle."""

import warnings
from typing import Any

import pandas as pd

from pointsman.router import Router

# mlflow warns of its own type hints, and of the missing ones of a class when the class is made, past every filter
with warnings.catch_warnings(record=True):
    import mlflow
    import mlflow.pyfunc

    class BundleModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # mlflow is untyped here
        """Column `prompt` in; candidate, task, predicted_quality, expected_cost_usd and reason out."""

        def load_context(self, context: Any) -> None:
            """Loads the bundle, which verifies itself."""
            self.router = Router.load(context.artifacts["bundle"])

        # MLflow inspects annotations of predict for a schema of its own; the signature is given explicitly
        def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
            """Routes the rows of a frame; the parameter `policy` is as in Router.route."""
            policy = (params or {}).get("policy", "operating")
            routing = self.router.route([str(prompt) for prompt in model_input["prompt"]], policy)
            return pd.DataFrame(
                {
                    "candidate": routing.candidate,
                    "task": [task and task["id"] for task in routing.task],
                    "predicted_quality": routing.predicted_quality,
                    "expected_cost_usd": routing.expected_cost_usd,
                    "reason": [str(reason) for reason in routing.reason_N],
                }
            )


mlflow.models.set_model(BundleModel())
