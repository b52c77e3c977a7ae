"""Attack 11: a graph with a loop, or with code of its own, isn't run."""

import onnx
import pytest
from onnx import TensorProto, helper

from pointsman.text.graph import ALLOWED, check_operators


def model(*nodes, **more):
    inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "l"])]
    outputs = [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 4])]
    return helper.make_model(helper.make_graph(list(nodes), "g", inputs, outputs), **more).SerializeToString()


PLAIN = helper.make_node("Cast", ["input_ids"], ["out"], to=TensorProto.FLOAT)


def test_plain_operators_are_allowed_and_found_as_the_library_finds_them():
    nodes = [
        helper.make_node(name, ["input_ids"], ["out"], alpha=0.5, axes=[1, 2], note="text") for name in sorted(ALLOWED)
    ]
    content = model(*nodes)
    assert {node.op_type for node in onnx.load_from_string(content).graph.node} == ALLOWED
    check_operators(content)


@pytest.mark.parametrize("operator", ["Loop", "Scan", "If", "SequenceMap", "RandomNormal", "Optional", "", "loop"])
def test_attack_11_loops_and_the_like_are_refused(operator):
    with pytest.raises(ValueError, match=f"the operator {operator}, which isn't allowed"):
        check_operators(model(PLAIN, helper.make_node(operator, ["input_ids"], ["out"])))


def test_attack_11_operators_of_other_domains_nested_graphs_and_functions_are_refused():
    with pytest.raises(ValueError, match=r"the operator evil\.Cast"):
        check_operators(model(helper.make_node("Cast", ["input_ids"], ["out"], domain="evil")))
    body = helper.make_graph([PLAIN], "body", [], [])
    for nested in ({"body": body}, {"bodies": [body]}):
        with pytest.raises(ValueError, match="a graph of its own"):
            check_operators(model(helper.make_node("Cast", ["input_ids"], ["out"], **nested)))
    function = helper.make_function("", "Cast2", ["x"], ["y"], [PLAIN], [helper.make_opsetid("", 17)])
    with pytest.raises(ValueError, match="functions of its own"):
        check_operators(model(PLAIN, functions=[function]))


def test_what_is_no_graph_is_refused():
    whole = model(PLAIN)
    for content in (b"", b"\x00", b"\xff" * 40, b"\x3b", whole[:-3]):
        with pytest.raises(ValueError, match="graph"):
            check_operators(content)
