"""An emptied field of any form is as if it hadn't been filled in, and a folder that must be named is named."""

from pathlib import Path
from types import NoneType
from typing import get_args, get_type_hints

import pytest
from pydantic import ValidationError

from flows.collect import CollectParameters
from flows.compare import CompareParameters
from flows.drift import DriftParameters
from flows.extrapolation import ExtrapolationParameters
from flows.grade import GradeParameters
from flows.onboard import OnboardParameters
from flows.release import PromoteParameters, RollbackParameters
from flows.retrain_form import RetrainParameters

FORMS = (
    CollectParameters,
    CompareParameters,
    DriftParameters,
    ExtrapolationParameters,
    GradeParameters,
    OnboardParameters,
    PromoteParameters,
    RetrainParameters,
    RollbackParameters,
)
OPTIONAL = [(form, name) for form in FORMS for name, kind in get_type_hints(form).items() if NoneType in get_args(kind)]
FOLDERS = [(form, name) for form in FORMS for name, kind in get_type_hints(form).items() if kind is Path]


def filled(form, **fields):
    needed = {name: "logs" for one, name in FOLDERS if one is form}
    return form(**{**needed, **fields})


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize(("form", "name"), OPTIONAL)
def test_an_emptied_field_is_as_if_it_had_not_been_filled_in(form, name, blank):
    assert filled(form, **{name: blank}) == filled(form)
    assert getattr(filled(form, **{name: blank}), name) is None


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize(("form", "name"), FOLDERS)
def test_a_folder_that_must_be_named_is_not_the_current_one(form, name, blank):
    with pytest.raises(ValidationError, match=f"(?s){name}.*names no folder"):
        filled(form, **{name: blank})
    assert getattr(filled(form, **{name: "."}), name) == Path()


def test_the_fields_are_found():
    assert {name for _, name in OPTIONAL} == {
        *("data", "decisions", "policy", "router", "canary", "to", "prompts", "seeds"),
    }
    assert [form for form, _ in FOLDERS] == [
        *(CollectParameters, CompareParameters, DriftParameters, GradeParameters, OnboardParameters)
    ]


def test_what_is_filled_in_is_still_checked():
    assert RollbackParameters(to="ab12").to == "ab12"
    with pytest.raises(ValidationError, match="pattern"):
        RollbackParameters(to="../x")
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        filled(CollectParameters, prompts=0)
    with pytest.raises(ValidationError, match="name it as data"):
        RetrainParameters(data="", decisions="log")
