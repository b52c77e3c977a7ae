"""What an ONNX graph computes with, read without running it: an encoder's graph has no loops and no code of its own.

ONNX files are protocol buffers. Of their messages only the few fields are read that hold operators:
ModelProto.graph (7) and .functions (25); GraphProto.node (1); NodeProto.op_type (4), .attribute (5) and .domain (7);
AttributeProto.g (6) and .graphs (11). https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from collections.abc import Iterator

ELEMENTWISE = frozenset(
    [
        "Abs",
        "Add",
        "And",
        "BitShift",
        "Cast",
        "Ceil",
        "Clip",
        "Cos",
        "Div",
        "Equal",
        "Erf",
        "Exp",
        "Floor",
        "Gelu",
        "Greater",
        "GreaterOrEqual",
        "IsNaN",
        "IsInf",
        "Less",
        "LessOrEqual",
        "Log",
        "Max",
        "Mean",
        "Min",
        "Mod",
        "Mul",
        "Neg",
        "Not",
        "Or",
        "Pow",
        "Reciprocal",
        "Relu",
        "Round",
        "Sigmoid",
        "Sign",
        "Sin",
        "Softplus",
        "Sqrt",
        "Sub",
        "Sum",
        "Tanh",
        "Where",
        "Xor",
        "FastGelu",
        "QuickGelu",
        "BiasGelu",
    ]
)
SHAPES = frozenset(
    [
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Dropout",
        "Expand",
        "Flatten",
        "Gather",
        "GatherElements",
        "GatherND",
        "Identity",
        "Range",
        "Reshape",
        "ScatterElements",
        "ScatterND",
        "Shape",
        "Size",
        "Slice",
        "Split",
        "Squeeze",
        "Tile",
        "Transpose",
        "Trilu",
        "Unsqueeze",
        "CumSum",
        "OneHot",
        "Pad",
    ]
)
SUMS = frozenset(
    [
        "ArgMax",
        "ArgMin",
        "Einsum",
        "FusedMatMul",
        "Gemm",
        "LayerNormalization",
        "LpNormalization",
        "LogSoftmax",
        "MatMul",
        "ReduceL1",
        "ReduceL2",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceProd",
        "ReduceSum",
        "ReduceSumSquare",
        "RMSNormalization",
        "SimplifiedLayerNormalization",
        "SkipLayerNormalization",
        "SkipSimplifiedLayerNormalization",
        "Softmax",
        "EmbedLayerNormalization",
        "Attention",
        "MultiHeadAttention",
        "GroupQueryAttention",
        "RotaryEmbedding",
    ]
)
QUANTISED = frozenset(
    [
        "DequantizeLinear",
        "DynamicQuantizeLinear",
        "DynamicQuantizeMatMul",
        "MatMulInteger",
        "MatMulIntegerToFloat",
        "MatMulNBits",
        "QAttention",
        "QLinearAdd",
        "QLinearMatMul",
        "QLinearMul",
        "QuantizeLinear",
        "QEmbedLayerNormalization",
    ]
)
ALLOWED = ELEMENTWISE | SHAPES | SUMS | QUANTISED
"""Operators that end after as many steps as their inputs have numbers; no Loop, Scan, If, random or custom ones."""
DOMAINS = frozenset({"", "ai.onnx", "com.microsoft"})
_GRAPH, _FUNCTIONS, _NODE, _OP, _ATTRIBUTE, _DOMAIN, _SUBGRAPH, _SUBGRAPHS = 7, 25, 1, 4, 5, 7, 6, 11


def check_operators(graph: bytes) -> None:
    """Refuses a graph with operators beyond the allowed ones.

    Raises:
        ValueError: it is no ONNX file, or has an operator, a domain or a nested graph that isn't allowed.
    """
    nodes = 0
    for number, content in _fields(graph):
        if number == _FUNCTIONS:
            raise ValueError("the graph defines functions of its own")
        if number == _GRAPH:
            for inner, node in _fields(content):
                if inner == _NODE:
                    nodes += 1
                    _check_node(node)
    if not nodes:
        raise ValueError("the graph has no operators")


def _check_node(node: bytes) -> None:
    operator, domain = "", ""
    for number, content in _fields(node):
        if number == _OP:
            operator = content.decode("utf-8", "replace")
        elif number == _DOMAIN:
            domain = content.decode("utf-8", "replace")
        elif number == _ATTRIBUTE and any(inner in (_SUBGRAPH, _SUBGRAPHS) for inner, _ in _fields(content)):
            raise ValueError("an operator of the graph holds a graph of its own")
    if domain not in DOMAINS or operator not in ALLOWED:
        raise ValueError(f"the graph has the operator {domain + '.' if domain else ''}{operator}, which isn't allowed")


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field that has a length; numbers are passed over.

    Raises:
        ValueError: it is no such message.
    """
    view, place = memoryview(message), 0
    while place < len(view):
        key, place = _varint(view, place)
        kind = key & 7
        if kind == 0:
            _, place = _varint(view, place)
        elif kind == 1:
            place += 8
        elif kind == 5:
            place += 4
        elif kind == 2:
            length, place = _varint(view, place)
            if place + length > len(view):
                raise ValueError("the graph is cut off")
            yield key >> 3, bytes(view[place : place + length])
            place += length
        else:
            raise ValueError("the graph is no ONNX file")
    if place != len(view):
        raise ValueError("the graph is cut off")


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(view):
            raise ValueError("the graph is cut off")
        byte = view[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("the graph is no ONNX file")
