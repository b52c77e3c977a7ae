"""Readers of the study's real data: prices, epicentres, houses, travel times.

A folder holds eia_oil_prices/brent-daily.csv, eia_natural_gas/daily.csv, earthquakes_usgs_1965_2016/earthquakes.csv,
california_housing/housing.csv and ak135_travel_times/ak135_first_p.csv; what isn't there is generated instead.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from components.extrapolation.problem import Array, ProblemError
from components.extrapolation.travel_times import TravelTimes

PRICES = {"brent": "eia_oil_prices/brent-daily.csv", "natural gas": "eia_natural_gas/daily.csv"}
EPICENTRES = "earthquakes_usgs_1965_2016/earthquakes.csv"
HOUSES = "california_housing/housing.csv"
TRAVEL_TIMES = "ak135_travel_times/ak135_first_p.csv"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prices:
    """Daily prices of one good, in order of time."""

    name: str
    days: tuple[date, ...]
    price_T: Array


def found(folder: Path | None, name: str) -> Path | None:
    """The file of that name, if the folder is given and holds it."""
    path = folder / name if folder else None
    return path if path is not None and path.is_file() else None


def read_prices(path: Path, name: str) -> Prices:
    """Columns Date and Price; days with an empty cell or a price <= 0, which has no return, are left out.

    Raises:
        ProblemError: a column is missing, a cell can't be read, or days don't ascend.
    """
    frame = _read(path, {"Date": pl.String, "Price": pl.Float64}).with_columns(pl.col("Date").str.to_date(strict=False))
    _whole(path, frame.with_columns(pl.col("Price").fill_null(0.0)))
    step = frame["Date"].diff().dt.total_days().fill_null(1).to_numpy()
    if (step <= 0).any():
        raise ProblemError(f"{path}: row {int((step <= 0).argmax()) + 2}: days must ascend")
    frame = frame.filter(pl.col("Price") > 0)
    return Prices(name=name, days=tuple(frame["Date"]), price_T=frame["Price"].to_numpy())


def read_epicentres(path: Path) -> Array:
    """Latitude and longitude in degrees and depth in km of every natural earthquake, shape (N, 3).

    Raises:
        ProblemError: a column is missing or a cell isn't a number in range.
    """
    names = ("Latitude", "Longitude", "Depth")
    frame = _read(path, {"Type": pl.String, **dict.fromkeys(names, pl.Float64)})
    _whole(path, frame.select(*names))
    for name, bound in (("Latitude", 90), ("Longitude", 180)):
        outside = (frame[name].abs() > bound).to_numpy()
        if outside.any():
            raise ProblemError(f"{path}: row {int(outside.argmax()) + 2}: |{name}| must be <= {bound}")
    return frame.filter(pl.col("Type") == "Earthquake").select(*names).to_numpy()


def read_houses(path: Path) -> pl.DataFrame:
    """Census blocks with the columns of `housing.FEATURES`' sources; blocks without all of them are left out.

    Raises:
        ProblemError: a column is missing or a cell isn't a number.
    """
    names = (
        *("longitude", "latitude", "housing_median_age", "total_rooms", "total_bedrooms", "population", "households"),
        *("median_income", "median_house_value"),
    )
    return _read(path, dict.fromkeys(names, pl.Float64)).select(*names).drop_nulls()


def read_travel_times(path: Path) -> TravelTimes:
    """Columns distance_deg, source_depth_km and time_s, a time for each pair.

    Raises:
        ProblemError: a column is missing, a cell isn't a number, or a pair lacks its time.
    """
    frame = _read(path, dict.fromkeys(("distance_deg", "source_depth_km", "time_s"), pl.Float64))
    wide = frame.pivot(on="source_depth_km", index="distance_deg", values="time_s").sort("distance_deg")
    _whole(path, wide)
    depths = sorted(wide.columns[1:], key=float)
    return TravelTimes(
        distance_deg_D=wide["distance_deg"].to_numpy(),
        depth_km_Z=np.array([float(depth) for depth in depths]),
        time_s_DZ=wide.select(depths).to_numpy(),
        source=f"first arrivals of {path.parent.name}",
    )


def _read(path: Path, columns: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    header = pl.read_csv(path, n_rows=0).columns
    if missing := [name for name in columns if name not in header]:
        raise ProblemError(f"{path}: no column {missing[0]!r}")
    try:
        return pl.read_csv(path, columns=list(columns), schema_overrides=columns)
    except pl.exceptions.ComputeError as error:
        raise ProblemError(f"{path}: {str(error).splitlines()[0]}") from error


def _whole(path: Path, frame: pl.DataFrame) -> None:
    for name in frame.columns:
        bad = frame[name].is_null()
        if frame.schema[name].is_float():
            bad |= ~frame[name].is_finite().fill_null(False)
        if bad.any():
            raise ProblemError(f"{path}: row {bad.arg_max() + 2}: {name} is missing or not a number")  # type: ignore[operator]
