"""Planted players: a population with known numbers, and the plays that they leave."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Truth(NamedTuple):
    """What was planted."""

    skill_sd: float = 0.9
    learning: float = 0.25
    fatigue: float = 0.1
    quit_frailty: float = -3.0
    quit_sd: float = 1.0
    quit_streak: float = 0.25
    quit_won: float = 0.3
    rho: float = -0.4
    levels: int = 20
    seed: int = 1


class Planted(NamedTuple):
    """One row an attempt, and the difficulties of the levels."""

    player: np.ndarray
    level: np.ndarray  # from 0
    won: np.ndarray
    order: np.ndarray  # attempts before it
    place: np.ndarray  # attempts before it in its session
    session: np.ndarray
    quit: np.ndarray
    difficulty: np.ndarray


def planted(players: int, truth: Truth, most: int = 80, campaign: bool = True) -> Planted:
    """Players of a campaign who retry until they pass, or who meet random levels; they leave at the end or quit."""
    draw = np.random.default_rng(truth.seed)
    difficulty = np.round(np.linspace(-2.0, 0.6, truth.levels) + 0.4 * draw.standard_normal(truth.levels), 3)
    z = draw.standard_normal(players)
    y = truth.rho * z + np.sqrt(1.0 - truth.rho**2) * draw.standard_normal(players)
    skill, frailty = truth.skill_sd * z, truth.quit_frailty + truth.quit_sd * y
    at, streak = np.zeros(players, int), np.zeros(players, int)
    place, session = np.zeros(players, int), np.zeros(players, int)
    here = np.arange(players)
    columns: list[tuple[np.ndarray, ...]] = []
    for attempt in range(most):
        if not campaign:
            at[here] = draw.integers(0, truth.levels, len(here))
        logit = (
            skill[here]
            + truth.learning * np.log1p(attempt)
            - truth.fatigue * np.log1p(place[here])
            - difficulty[at[here]]
        )
        won = (draw.random(len(here)) < 1.0 / (1.0 + np.exp(-logit))).astype(int)
        streak[here] = np.where(won == 1, 0, streak[here] + 1)
        pull = frailty[here] + truth.quit_streak * np.log1p(streak[here]) + truth.quit_won * won
        done = (at[here] == truth.levels - 1) & (won == 1) if campaign else np.zeros(len(here), bool)
        gone = (draw.random(len(here)) < 1.0 / (1.0 + np.exp(-pull))) & ~done
        columns.append(
            (
                here,
                at[here].copy(),
                won,
                np.full(len(here), attempt),
                place[here].copy(),
                session[here].copy(),
                gone * 1,
            )
        )
        if campaign:
            at[here] += won
        ends = draw.random(len(here)) < 0.15
        place[here] = np.where(ends, 0, place[here] + 1)
        session[here] += ends
        here = here[~gone & ~done]
        if not len(here):
            break
    found = [np.concatenate(each) for each in zip(*columns, strict=True)]
    return Planted._make([*found, difficulty])
