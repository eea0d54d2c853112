"""What the sums over nodes share: the normal density, products that are kept to size, weighted sums."""

from __future__ import annotations

from typing import Any, Final

from engine.arithmetic import exp, log

TERMS: Final = 8  # factors that are multiplied before the product is brought back to size


def fill_density(nodes: Any, out: Any) -> None:
    """The standard normal density times the step at equispaced nodes, into out."""
    step = nodes[1] - nodes[0]
    for q in range(len(nodes)):
        out[q] = step * exp(-0.5 * nodes[q] * nodes[q]) * 0.3989422804014327


def bring_to_size(products: Any) -> float:
    """Divide the products by the largest of them and return its logarithm."""
    top = products[0]
    for q in range(1, len(products)):
        if products[q] > top:
            top = products[q]
    for q in range(len(products)):
        products[q] /= top
    return log(top)


def weighted_product(weights: Any, one: Any, other: Any) -> float:
    """Sum of weights x one x other, in four fixed lanes."""
    a = b = c = d = 0.0
    whole = len(weights) - len(weights) % 4
    for q in range(0, whole, 4):
        a += weights[q] * one[q] * other[q]
        b += weights[q + 1] * one[q + 1] * other[q + 1]
        c += weights[q + 2] * one[q + 2] * other[q + 2]
        d += weights[q + 3] * one[q + 3] * other[q + 3]
    for q in range(whole, len(weights)):
        a += weights[q] * one[q] * other[q]
    return (a + b) + (c + d)
