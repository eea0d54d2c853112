"""The joint likelihood of wins and quits, with its gradient and its exact curvature, as one compiled kernel.

    logit P(win)  = sd z + features . coefficients - difficulty of the level      (or another of the win curves)
    logit P(quit) = quit_sd y + reasons . coefficients

z and y are standard normal with correlation rho. Given both, wins and quits are independent. So a player's likelihood
is A' W B: A are the likelihoods of the wins at the nodes of z, B those of the quits at the nodes of y, and W is the
bivariate normal on the grid (trapezoid rule). Curvature by Louis (1982): the mean of the complete data's curvature and
the covariance of its gradient, over the nodes.

Nodes of z may be of several kinds of player, one after the other: then the density of a node has the share of its kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from engine.arithmetic import exp, log
from sims.calibration.likelihood.grids import fill_density, weighted_product
from sims.calibration.likelihood.player_parts import Attempts, Nodes, Room
from sims.calibration.likelihood.quit_sums import add_correlation, add_quits, quit_rows, slope_quits


def place_nodes(nodes: Any, density: Any, quit_nodes: Any, sd: float, joint: int, quit_sd: float, bent: float) -> Nodes:
    """Grids for one point. bent: atanh rho."""
    steps = nodes.copy()
    decay = nodes.copy()
    for q in range(len(nodes)):
        steps[q] = sd * nodes[q]
        decay[q] = exp(-steps[q])
    weights = nodes.reshape(-1, 1) * quit_nodes.reshape(1, -1)
    found = Nodes(
        density, steps, decay, nodes.copy(), quit_nodes.copy(), quit_nodes.copy(), quit_nodes.copy(), weights,
        weights.copy(), weights.copy(), nodes.copy(), quit_nodes.copy(),
    )  # fmt: skip
    if joint == 1:
        fill_bivariate(found, nodes, quit_nodes, quit_sd, bent)
    return found


def fill_bivariate(found: Nodes, nodes: Any, quit_nodes: Any, quit_sd: float, bent: float) -> None:
    """The bivariate normal law on the grid, and its slopes and bends by atanh rho."""
    quit_density = quit_nodes.copy()
    fill_density(quit_nodes, quit_density)
    twice = exp(2.0 * bent)
    cosh_2 = 0.5 * (twice + 1.0 / twice)
    sinh_2 = 0.5 * (twice - 1.0 / twice)
    tanh_1 = (twice - 1.0) / (twice + 1.0)
    cosh_sq = 0.5 * (cosh_2 + 1.0)
    for k in range(len(quit_nodes)):
        found.quit_steps[k] = quit_sd * quit_nodes[k]
        found.quit_decay[k] = exp(-found.quit_steps[k])
    for q in range(len(nodes)):
        for k in range(len(quit_nodes)):
            squares = nodes[q] * nodes[q] + quit_nodes[k] * quit_nodes[k]
            cross = nodes[q] * quit_nodes[k]
            power = -0.5 * squares * (cosh_sq - 1.0) + 0.5 * cross * sinh_2
            found.weights[q, k] = found.density[q] * quit_density[k] * math.sqrt(cosh_sq) * exp(power)
            found.rho_slopes[q, k] = tanh_1 - 0.5 * squares * sinh_2 + cross * cosh_2
            found.rho_bends[q, k] = 1.0 - tanh_1 * tanh_1 - squares * cosh_2 + 2.0 * cross * sinh_2


def number_levels(plays: Attempts, room: Room, begin: int, rows: int, count: int, levels: int) -> int:
    """Give each level that a player met a place among the player's own numbers; returns how many they are."""
    own = 0
    for r in range(rows):
        place = room.seen[plays.level[begin + r]]
        if place < 0:
            place = own
            room.seen[plays.level[begin + r]] = own
            room.visited[own] = plays.level[begin + r]
            own += 1
        room.local[r] = place
    for f in range(count + 1):
        room.visited[own + f] = levels + f
    return own


def weigh_nodes(at: Nodes, room: Room, joint: int) -> float:
    """What the plays say of the player: the posterior on both grids. Returns the mass before it was made 1."""
    mass = 0.0
    if joint == 0:
        for q in range(len(at.posterior)):
            at.posterior[q] = room.product[q] * at.density[q]
            mass += at.posterior[q]
    else:
        for k in range(len(at.quit_posterior)):
            at.quit_posterior[k] = 0.0
        for q in range(len(at.posterior)):
            line = 0.0
            for k in range(len(at.quit_posterior)):
                both = room.product[q] * at.weights[q, k] * room.quit_product[k]
                line += both
                at.quit_posterior[k] += both
            at.posterior[q] = line
            mass += line
        for k in range(len(at.quit_posterior)):
            at.quit_posterior[k] /= mass
    for q in range(len(at.posterior)):
        at.posterior[q] /= mass
    return mass


