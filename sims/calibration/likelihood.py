"""The joint likelihood of wins and quits, with its gradient and its exact curvature, as one compiled kernel.

    logit P(win)  = sd z + features . coefficients - difficulty of the level
    logit P(quit) = quit_sd y + reasons . coefficients

z and y are standard normal with correlation rho. Given both, wins and quits are independent. So a player's likelihood
is A' W B: A are the likelihoods of the wins at the nodes of z, B those of the quits at the nodes of y, and W is the
bivariate normal on the grid (trapezoid rule). Curvature by Louis (1982): the mean of the complete data's curvature and
the covariance of its gradient, over the nodes.
"""

from __future__ import annotations

import math
from typing import Any, Final

from engine.arithmetic import exp, log

MOST_LOGIT: Final = 35.0  # of the part that nodes share; beyond it a chance is 0 or 1
NOT_SEEN: Final = 2  # in the place of won: predicted, but nothing follows from it
_TERMS: Final = 8  # factors that are multiplied before the product is brought back to size


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


def win_rows(
    begin: int,
    rows: int,
    level: Any,
    won: Any,
    features: Any,
    point: Any,
    levels: int,
    decay: Any,
    chance: Any,
    out: Any,
) -> float:
    """Chances of a player's wins at every node into chance, shape (rows, nodes), and their product into out.

    Returns the logarithm that was taken out of the product. decay: exp(-sd z).
    """
    scale = 0.0
    for q in range(len(out)):
        out[q] = 1.0
    for r in range(rows):
        common = -point[level[begin + r]]
        for f in range(features.shape[1]):
            common += features[begin + r, f] * point[levels + f]
        odds = exp(-min(max(common, -MOST_LOGIT), MOST_LOGIT))
        if won[begin + r] == 1:
            for q in range(len(out)):
                p = 1.0 / (1.0 + odds * decay[q])
                chance[r, q] = p
                out[q] *= p
        else:
            for q in range(len(out)):
                against = odds * decay[q]
                p = 1.0 / (1.0 + against)
                chance[r, q] = p
                out[q] *= against * p
        if r % _TERMS == _TERMS - 1:
            scale += bring_to_size(out)
    return scale + bring_to_size(out)


def quit_rows(
    begin: int,
    rows: int,
    risk: Any,
    quits: Any,
    reasons: Any,
    point: Any,
    first: int,
    decay: Any,
    chance: Any,
    out: Any,
) -> float:
    """The same for quitting; first: place of its coefficients in the point. Rows without risk are passed over."""
    scale = 0.0
    for q in range(len(out)):
        out[q] = 1.0
    for r in range(rows):
        if risk[begin + r] == 0:
            continue
        common = 0.0
        for f in range(reasons.shape[1]):
            common += reasons[begin + r, f] * point[first + f]
        odds = exp(-min(max(common, -MOST_LOGIT), MOST_LOGIT))
        gone = quits[begin + r] == 1
        for q in range(len(out)):
            against = odds * decay[q]
            p = 1.0 / (1.0 + against)
            chance[r, q] = p
            out[q] *= p if gone else against * p
        if r % _TERMS == _TERMS - 1:
            scale += bring_to_size(out)
    return scale + bring_to_size(out)


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


