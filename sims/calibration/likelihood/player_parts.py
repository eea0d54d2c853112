"""What the sums of one player work on: attempts, room to write in, and the grids at one point."""

from __future__ import annotations

from typing import Any, NamedTuple


class Attempts(NamedTuple):
    """All attempts of all players, whole players together."""

    starts: Any  # first row of each player, shape (players + 1,)
    level: Any  # shape (rows,)
    won: Any
    features: Any  # shape (rows, F)
    risk: Any
    quits: Any
    reasons: Any  # shape (rows, K)


class Room(NamedTuple):
    """Arrays that are written over for each player."""

    slope: Any  # of the wins, shape (most rows of a player, nodes)
    bend: Any
    quit_chance: Any  # shape (most rows of a player, quit nodes)
    slopes: Any  # of each number that acts on the player's wins, shape (numbers, nodes)
    quit_slopes: Any  # shape (K + 1, quit nodes)
    seen: Any  # place of each level among those of the player, -1 where there is none, shape (levels,)
    local: Any  # place of each row's level, shape (most rows of a player,)
    visited: Any  # which number of the point each of the player's numbers is
    product: Any  # shape (nodes,)
    quit_product: Any
    mean_of: Any
    inner: Any  # curvature by the player's numbers, shape (numbers, numbers)


class Nodes(NamedTuple):
    """Both grids at one point, and the normal law on them."""

    density: Any  # shape (nodes,)
    steps: Any  # sd z
    decay: Any  # exp(-steps)
    posterior: Any
    quit_steps: Any
    quit_decay: Any
    quit_posterior: Any
    weights: Any  # the bivariate law, shape (nodes, quit nodes)
    rho_slopes: Any  # of its logarithm by atanh rho
    rho_bends: Any
    rho_of: Any
    rho_of_quit: Any
