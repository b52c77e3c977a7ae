"""First-arrival times of P waves through a spherical earth: our own table, so that the study needs no other data.

The velocities are the P model of IASP91 (Kennett & Engdahl 1991, Geophys. J. Int. 105, table 2). In thin shells with
v = a r^b, distance and time of a ray have closed forms (Bullen & Bolt 1985, section 7.3).
Shapes: P rays, S shells, D distances, Z depths.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from components.extrapolation.problem import EARTH_RADIUS_KM, Array, ProblemError

# Radii in km from the bottom up, and coefficients of powers of r / 6371; the velocity is in km/s.
_LAYERS = (
    (3482.0, 3631.0, (14.49470, -1.47089)),
    (3631.0, 5611.0, (25.1486, -41.1538, 51.9932, -26.6083)),
    (5611.0, 5711.0, (25.96984, -16.93412)),
    (5711.0, 5961.0, (29.38896, -21.40656)),
    (5961.0, 6161.0, (30.78765, -23.25415)),
    (6161.0, 6251.0, (25.41389, -17.69722)),
    (6251.0, 6336.0, (8.78541, -0.74953)),
    (6336.0, 6351.0, (6.50,)),
    (6351.0, 6371.0, (5.80,)),
)
_SHELL_KM = 20.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TravelTimes:
    """A table of first arrivals; beyond its last distance the wave creeps along the core at the last slowness."""

    distance_deg_D: Array
    """From 0, ascending."""
    depth_km_Z: Array
    """Of the source, ascending."""
    time_s_DZ: Array
    source: str

    def __post_init__(self) -> None:
        if self.time_s_DZ.shape != (len(self.distance_deg_D), len(self.depth_km_Z)) or self.time_s_DZ.shape[0] < 2:
            raise ProblemError(f"times have shape {self.time_s_DZ.shape}, which doesn't fit distances and depths")
        if not np.isfinite(self.time_s_DZ).all():
            raise ProblemError("the travel-time table holds nan or infinite values")
        if (np.diff(self.distance_deg_D) <= 0).any() or (np.diff(self.depth_km_Z) <= 0).any():
            raise ProblemError("distances and depths of the travel-time table must ascend")

    def at(self, distance_deg_N: Array, depth_km_N: Array) -> Array:
        """Times in s by bilinear interpolation, shape (N,); depths beyond the table take its nearest."""
        distance_N = np.minimum(distance_deg_N, self.distance_deg_D[-1])
        depth_N = np.clip(depth_km_N, self.depth_km_Z[0], self.depth_km_Z[-1])
        row_N, down_N = _cell(self.distance_deg_D, distance_N)
        column_N, right_N = _cell(self.depth_km_Z, depth_N)
        time_N = sum(
            weight_N * self.time_s_DZ[row_N + one, column_N + two]
            for one, two, weight_N in (
                (0, 0, (1 - down_N) * (1 - right_N)),
                (0, 1, (1 - down_N) * right_N),
                (1, 0, down_N * (1 - right_N)),
                (1, 1, down_N * right_N),
            )
        )
        step_deg = self.distance_deg_D[-1] - self.distance_deg_D[-2]
        slowness_Z = (self.time_s_DZ[-1] - self.time_s_DZ[-2]) / step_deg
        slowness_N = np.interp(depth_N, self.depth_km_Z, slowness_Z)
        return np.asarray(time_N + slowness_N * np.maximum(distance_deg_N - distance_N, 0))


def velocity_km_s(radius_km_N: Array) -> Array:
    """P velocity at some radii between core and surface."""
    x_N = radius_km_N / EARTH_RADIUS_KM
    found_N = np.zeros_like(x_N)
    for low, high, powers in _LAYERS:
        inside_N = (radius_km_N >= low) & (radius_km_N <= high)
        found_N[inside_N] = np.polynomial.polynomial.polyval(x_N[inside_N], powers)
    return found_N


def computed_table(
    distances_deg: Array = np.arange(0.0, 96.0),  # noqa: B008  never written to
    depths_km: Array = np.array([0.0, 10, 20, 35, 60, 100, 150, 200, 300, 400, 500, 600, 700]),  # noqa: B008
) -> TravelTimes:
    """The table by tracing rays, first arrival at each distance; 95 degrees are as far as P reaches past the core."""
    columns = [_first_arrivals(depth, distances_deg) for depth in depths_km]
    return TravelTimes(
        distance_deg_D=distances_deg,
        depth_km_Z=depths_km,
        time_s_DZ=np.column_stack(columns),
        source="rays traced through IASP91",
    )


def _first_arrivals(depth_km: float, distance_deg_D: Array) -> Array:
    """Times at some distances from a source at one depth, shape (D,)."""
    bottom_S, top_S = _shells(EARTH_RADIUS_KM - depth_km)
    # Just inside each shell, because velocity jumps between layers.
    v_bottom_S, v_top_S = velocity_km_s(bottom_S + 1e-6), velocity_km_s(top_S - 1e-6)
    exponent_S = np.log(v_top_S / v_bottom_S) / np.log(top_S / bottom_S)
    eta_bottom_S, eta_top_S = bottom_S / v_bottom_S, top_S / v_top_S
    above_S = bottom_S >= EARTH_RADIUS_KM - depth_km - 1e-3
    starts = np.unique(np.concatenate([eta_bottom_S, eta_top_S]))
    # Denser towards each shell's top, where a small change of slowness moves the turning point far.
    share = 1 - (1 - np.linspace(0, 1, 10, endpoint=False)) ** 3
    between = (starts[:-1, None] + share * np.diff(starts)[:, None]).ravel()
    steep = eta_bottom_S[0] * np.linspace(1e-6, 1, 200)
    ray_P = np.unique(np.concatenate([between, steep]))

    def legs(eta_S: Array) -> tuple[Array, Array]:
        eta_PS = np.maximum(eta_S, ray_P[:, None])  # a ray doesn't enter where it would bend back
        return np.arccos(ray_P[:, None] / eta_PS), np.sqrt(eta_PS**2 - ray_P[:, None] ** 2)

    (angle_top, time_top), (angle_bottom, time_bottom) = legs(eta_top_S), legs(eta_bottom_S)
    reached_PS = ray_P[:, None] < eta_top_S
    # From the shell in which a ray turns downwards nothing counts.
    shut_PS = np.logical_or.accumulate(~reached_PS[:, ::-1], axis=1)[:, ::-1]
    delta_PS = np.where(shut_PS, 0.0, (angle_top - angle_bottom) / (1 - exponent_S))
    time_PS = np.where(shut_PS, 0.0, (time_top - time_bottom) / (1 - exponent_S))
    up_P = ~shut_PS[:, above_S].any(axis=1)
    turns_P = up_P & (ray_P >= eta_bottom_S[0])
    down_delta_P, up_delta_P = delta_PS[:, ~above_S].sum(axis=1), delta_PS[:, above_S].sum(axis=1)
    down_time_P, up_time_P = time_PS[:, ~above_S].sum(axis=1), time_PS[:, above_S].sum(axis=1)
    first_D = _earliest(
        np.degrees(up_delta_P + 2 * down_delta_P)[turns_P], (up_time_P + 2 * down_time_P)[turns_P], distance_deg_D
    )
    if depth_km > 0:
        direct_D = _earliest(
            np.concatenate([[0.0], np.degrees(up_delta_P)[up_P]]),
            np.concatenate([[_vertical(depth_km)], up_time_P[up_P]]),
            distance_deg_D,
        )
        first_D = np.minimum(first_D, direct_D)
    first_D[(distance_deg_D == 0) & (depth_km == 0)] = 0.0
    if not np.isfinite(first_D).all():
        raise ProblemError(f"no ray from {depth_km} km arrives at {distance_deg_D[~np.isfinite(first_D)][0]} degrees")
    return first_D


def _shells(source_km: float) -> tuple[Array, Array]:
    """Edges of thin shells from the core up, cut at every layer's edge and at the source, shape (S,) each."""
    edges = {low for low, _, _ in _LAYERS} | {EARTH_RADIUS_KM, source_km}
    cuts = sorted(edges)
    parts = [
        np.linspace(low, high, max(2, int(np.ceil((high - low) / _SHELL_KM)) + 1))[:-1] for low, high in pairwise(cuts)
    ]
    radii = np.concatenate([*parts, [EARTH_RADIUS_KM]])
    return radii[:-1], radii[1:]