def add_players(
    first: int, last: int, starts: Any, level: Any, won: Any, features: Any, risk: Any, quits: Any, reasons: Any,
    point: Any, levels: int, joint: int, nodes: Any, quit_nodes: Any, room: Any, gradient: Any, curvature: Any,
) -> float:  # fmt: skip
    """Log-likelihood of the players first to last - 1; gradient and curvature are added to.

    starts: shape (players + 1,), the first row of each player. features: shape (rows, F), reasons: shape (rows, K).
    point: difficulties of the levels, F coefficients, log sd, and where joint is 1 also K coefficients, log quit_sd and
    atanh rho. room: arrays that are written over, see `room_for`.
    """
    chance, quit_chance, slopes, quit_slopes, seen, local, visited, product, quit_product, mean_of, inner = room
    count = features.shape[1]
    reasons_count = reasons.shape[1]
    at_sd = levels + count
    at_quit = at_sd + 1
    at_quit_sd = at_quit + reasons_count
    at_rho = at_quit_sd + 1
    sd = exp(point[at_sd])
    grid = len(nodes)
    quit_grid = len(quit_nodes)
    quit_own = reasons_count + 1

    decay = nodes.copy()
    steps = nodes.copy()
    density = nodes.copy()
    posterior = nodes.copy()
    fill_density(nodes, density)
    for q in range(grid):
        steps[q] = sd * nodes[q]
        decay[q] = exp(-steps[q])
    quit_decay = quit_nodes.copy()
    quit_steps = quit_nodes.copy()
    quit_density = quit_nodes.copy()
    quit_posterior = quit_nodes.copy()
    rho_of_quit = quit_nodes.copy()
    rho_of = nodes.copy()
    weights = nodes.reshape(-1, 1) * quit_nodes.reshape(1, -1)
    rho_slopes = weights.copy()
    rho_bends = weights.copy()
    if joint == 1:
        quit_sd = exp(point[at_quit_sd])
        fill_density(quit_nodes, quit_density)
        twice = exp(2.0 * point[at_rho])
        cosh_2 = 0.5 * (twice + 1.0 / twice)
        sinh_2 = 0.5 * (twice - 1.0 / twice)
        tanh_1 = (twice - 1.0) / (twice + 1.0)
        cosh_sq = 0.5 * (cosh_2 + 1.0)
        for q in range(quit_grid):
            quit_steps[q] = quit_sd * quit_nodes[q]
            quit_decay[q] = exp(-quit_steps[q])
        for q in range(grid):
            for k in range(quit_grid):
                squares = nodes[q] * nodes[q] + quit_nodes[k] * quit_nodes[k]
                cross = nodes[q] * quit_nodes[k]
                bent = -0.5 * squares * (cosh_sq - 1.0) + 0.5 * cross * sinh_2
                weights[q, k] = density[q] * quit_density[k] * math.sqrt(cosh_sq) * exp(bent)
                rho_slopes[q, k] = tanh_1 - 0.5 * squares * sinh_2 + cross * cosh_2
                rho_bends[q, k] = 1.0 - tanh_1 * tanh_1 - squares * cosh_2 + 2.0 * cross * sinh_2

    total = 0.0
    for i in range(first, last):
        begin = starts[i]
        rows = starts[i + 1] - begin
        own = 0
        for r in range(rows):
            place = seen[level[begin + r]]
            if place < 0:
                place = own
                seen[level[begin + r]] = own
                visited[own] = level[begin + r]
                own += 1
            local[r] = place
        for f in range(count + 1):
            visited[own + f] = levels + f
        size = own + count + 1
        at_own_sd = own + count

        scale = win_rows(begin, rows, level, won, features, point, levels, decay, chance, product)
        if joint == 1:
            scale += quit_rows(begin, rows, risk, quits, reasons, point, at_quit, quit_decay, quit_chance, quit_product)
            mass = 0.0
            for k in range(quit_grid):
                quit_posterior[k] = 0.0
            for q in range(grid):
                line = 0.0
                for k in range(quit_grid):
                    both = product[q] * weights[q, k] * quit_product[k]
                    line += both
                    quit_posterior[k] += both
                posterior[q] = line
                mass += line
            for k in range(quit_grid):
                quit_posterior[k] /= mass
        else:
            mass = 0.0
            for q in range(grid):
                posterior[q] = product[q] * density[q]
                mass += posterior[q]
        for q in range(grid):
            posterior[q] /= mass
        total += log(mass) + scale

        # Wins: slopes of every own parameter at every node, then mean curvature row by row.
        for a in range(size):
            for b in range(size):
                inner[a, b] = 0.0
            for q in range(grid):
                slopes[a, q] = 0.0
        for r in range(rows):
            spread = bent = bent_2 = 0.0
            at = local[r]
            y = 1.0 if won[begin + r] == 1 else 0.0
            for q in range(grid):
                slopes[at, q] -= y - chance[r, q]
                slopes[at_own_sd, q] += y - chance[r, q]
            for f in range(count):
                x = features[begin + r, f]
                if x != 0.0:
                    for q in range(grid):
                        slopes[own + f, q] += x * (y - chance[r, q])
            for q in range(grid):
                width = posterior[q] * chance[r, q] * (1.0 - chance[r, q])
                spread += width
                bent += width * steps[q]
                bent_2 += width * steps[q] * steps[q]
            inner[at, at] -= spread
            inner[at_own_sd, at] += bent
            inner[at_own_sd, at_own_sd] -= bent_2
            for f in range(count):
                x = features[begin + r, f]
                inner[own + f, at] += spread * x
                inner[at_own_sd, own + f] -= bent * x
                for g in range(f + 1):
                    inner[own + f, own + g] -= spread * x * features[begin + r, g]
        pull = 0.0
        for q in range(grid):
            slopes[at_own_sd, q] *= steps[q]
            pull += posterior[q] * slopes[at_own_sd, q]
        inner[at_own_sd, at_own_sd] += pull  # log sd is in an exponential, so its slope is part of its bend
        for a in range(size):
            mean = 0.0
            for q in range(grid):
                mean += posterior[q] * slopes[a, q]
            mean_of[a] = mean
            gradient[visited[a]] += mean
        for a in range(size):
            for b in range(a + 1):
                inner[a, b] += weighted_product(posterior, slopes[a], slopes[b]) - mean_of[a] * mean_of[b]
        for a in range(size):
            for b in range(a + 1):
                curvature[visited[a], visited[b]] += inner[a, b]
        for a in range(own):
            seen[visited[a]] = -1
        if joint == 0:
            continue

        # Quits: the same at the nodes of y.
        for a in range(quit_own):
            for k in range(quit_grid):
                quit_slopes[a, k] = 0.0
        for r in range(rows):
            if risk[begin + r] == 0:
                continue
            spread = bent = bent_2 = 0.0
            y = 1.0 if quits[begin + r] == 1 else 0.0
            for k in range(quit_grid):
                quit_slopes[reasons_count, k] += y - quit_chance[r, k]
                width = quit_posterior[k] * quit_chance[r, k] * (1.0 - quit_chance[r, k])
                spread += width
                bent += width * quit_steps[k]
                bent_2 += width * quit_steps[k] * quit_steps[k]
            for f in range(reasons_count):
                x = reasons[begin + r, f]
                for k in range(quit_grid):
                    quit_slopes[f, k] += x * (y - quit_chance[r, k])
                curvature[at_quit_sd, at_quit + f] -= bent * x
                for g in range(f + 1):
                    curvature[at_quit + f, at_quit + g] -= spread * x * reasons[begin + r, g]
            curvature[at_quit_sd, at_quit_sd] -= bent_2
        pull = 0.0
        for k in range(quit_grid):
            quit_slopes[reasons_count, k] *= quit_steps[k]
            pull += quit_posterior[k] * quit_slopes[reasons_count, k]
        curvature[at_quit_sd, at_quit_sd] += pull
        # Correlation: moments over both grids.
        rho_mean = rho_square = rho_bend = 0.0
        for k in range(quit_grid):
            rho_of_quit[k] = 0.0
        for q in range(grid):
            line = 0.0
            for k in range(quit_grid):
                both = product[q] * weights[q, k] * quit_product[k] / mass
                part = both * rho_slopes[q, k]
                line += part
                rho_of_quit[k] += part
                rho_square += part * rho_slopes[q, k]
                rho_bend += both * rho_bends[q, k]
            rho_of[q] = line
            rho_mean += line
        gradient[at_rho] += rho_mean
        curvature[at_rho, at_rho] += rho_bend + rho_square - rho_mean * rho_mean
        for a in range(size):
            cross = 0.0
            for q in range(grid):
                cross += rho_of[q] * slopes[a, q]
            curvature[at_rho, visited[a]] += cross - rho_mean * mean_of[a]
        for f in range(quit_own):
            mean = cross = 0.0
            for k in range(quit_grid):
                mean += quit_posterior[k] * quit_slopes[f, k]
                cross += rho_of_quit[k] * quit_slopes[f, k]
            gradient[at_quit + f] += mean
            curvature[at_rho, at_quit + f] += cross - rho_mean * mean
            for g in range(f + 1):
                own_mean = 0.0
                for k in range(quit_grid):
                    own_mean += quit_posterior[k] * quit_slopes[g, k]
                product_mean = weighted_product(quit_posterior, quit_slopes[f], quit_slopes[g])
                curvature[at_quit + f, at_quit + g] += product_mean - mean * own_mean
            # Between this parameter of quitting and those of winning.
            for q in range(grid):
                line = 0.0
                for k in range(quit_grid):
                    line += weights[q, k] * quit_product[k] * quit_slopes[f, k]
                rho_of[q] = product[q] * line / mass
            for a in range(size):
                cross = 0.0
                for q in range(grid):
                    cross += rho_of[q] * slopes[a, q]
                curvature[at_quit + f, visited[a]] += cross - mean * mean_of[a]
    return total


def predict_players(
    first: int, last: int, starts: Any, level: Any, won: Any, features: Any, point: Any, levels: int, nodes: Any,
    out: Any,
) -> None:  # fmt: skip
    """The chance of each win as it is before the attempt, from what the same player did before; shape (rows,).

    A row whose won is NOT_SEEN is predicted, but tells nothing about the attempts after it.
    """
    sd = exp(point[levels + features.shape[1]])
    posterior = nodes.copy()
    for i in range(first, last):
        fill_density(nodes, posterior)
        for r in range(starts[i], starts[i + 1]):
            common = -point[level[r]]
            for f in range(features.shape[1]):
                common += features[r, f] * point[levels + f]
            odds = exp(-min(max(common, -MOST_LOGIT), MOST_LOGIT))
            mass = hope = 0.0
            for q in range(len(nodes)):
                against = odds * exp(-sd * nodes[q])
                p = 1.0 / (1.0 + against)
                mass += posterior[q]
                hope += posterior[q] * p
                if won[r] != NOT_SEEN:
                    posterior[q] *= p if won[r] == 1 else against * p
            out[r] = hope / mass
            top = mass
            for q in range(len(nodes)):
                posterior[q] /= top
