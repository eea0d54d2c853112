"""The monotone table nearest to a noisy one: isotonic regression in two directions.

Dykstra's algorithm: project by turns onto tables whose rows never rise and onto tables whose columns never fall. Before
each projection, add back what it took away the last time (Dykstra and Robertson 1982, "An algorithm for isotonic
regression for two or more independent variables", Annals of Statistics 10). One projection is the pooling of adjacent
violators (Barlow et al. 1972). All cells weigh the same; for shares of equally many attempts the least-squares table is
then also the likeliest one. Written here, not taken from a library, because controllers play by the result: loops in a
fixed order give the same bits on every machine.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.kernel import compiled

TOLERANCE: Final = 1e-7  # root mean square distance to the nearest monotone table, in the table's unit
_MOST_CYCLES: Final = 200_000


def monotone(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The least-squares fit that never falls down the rows and never rises along a row, of the same shape.

    table: shape (n, m), finite. The order holds exactly, and the distance to the optimum is at most TOLERANCE (root
    mean square). A table that is monotone already is returned unchanged. The fit keeps order: where one table is
    nowhere above another one, its fit is not either, up to TOLERANCE. Raises ValueError for what is no finite table.
    """
    found = np.array(table, dtype=np.float64, order="C")
    if found.ndim != 2 or not np.isfinite(found).all():
        raise ValueError(f"a table to make monotone must be finite, with two dimensions, got shape {found.shape}")
    if not compiled(fit_monotone)(found, TOLERANCE, _MOST_CYCLES):
        raise ValueError(f"the monotone fit did not settle within {_MOST_CYCLES} cycles; are the values of one scale?")
    return found


def fit_monotone(table: Any, tolerance: float, most_cycles: int) -> bool:
    """Make the table monotone in place. False when most_cycles were not enough."""
    n, m = table.shape
    cells = n * m
    fit = table.copy().reshape(cells)
    noisy = table.copy().reshape(cells)
    kept_rows = np.zeros(cells)  # what the projections took away the last time
    kept_columns = np.zeros(cells)
    sums = np.empty(max(n, m))
    sizes = np.empty(max(n, m))
    size = 0.0
    for k in range(cells):
        size += noisy[k] * noisy[k]
    settled = False
    for _ in range(most_cycles):
        for k in range(cells):
            fit[k] += kept_rows[k]
            kept_rows[k] = fit[k]
        for i in range(n):
            pool_violators(fit, i * m, 1, m, sums, sizes)
        for k in range(cells):
            kept_rows[k] -= fit[k]
            fit[k] += kept_columns[k]
            kept_columns[k] = fit[k]
        for j in range(m):
            pool_violators(fit, (n - 1) * m + j, -m, n, sums, sizes)
        for k in range(cells):
            kept_columns[k] -= fit[k]
        # The columns are in order now. Lower what still rises along a row: a running minimum keeps the columns so.
        lowered = 0.0
        for i in range(n):
            least = fit[i * m]
            for j in range(m):
                least = min(least, fit[i * m + j])
                table[i, j] = least
                lowered += (fit[i * m + j] - least) ** 2
        # The taken parts p + q lie in the polar cone, so that with e what was lowered, the squared distance of the fit
        # to the optimum is at most |<p + q, fit>| + |noisy| |e|. All of it must be below the tolerance.
        slack = 0.0
        for k in range(cells):
            slack += (noisy[k] - fit[k]) * fit[k]
        distance = np.sqrt(abs(slack) + np.sqrt(size * lowered)) + np.sqrt(lowered)
        if distance <= tolerance * np.sqrt(float(cells)):
            settled = True
            break
    return settled


def pool_violators(line: Any, start: int, stride: int, count: int, sums: Any, sizes: Any) -> None:
    """Replace line[start], line[start + stride], ... by their least-squares fit that never rises, in place.

    sums, sizes: room for count numbers each.
    """
    blocks = 0
    for i in range(count):
        sums[blocks] = line[start + i * stride]
        sizes[blocks] = 1.0
        blocks += 1
        while blocks > 1 and sums[blocks - 1] / sizes[blocks - 1] > sums[blocks - 2] / sizes[blocks - 2]:
            blocks -= 1
            sums[blocks - 1] += sums[blocks]
            sizes[blocks - 1] += sizes[blocks]
    at = start
    for b in range(blocks):
        mean = sums[b] / sizes[b]
        for _ in range(int(sizes[b])):
            line[at] = mean
            at += stride