def _vertical(depth_km: float) -> float:
    radii = np.linspace(EARTH_RADIUS_KM - depth_km, EARTH_RADIUS_KM, 2001)
    middle = (radii[:-1] + radii[1:]) / 2
    return float((np.diff(radii) / velocity_km_s(middle)).sum())


def _earliest(delta_P: Array, time_P: Array, distance_D: Array) -> Array:
    """The least time at each distance over the curve through the rays, which may fold back; infinite where none is."""
    first_D = np.full(len(distance_D), np.inf)
    if len(delta_P) < 2:
        return first_D
    low_Q, high_Q = np.minimum(delta_P[:-1], delta_P[1:]), np.maximum(delta_P[:-1], delta_P[1:])
    width_Q = np.where(delta_P[1:] == delta_P[:-1], 1.0, delta_P[1:] - delta_P[:-1])
    share_QD = (distance_D - delta_P[:-1, None]) / width_Q[:, None]
    time_QD = time_P[:-1, None] + share_QD * (time_P[1:] - time_P[:-1])[:, None]
    covered_QD = (low_Q[:, None] <= distance_D) & (distance_D <= high_Q[:, None])
    return np.asarray(np.where(covered_QD, time_QD, np.inf).min(axis=0))


def _cell(grid: Array, value_N: Array) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], Array]:
    index_N = np.clip(np.searchsorted(grid, value_N, side="right") - 1, 0, len(grid) - 2)
    return index_N, (value_N - grid[index_N]) / (grid[index_N + 1] - grid[index_N])