def add_wins(
    plays: Attempts, room: Room, at: Nodes, begin: int, rows: int, own: int, gradient: Any, curvature: Any
) -> None:
    """Slopes of the player's own numbers at every node, their mean, and the curvature. own: levels of the player."""
    slopes, inner, posterior, steps = room.slopes, room.inner, at.posterior, at.steps
    grid = len(posterior)
    count = plays.features.shape[1]
    size = own + count + 1
    at_sd = own + count
    for a in range(size):
        for b in range(size):
            inner[a, b] = 0.0
        for q in range(grid):
            slopes[a, q] = 0.0
    for r in range(rows):
        spread = bent = bent_2 = 0.0
        place = room.local[r]
        for q in range(grid):
            slopes[place, q] -= room.slope[r, q]
            slopes[at_sd, q] += room.slope[r, q]
        for f in range(count):
            x = plays.features[begin + r, f]
            if x != 0.0:
                for q in range(grid):
                    slopes[own + f, q] += x * room.slope[r, q]
        for q in range(grid):
            width = -posterior[q] * room.bend[r, q]
            spread += width
            bent += width * steps[q]
            bent_2 += width * steps[q] * steps[q]
        inner[place, place] -= spread
        inner[at_sd, place] += bent
        inner[at_sd, at_sd] -= bent_2
        for f in range(count):
            x = plays.features[begin + r, f]
            inner[own + f, place] += spread * x
            inner[at_sd, own + f] -= bent * x
            for g in range(f + 1):
                inner[own + f, own + g] -= spread * x * plays.features[begin + r, g]
    pull = 0.0
    for q in range(grid):
        slopes[at_sd, q] *= steps[q]
        pull += posterior[q] * slopes[at_sd, q]
    inner[at_sd, at_sd] += pull  # log sd is in an exponential, so its slope is part of its bend
    for a in range(size):
        mean = 0.0
        for q in range(grid):
            mean += posterior[q] * slopes[a, q]
        room.mean_of[a] = mean
        gradient[room.visited[a]] += mean
    for a in range(size):
        for b in range(a + 1):
            inner[a, b] += weighted_product(posterior, slopes[a], slopes[b]) - room.mean_of[a] * room.mean_of[b]
    for a in range(size):
        for b in range(a + 1):
            curvature[room.visited[a], room.visited[b]] += inner[a, b]


@cache
def player_sums_of(win_rows: Callable[..., float]) -> Callable[..., float]:
    """The plain kernel of one of the win curves: the log-likelihood of players, its gradient and its curvature."""

    def add_players(
        first: int, last: int, plays: Attempts, curve: Any, point: Any, levels: int, joint: int, nodes: Any,
        density: Any, quit_nodes: Any, room: Room, gradient: Any, curvature: Any,
    ) -> float:  # fmt: skip
        """Log-likelihood of the players first to last - 1; gradient and the lower half of curvature are added to.

        point: difficulties of the levels, F coefficients, log sd, and where joint is 1 also K coefficients, log quit_sd
        and atanh rho.
        """
        count = plays.features.shape[1]
        at_quit = levels + count + 1
        at_quit_sd = at_quit + plays.reasons.shape[1]
        at_rho = at_quit_sd + 1
        sd = exp(point[levels + count])
        quit_sd = exp(point[at_quit_sd]) if joint == 1 else 1.0
        at = place_nodes(nodes, density, quit_nodes, sd, joint, quit_sd, point[at_rho] if joint == 1 else 0.0)
        total = 0.0
        for i in range(first, last):
            begin = plays.starts[i]
            rows = plays.starts[i + 1] - begin
            own = number_levels(plays, room, begin, rows, count, levels)
            scale = win_rows(
                begin, rows, plays.level, plays.won, plays.features, point, levels, at.steps, at.decay, curve,
                room.slope, room.bend, room.product,
            )  # fmt: skip
            if joint == 1:
                scale += quit_rows(plays, room, begin, rows, point, at_quit, at.quit_decay)
            mass = weigh_nodes(at, room, joint)
            total += log(mass) + scale
            add_wins(plays, room, at, begin, rows, own, gradient, curvature)
            if joint == 1:
                slope_quits(plays, room, at, begin, rows, at_quit, at_quit_sd, curvature)
                size = own + count + 1
                rho_mean = add_correlation(room, at, mass, size, at_rho, gradient, curvature)
                add_quits(room, at, mass, size, at_quit, at_rho, rho_mean, gradient, curvature)
            for a in range(own):
                room.seen[room.visited[a]] = -1
        return total

    return add_players
