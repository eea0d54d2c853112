"""The part of quitting in a player's likelihood, and what goes between it and winning."""

from __future__ import annotations

from typing import Any

from engine.arithmetic import exp
from sims.calibration.likelihood.grids import TERMS, bring_to_size, weighted_product
from sims.calibration.likelihood.player_parts import Attempts, Nodes, Room
from sims.calibration.likelihood.win_curves import MOST_LOGIT


def quit_rows(plays: Attempts, room: Room, begin: int, rows: int, point: Any, first: int, decay: Any) -> float:
    """Chances of a player's quits at every node, and their product; returns the logarithm that was taken out of it.

    first: place of the coefficients in the point. Rows without risk are passed over.
    """
    out = room.quit_product
    scale = 0.0
    for k in range(len(out)):
        out[k] = 1.0
    for r in range(rows):
        if plays.risk[begin + r] == 0:
            continue
        common = 0.0
        for f in range(plays.reasons.shape[1]):
            common += plays.reasons[begin + r, f] * point[first + f]
        odds = exp(-min(max(common, -MOST_LOGIT), MOST_LOGIT))
        gone = plays.quits[begin + r] == 1
        for k in range(len(out)):
            against = odds * decay[k]
            p = 1.0 / (1.0 + against)
            room.quit_chance[r, k] = p
            out[k] *= p if gone else against * p
        if r % TERMS == TERMS - 1:
            scale += bring_to_size(out)
    return scale + bring_to_size(out)


def slope_quits(
    plays: Attempts, room: Room, at: Nodes, begin: int, rows: int, at_quit: int, at_quit_sd: int, curvature: Any
) -> None:
    """Slopes of the numbers of quitting at every node, and their mean curvature row by row."""
    quit_slopes, posterior, steps = room.quit_slopes, at.quit_posterior, at.quit_steps
    grid = len(posterior)
    count = plays.reasons.shape[1]
    for a in range(count + 1):
        for k in range(grid):
            quit_slopes[a, k] = 0.0
    for r in range(rows):
        if plays.risk[begin + r] == 0:
            continue
        spread = bent = bent_2 = 0.0
        y = 1.0 if plays.quits[begin + r] == 1 else 0.0
        for k in range(grid):
            quit_slopes[count, k] += y - room.quit_chance[r, k]
            width = posterior[k] * room.quit_chance[r, k] * (1.0 - room.quit_chance[r, k])
            spread += width
            bent += width * steps[k]
            bent_2 += width * steps[k] * steps[k]
        for f in range(count):
            x = plays.reasons[begin + r, f]
            for k in range(grid):
                quit_slopes[f, k] += x * (y - room.quit_chance[r, k])
            curvature[at_quit_sd, at_quit + f] -= bent * x
            for g in range(f + 1):
                curvature[at_quit + f, at_quit + g] -= spread * x * plays.reasons[begin + r, g]
        curvature[at_quit_sd, at_quit_sd] -= bent_2
    pull = 0.0
    for k in range(grid):
        quit_slopes[count, k] *= steps[k]
        pull += posterior[k] * quit_slopes[count, k]
    curvature[at_quit_sd, at_quit_sd] += pull


def add_correlation(room: Room, at: Nodes, mass: float, size: int, at_rho: int, gradient: Any, curvature: Any) -> float:
    """Moments of the correlation over both grids. Returns the mean of its slope; size: the player's own numbers."""
    rho_mean = rho_square = rho_bend = 0.0
    for k in range(len(at.rho_of_quit)):
        at.rho_of_quit[k] = 0.0
    for q in range(len(at.rho_of)):
        line = 0.0
        for k in range(len(at.rho_of_quit)):
            both = room.product[q] * at.weights[q, k] * room.quit_product[k] / mass
            part = both * at.rho_slopes[q, k]
            line += part
            at.rho_of_quit[k] += part
            rho_square += part * at.rho_slopes[q, k]
            rho_bend += both * at.rho_bends[q, k]
        at.rho_of[q] = line
        rho_mean += line
    gradient[at_rho] += rho_mean
    curvature[at_rho, at_rho] += rho_bend + rho_square - rho_mean * rho_mean
    for a in range(size):
        cross = 0.0
        for q in range(len(at.rho_of)):
            cross += at.rho_of[q] * room.slopes[a, q]
        curvature[at_rho, room.visited[a]] += cross - rho_mean * room.mean_of[a]
    return rho_mean


def add_quits(
    room: Room, at: Nodes, mass: float, size: int, at_quit: int, at_rho: int, rho_mean: float, gradient: Any,
    curvature: Any,
) -> None:  # fmt: skip
    """Gradient and curvature of the numbers of quitting, also between them and those of winning."""
    quit_slopes, posterior = room.quit_slopes, at.quit_posterior
    grid = len(posterior)
    for f in range(at_rho - at_quit):
        mean = cross = 0.0
        for k in range(grid):
            mean += posterior[k] * quit_slopes[f, k]
            cross += at.rho_of_quit[k] * quit_slopes[f, k]
        gradient[at_quit + f] += mean
        curvature[at_rho, at_quit + f] += cross - rho_mean * mean
        for g in range(f + 1):
            own_mean = 0.0
            for k in range(grid):
                own_mean += posterior[k] * quit_slopes[g, k]
            product_mean = weighted_product(posterior, quit_slopes[f], quit_slopes[g])
            curvature[at_quit + f, at_quit + g] += product_mean - mean * own_mean
        for q in range(len(at.rho_of)):
            line = 0.0
            for k in range(grid):
                line += at.weights[q, k] * room.quit_product[k] * quit_slopes[f, k]
            at.rho_of[q] = room.product[q] * line / mass
        for a in range(size):
            cross = 0.0
            for q in range(len(at.rho_of)):
                cross += at.rho_of[q] * room.slopes[a, q]
            curvature[at_quit + f, room.visited[a]] += cross - mean * room.mean_of[a]
