"""Prompts connected by equal text or by a high cosine. Shapes: N prompts, D embedding, P projection, U distinct
embeddings, B rows of a block, R rows it is compared with, C cells, E links.
"""

import hashlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from components.tables.principal import principal_directions
from components.tables.sampling import evenly

Rows = NDArray[np.intp]
Floats32 = NDArray[np.float32]
EXACT = 20_000
"""Up to so many distinct embeddings every pair is compared; of more, pairs that share a cell."""
_BLOCK = 1024
"""Rows of one similarity block: 1024 x 20,000 float32 are 80 MB."""
_CELL = 1000
"""Prompts for each reference prompt."""
_NEAREST = 3
"""Cells that a prompt is in: those of its nearest reference prompts."""
_LINKS = 1_000_000
"""Pairs of one block that are joined at once: of a template's all at once don't fit in memory."""
_DIRECTIONS = 48
"""Principal directions that rule most pairs of a cell out before they are compared whole."""
_SAMPLE = 10_000
"""Prompts that those are found from at most."""
_ROUNDING = 1e-4
"""Of a product in single precision, generously."""
_FEW = 0.02
"""Share of a block's pairs up to which the rest are compared one by one rather than all at once."""


def connected(text_N: Rows, embedding_ND: Floats32, cosine: float) -> Rows:
    """Component of each prompt, linked by equal text or a cosine above `cosine`, in any numbering.

    Equal embeddings, as of texts that differ only beyond what the encoder reads, are compared with others once. Those
    of zeros are like nothing, not even each other.

    Args:
        text_N: number of each prompt's text.
        embedding_ND: unit rows, or zeros.
        cosine: above it two prompts are linked, below 1.
    """
    number: dict[bytes, int] = {}
    seen_N = np.asarray(embedding_ND.any(axis=1))
    vector_N = np.array(
        [
            number.setdefault(hashlib.blake2b(row.tobytes() if seen else b"%d" % place).digest(), len(number))
            for place, (row, seen) in enumerate(zip(embedding_ND, seen_N, strict=True))
        ],
        dtype=np.intp,
    )
    _, first_U = np.unique(vector_N, return_index=True)
    components = connected_exactly if first_U.size <= EXACT else connected_in_cells
    component_U = components(np.arange(first_U.size), embedding_ND[first_U], cosine)
    _, representative_U, inverse_U = np.unique(component_U, return_index=True, return_inverse=True)
    return _joined(text_N, np.arange(text_N.size), first_U[representative_U[inverse_U]][vector_N])


def connected_exactly(text_N: Rows, embedding_ND: Floats32, cosine: float) -> Rows:
    """Component of each prompt where every pair is compared, in any numbering.

    Args:
        text_N: number of each prompt's text.
        embedding_ND: unit rows.
        cosine: above it two prompts are linked.
    """
    component_N = text_N
    for start in range(0, text_N.size, _BLOCK):
        # Only columns from `start` on: pairs with earlier rows were seen in earlier blocks.
        similar_BR = embedding_ND[start : start + _BLOCK] @ embedding_ND[start:].T > cosine
        component_N = _joined_by(component_N, start, similar_BR)
    return component_N


def connected_in_cells(text_N: Rows, embedding_ND: Floats32, cosine: float) -> Rows:
    """The same where only prompts that share one of their nearest reference prompts are compared.

    The reference prompts are drawn evenly, one a thousand prompts, so that a cell's size doesn't grow with the logs:
    time is linear but for the distances to the reference prompts. Prompts nearer than a cosine of .95 nearly always
    share one of their three nearest ones; a pair that doesn't is missed.
    """
    count = text_N.size
    centre_CD = embedding_ND[np.linspace(0, count - 1, -(-count // _CELL)).astype(np.intp)]
    nearest = min(_NEAREST, len(centre_CD))
    cell_NK = np.empty((count, nearest), dtype=np.intp)
    for start in range(0, count, _BLOCK):
        similarity_BC = embedding_ND[start : start + _BLOCK] @ centre_CD.T
        cell_NK[start : start + _BLOCK] = np.argpartition(-similarity_BC, nearest - 1, axis=1)[:, :nearest]
    low_NP = embedding_ND @ principal_directions(embedding_ND[evenly(count, _SAMPLE)], _DIRECTIONS)
    order = np.argsort(cell_NK, axis=None, kind="stable")
    bounds = np.searchsorted(cell_NK.ravel()[order], np.arange(len(centre_CD) + 1))
    left, right = [], []
    for first, last in pairwise(bounds.tolist()):
        rows = order[first:last] // nearest
        component = _connected_in_cell(embedding_ND[rows], low_NP[rows], cosine)
        _, first_row, inverse = np.unique(component, return_index=True, return_inverse=True)
        left.append(rows)
        right.append(rows[first_row[inverse]])
    return _joined(text_N, np.concatenate(left), np.concatenate(right))


def _connected_in_cell(embedding_ND: Floats32, low_NP: Floats32, cosine: float) -> Rows:
    """`connected_exactly` of prompts of different texts, where most pairs are ruled out by their projections.

    No projection makes a distance larger, so that pairs that are far apart along few directions are far apart.
    """
    component_N = np.arange(len(embedding_ND))
    # so extended, a product is minus half the squared distance
    half_N1, one_N1 = (low_NP**2).sum(axis=1, keepdims=True) / 2, np.ones((len(low_NP), 1), np.float32)
    row_NP, column_NP = np.hstack([low_NP, -half_N1, one_N1]), np.hstack([low_NP, one_N1, -half_N1])
    for start in range(0, len(embedding_ND), _BLOCK):
        block_BD, rest_RD = embedding_ND[start : start + _BLOCK], embedding_ND[start:]
        similar_BR = row_NP[start : start + _BLOCK] @ column_NP[start:].T > cosine - 1 - _ROUNDING
        found_E = np.flatnonzero(similar_BR)
        if found_E.size > _FEW * similar_BR.size:
            similar_BR = block_BD @ rest_RD.T > cosine
        else:
            row_E, column_E = np.divmod(found_E, len(rest_RD))
            similar_BR[row_E, column_E] = np.einsum("ed,ed->e", block_BD[row_E], rest_RD[column_E]) > cosine
        component_N = _joined_by(component_N, start, similar_BR)
    return component_N


def _joined_by(component_N: Rows, start: int, similar_BR: NDArray[np.bool_]) -> Rows:
    """Components joined by a block of similar pairs, whose rows and columns both begin at `start`."""
    while True:
        rest_R = component_N[start:]
        apart_BR = similar_BR & (rest_R[: len(similar_BR), None] != rest_R)
        links = np.count_nonzero(apart_BR)
        if links == 0:
            return component_N
        if links <= _LINKS:
            left_E, right_E = np.nonzero(apart_BR)
            return _joined(component_N, left_E + start, right_E + start)
        # A first link a column joins most of a template, and what is still apart is looked at again.
        column_E = np.flatnonzero(apart_BR.any(axis=0))
        component_N = _joined(component_N, apart_BR[:, column_E].argmax(axis=0) + start, column_E + start)


def _joined(component_N: Rows, left_E: Rows, right_E: Rows) -> Rows:
    """Components joined by more links."""
    count = component_N.size
    _, first_row, inverse_N = np.unique(component_N, return_index=True, return_inverse=True)
    start_E = np.concatenate([np.arange(count), left_E])
    end_E = np.concatenate([first_row[inverse_N], right_E])
    links = coo_array((np.ones(start_E.size, dtype=np.bool_), (start_E, end_E)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.intp)
