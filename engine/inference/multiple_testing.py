"""Many comparisons at once: which of them are more than the chance effect of many looks.

Benjamini and Hochberg's procedure, not Bonferroni's: with twelve metrics, a designer needs most flags to be true, not
certainty that none is false. When nothing changed, every flag is false, so the share of comparisons with any flag is
the rate itself: twelve metrics raise no more alarms than one. The metrics of one run depend on each other. The
procedure is proven for independent tests and for positive dependence (Benjamini and Yekutieli, Annals of Statistics 29,
2001, theorem 1.2); for any dependence at all they divide the rate by 1 + 1/2 + ... + 1/n (3.1 for twelve), which
two-sided tests of correlated normal means do not need (Reiner-Benaim, Biometrical Journal 49, 2007): `make calibration`
measures it on comparisons of runs.

Source: Benjamini and Hochberg, Journal of the Royal Statistical Society B 57, 1995.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

FALSE_DISCOVERY_RATE: Final = 0.05


def benjamini_hochberg(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Adjusted p-values, shape (tests,), in [0, 1]: flag those at or below the rate that is wanted.

    p_values: of all tests that were looked at, shape (tests,), in [0, 1]. NaN is a test that could not be made: it
    stays NaN and does not count. Raises ValueError for what is no p-value.
    """
    given = np.asarray(p_values, np.float64)
    made = ~np.isnan(given)
    if given.ndim != 1 or np.any((given[made] < 0.0) | (given[made] > 1.0)):
        raise ValueError(f"p-values must be a list of numbers in [0, 1] or NaN, got {p_values!r}")
    adjusted = np.full(len(given), np.nan)
    if made.any():
        from scipy.stats import false_discovery_control

        adjusted[made] = false_discovery_control(given[made], method="bh")
    return adjusted
