"""What is measured once before a run: how the dial acts on levels, and the maps that references play by.

It is done here, before workers start, with all cores and a message. Each worker then finds it in the cache folder.
"""

from __future__ import annotations

from engine.response.level_curves import attempts_behind, measure_levels
from engine.response.level_shifts import shifts_levels
from engine.setup import Setup
from engine.world import belief_columns
from sims.terminal import OnMessage


def measure_first(setup: Setup, *, threads: int, on_message: OnMessage) -> None:
    """Measure what the controller of a setup needs to know, unless that was done before. It takes no plug-ins.

    Args:
        setup: of a run whose game and controller are Flowdial's own.
        threads: of the measuring; they change no number.
        on_message: takes a sentence before something that can take long.
    """
    if shifts_levels(setup):
        said = False

        def tell(*_: int) -> None:
            nonlocal said
            if not said:
                said = True
                on_message(
                    f"Measuring once how difficulty acts on {setup.levels} levels of {setup.game.name}, "
                    f"with {attempts_behind(setup):,} attempts ..."
                )

        measure_levels(setup, threads=threads, progress=tell)
    elif setup.kind.mode == "reference" and setup.game.win_probability is None:
        on_message(
            f"{setup.kind.name} plays by maps of {setup.game.name}; "
            "those not known yet are measured first, which can take minutes."
        )
        belief_columns(setup)  # makes the controller, and with it the maps
