"""Rows: what a run writes about every attempt, player and session.

Columns come from one place, the three `Column` lists below: the kernels' record, the CSV header, the Parquet schema,
the data dictionary and docs/columns.md are printed from them. One attempt row holds everything needed to play that
attempt again: its address, the params, and the player's faculties at that moment.

CSV is UTF-8 with LF, a header, `true`/`false`, nothing for a missing value, and the shortest digits that give the same
bits back. Parquet holds the same values. The bytes of both depend on nothing but the rows and the library versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from engine.errors import RunFolderError, ScenarioError
from engine.external.external_game import EXTERNAL, AnyGame, ExternalGame
from engine.faults import FAULTS, NO_FAULT
from engine.game import MOST_PLACES, OUTCOMES, WON, Faculties
from engine.players import LEAVINGS, OVERRIDES, TRAIT_LIST
from engine.setup import Setup
from engine.user_files.regular_file import open_parquet, open_regular

Kind = Literal["integer", "number", "boolean", "name"]
Format = Literal["csv", "parquet"]
FORMATS: Final = ("csv", "parquet")
SYNTHETIC: Final = "synthetic"  # source of rows whose rules are here


@dataclass(frozen=True)
class Column:
    """One column: its name (with the unit where there is one), type, unit and meaning.

    A `name` column holds words, which the kernels store as numbers. A `constant` column is the same in all rows of
    a run.
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    constant: bool = False
    optional: bool = False  # may be empty
    low: float | None = None  # no value lies outside [low, high]; None: no such bound
    high: float | None = None


def _faculty(name: str, unit: str, meaning: str, low: float | None = None, high: float | None = None) -> Column:
    """What a player can do; it is unknown for a person."""
    return Column(name, "number", unit, f"{meaning}; empty for a person", optional=True, low=low, high=high)


ATTEMPT_COLUMNS: Final = (
    Column(
        "source",
        "name",
        "",
        "synthetic (a simulated player), external (one in a game of its own) or human (a person at the window)",
        constant=True,
    ),
    Column("game", "name", "", "name of the game", constant=True),
    Column("game_version", "integer", "1", "version of the game's rules", constant=True),
    Column("scenario", "name", "", "first 16 hex digits, after an s, of the resolved scenario's digest", constant=True),
    Column("seed", "integer", "1", "seed of the run: part of the address of every draw", constant=True, low=0),
    Column("replica", "integer", "1", "independent copy of the world, from 0: part of the address", low=0),
    Column("cohort", "name", "", "name of the player's cohort"),
    Column(
        "player", "integer", "1", "number of the player: part of the address; cohort x 10000000 + place in it", low=0
    ),
    Column("attempt", "integer", "1", "attempts this player made before, from 0: part of the address", low=0),
    Column("session", "integer", "1", "number of this player's session, from 0", low=0),
    Column("place", "integer", "1", "attempts this player made before in this session, from 0", low=0),
    Column(
        "level",
        "integer",
        "1",
        "level of a campaign or of a person's session, from 1; 0 in an endless stream of fresh levels",
        low=0,
    ),
    Column("start_s", "number", "s", "simulated time of the attempt's start since the start of the run", low=0),
    Column("duration_s", "number", "s", "simulated length of the attempt, thinking included", low=0),
    Column("controller", "name", "", "controller that chose the setting", constant=True),
    Column("target", "number", "1", "wanted win rate of this cohort and level", low=0, high=1),
    Column("difficulty", "number", "1", "difficulty that was played, 0 easiest to 1 hardest", low=0, high=1),
    Column("clipped", "boolean", "", "whether the controller asked for a difficulty outside floor and ceiling"),
    # param_<knob> columns of the game stand here
    _faculty("skill", "logit", "the player's skill at this moment, after practice and fatigue"),
    _faculty("slope", "1/skill unit", "how sharply skill decides; only closed-form games use it"),
    _faculty("reaction_s", "s", "mean of the normal part of the reaction time", low=0),
    _faculty("reaction_sd_s", "s", "standard deviation of the normal part of the reaction time", low=0),
    _faculty("reaction_tail_s", "s", "mean of the exponential part of the reaction time", low=0),
    _faculty("slip", "1", "chance that a change of intent comes out as another action", low=0, high=1),
    _faculty("lapse", "1", "chance that a change of intent is missed", low=0, high=1),
    _faculty("foresight", "1", "how far ahead the player sees; 1 for the median player", low=0),
    Column("streak", "integer", "1", "losses in a row before this attempt", low=0),
    Column("mood", "number", "1", "moving average of wins before this attempt, half-life five attempts", low=0, high=1),
    # win_chance stands here, on request
    Column("outcome", "name", "", "won, lost (both by the rules), timed_out (by the time limit) or failed (see fault)"),
    Column("won", "boolean", "", "whether the outcome is won"),
    Column("progress", "number", "1", "how near to winning, 0 to 1", low=0, high=1),
    # score of a game that has one stands here
    Column("cause", "name", "", "what ended a lost attempt; empty otherwise", optional=True),
    # end_place of a game that names places stands here
    Column("ticks", "integer", "1", "ticks, or turns, that the rules ran", low=0),
    Column(
        "fault",
        "name",
        "",
        "fault of a plug-in. raised (an exception, or a wrong reply of an external game), timeout (it hung) or killed "
        "(its process): nothing was played, and difficulty and params are the previous ones. bad_proposal (no "
        "setting): the previous setting was played. "
        "Empty without a fault",
        optional=True,
    ),
    # belief_<name> columns of the controller stand here
    Column(
        "state_hash",
        "integer",
        "1",
        "48-bit hash of inputs, final state and outcome; a true replay gives the same",
        low=0,
        high=2**48 - 1,
    ),
)

SCORE: Final = Column("score", "number", "1", "the game's rating of how well it was played, won or lost", low=0, high=1)

END_PLACE: Final = Column(
    "end_place",
    "integer",
    "1",
    "where the attempt ended, counted from 1, by the game's own places (obstacle, turn); 0 where nothing was played",
    low=0,
    high=MOST_PLACES,
)

WIN_CHANCE: Final = Column(
    "win_chance",
    "number",
    "1",
    "true chance of winning, of this player at this moment and setting, by the game's closed form; empty without one, "
    "where nothing was played, and of a person",
    optional=True,
    low=0,
    high=1,
)

PLAYER_COLUMNS: Final = (
    Column("replica", "integer", "1", "independent copy of the world, from 0", low=0),
    Column("cohort", "name", "", "name of the player's cohort"),
    Column("player", "integer", "1", "number of the player", low=0),
    Column("arrival_s", "number", "s", "simulated time of the first attempt, made or planned", low=0),
    *(
        Column(
            f"trait_{trait.name}",
            "number",
            trait.unit,
            trait.meaning,
            False,
            trait.name in OVERRIDES,
            trait.low,
            trait.high,
        )
        for trait in TRAIT_LIST
    ),
    Column("attempts", "integer", "1", "attempts made", low=0),
    Column("wins", "integer", "1", "attempts won", low=0),
    Column("sessions", "integer", "1", "sessions played", low=0),
    Column("level", "integer", "1", "next level of a campaign; 0 in an endless stream", low=0),
    Column("end_s", "number", "s", "simulated end of the last attempt; the arrival without attempts", low=0),
    Column("left", "name", "", "why the player left: quit, finished, horizon or attempt_limit"),
)

SESSION_COLUMNS: Final = (
    Column("replica", "integer", "1", "independent copy of the world, from 0", low=0),
    Column("cohort", "name", "", "name of the player's cohort"),
    Column("player", "integer", "1", "number of the player", low=0),
    Column("session", "integer", "1", "number of this player's session, from 0", low=0),
    Column("start_s", "number", "s", "simulated time of the session's start", low=0),
    Column("end_s", "number", "s", "simulated time of the end of its last attempt", low=0),
    Column("attempts", "integer", "1", "attempts made in it", low=0),
    Column("wins", "integer", "1", "attempts won in it", low=0),
    Column("ended_by", "name", "", "session_end, quit, finished, horizon or attempt_limit"),
)

LAYOUT: Final = Column(
    "layout_seed", "integer", "1", "seed from which the numbered level was drawn: part of the address", low=0
)

# What the kernels write for an attempt: raw numbers, all eight bytes wide; names and constants are put in later.
_RAW_INTEGERS: Final = ("replica", "cohort", "player", "attempt", "session", "place", "level", "layout_seed", "clipped")
_RAW_NUMBERS: Final = ("start_s", "duration_s", "target", "difficulty")
_RAW_AFTER: Final = (("streak", np.int64), ("mood", np.float64), ("outcome", np.int64), ("progress", np.float64))
_RAW_END: Final = (
    ("score", np.float64),
    ("cause", np.int64),
    ("end_place", np.int64),
    ("ticks", np.int64),
    ("fault", np.int64),
    ("state_hash", np.int64),
)


def row_type(knobs: int, beliefs: int) -> np.dtype[np.void]:
    """The record that kernels write for one attempt, with room for so many params and beliefs."""
    return np.dtype(
        [
            *((name, np.int64) for name in _RAW_INTEGERS),
            *((name, np.float64) for name in _RAW_NUMBERS),
            ("params", np.float64, (knobs,)),
            *((name, np.float64) for name in Faculties._fields),
            *_RAW_AFTER,
            *_RAW_END,
            ("beliefs", np.float64, (beliefs,)),
        ]
    )


SESSION: Final = np.dtype(
    [
        ("player", np.int64),
        ("cohort", np.int64),
        ("session", np.int64),
        ("start_s", np.float64),
        ("end_s", np.float64),
        ("attempts", np.int64),
        ("wins", np.int64),
        ("ended_by", np.int64),
    ]
)


def knob_columns(game: AnyGame) -> tuple[Column, ...]:
    """The params of a game as columns, in the game's own units."""
    return tuple(
        Column(
            f"param_{knob.name}",
            "name" if knob.scale == "choice" else "integer" if knob.scale == "integer" else "number",
            "" if knob.scale == "choice" else knob.unit,
            knob.meaning or "param of the game",
            low=None if knob.scale == "choice" else knob.low,
            high=None if knob.scale == "choice" else knob.high,
        )
        for knob in game.space
    )


def belief_column(name: str, units: Mapping[str, str] | None = None) -> Column:
    """What a controller believed before the attempt.

    Args:
        name: of the belief.
        units: units of the controller's beliefs by name, see `ControllerKind.belief_units`; None where it is not known.
    """
    unit = (units or {}).get(name, "1" if name == "difficulty" else "")  # as the column `difficulty`
    return Column(f"belief_{name}", "number", unit, f"what the controller believed before: {name}", optional=True)


def score_columns(game: AnyGame) -> tuple[Column, ...]:
    """The column of a game's score, where it has one."""
    return (SCORE,) if game.has_score else ()


def place_columns(game: AnyGame) -> tuple[Column, ...]:
    """The column of where an attempt ended, where the game names places."""
    return (END_PLACE,) if game.has_places else ()


def layout_columns(setup: Setup) -> tuple[Column, ...]:
    """The column of the numbered levels' seed, where it is not that of the run."""
    return (LAYOUT,) if setup.layout_seed(0) >= 0 else ()


def attempt_columns(
    knobs: Sequence[Column],
    score: Sequence[Column],
    beliefs: Sequence[Column],
    layouts: Sequence[Column] = (),
    places: Sequence[Column] = (),
    *,
    chance: bool = False,
) -> tuple[Column, ...]:
    """All columns of attempts, in order: a layout seed stands before `start_s`, params before `skill`, a score before
    `cause`, a place before `ticks`, beliefs before the hash.

    knobs, score, beliefs, layouts, places: as knob_columns, score_columns, belief_column, layout_columns and
    place_columns give them. chance: whether the true chance of winning stands before `outcome`.
    """
    before = {
        "start_s": layouts,
        "skill": knobs,
        "outcome": (WIN_CHANCE,) if chance else (),
        "cause": score,
        "ticks": places,
        "state_hash": beliefs,
    }
    return tuple(found for column in ATTEMPT_COLUMNS for found in (*before.get(column.name, ()), column))


@dataclass(frozen=True, eq=False)
class Sheet:
    """One table of a run: its columns, the words behind its names, and what is the same in every row."""

    name: str  # attempts, players or sessions
    columns: tuple[Column, ...]
    key: tuple[str, ...]  # columns that together differ in every row
    words: Mapping[str, tuple[str, ...]]
    constants: Mapping[str, str | int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        for name in names:
            if not name.isidentifier() or names.count(name) > 1:
                raise ScenarioError(
                    f"{self.name}: the names of columns are different words of letters, digits and _, got {name!r}; "
                    "rename it."
                )
        for column, words in self.words.items():
            for word in words:
                if not plain(word):
                    raise ScenarioError(f"{column}: {PLAIN_WORDS}, got {word!r}; rename it.")
                if word in MISSING_WORDS and column == "cause":  # which may be empty, so that nobody could tell
                    raise ScenarioError(f"{column}: {NOT_MISSING}, got {word!r}; rename it.")


# What pandas, R and spreadsheets write for a value that is not there, besides nothing.
MISSING_WORDS: Final = frozenset(
    {"NA", "<NA>", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "NaT", "#NV", "(null)"}
)
NOT_MISSING: Final = "a cause must not be a word that tables have for a missing value, such as NA or null"
PLAIN_WORDS: Final = (
    "a word in a row must begin with a letter or a digit and have no comma, quote, line break or last blank"
)
_PLAIN: Final = re.compile(r'[^\W_][^",\x00-\x1f\x7f\x85\u2028\u2029]{0,199}(?<! )')


def plain(word: str) -> bool:
    """Whether a word can neither break out of a CSV cell, nor be taken for a formula by a spreadsheet."""
    return _PLAIN.fullmatch(word) is not None


def schema_of(columns: Sequence[Column]) -> Any:
    """The Arrow schema: names are dictionary-encoded, whole numbers int64, numbers float64."""
    import pyarrow as pa

    types = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
    names = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([pa.field(c.name, types.get(c.kind, names), nullable=c.optional) for c in columns])


def source_of(game: AnyGame) -> str:
    """The source of a game's rows, but for those of a person."""
    return EXTERNAL if isinstance(game, ExternalGame) else SYNTHETIC


def attempt_sheet(setup: Setup, beliefs: Sequence[str]) -> Sheet:
    """The table of attempts. beliefs: as engine.world.belief_columns(setup) gives them."""
    game = setup.game
    constants: dict[str, str | int] = {
        "source": source_of(game),
        "game": game.name,
        "game_version": game.version,
        "scenario": setup.digest,
        "seed": setup.seed,
        "controller": setup.kind.name,
    }
    words: dict[str, tuple[str, ...]] = {name: (value,) for name, value in constants.items() if isinstance(value, str)}
    words |= {f"param_{knob.name}": knob.choices for knob in game.space if knob.scale == "choice"}
    words |= {"cohort": setup.cohorts, "outcome": OUTCOMES[WON:], "cause": game.causes, "fault": FAULTS[NO_FAULT + 1 :]}
    believed = [belief_column(name, setup.kind.belief_units) for name in beliefs]
    columns = attempt_columns(
        knob_columns(game),
        score_columns(game),
        believed,
        layout_columns(setup),
        place_columns(game),
        chance=setup.win_chance,
    )
    return Sheet("attempts", columns, ("replica", "player", "attempt"), words, constants)


def player_sheet(setup: Setup) -> Sheet:
    """The table of players."""
    return Sheet("players", PLAYER_COLUMNS, ("replica", "player"), {"cohort": setup.cohorts, "left": LEAVINGS})


def session_sheet(setup: Setup) -> Sheet:
    """The table of sessions."""
    words = {"cohort": setup.cohorts, "ended_by": LEAVINGS}
    return Sheet("sessions", SESSION_COLUMNS, ("replica", "player", "session"), words)


def attempt_batch(sheet: Sheet, rows: npt.NDArray[np.void], chances: npt.NDArray[np.float64] | None = None) -> Any:
    """Kernels' rows, see `row_type`, as an Arrow record batch of the sheet's schema.

    chances: true chance of winning each row, NaN where unknown, for a sheet that has the column; None where none is.
    """
    values: dict[str, Any] = {name: rows[name] for name in rows.dtype.names or () if name not in ("params", "beliefs")}
    values |= {"outcome": rows["outcome"] - WON, "won": rows["outcome"] == WON, "clipped": rows["clipped"] != 0}
    values["fault"] = rows["fault"] - (NO_FAULT + 1)
    values["win_chance"] = np.full(len(rows), np.nan) if chances is None else chances
    for prefix, field_name in (("param_", "params"), ("belief_", "beliefs")):
        names = [column.name for column in sheet.columns if column.name.startswith(prefix)]
        values |= {name: rows[field_name][:, j] for j, name in enumerate(names)}
    return _batch(sheet, values, len(rows))


def player_batch(
    sheet: Sheet,
    replica: int,
    players: npt.NDArray[np.void],
    arrivals: npt.NDArray[np.float64],
    sessions: npt.NDArray[np.void],
) -> Any:
    """Players as they were at the end, with their sessions, both sorted by player, as an Arrow record batch."""
    values: dict[str, Any] = {name: players[name] for name in ("cohort", "player", "attempts", "level", "left")}
    values |= {f"trait_{trait.name}": players[trait.name] for trait in TRAIT_LIST}
    place = np.searchsorted(players["player"], sessions["player"])
    wins = np.zeros(len(players), np.int64)
    np.add.at(wins, place, sessions["wins"])
    end_s = arrivals.copy()
    np.maximum.at(end_s, place, sessions["end_s"])
    values |= {"replica": np.full(len(players), replica), "arrival_s": arrivals, "end_s": end_s, "wins": wins}
    values["sessions"] = np.bincount(place, minlength=len(players)).astype(np.int64)
    return _batch(sheet, values, len(players))


def session_batch(sheet: Sheet, replica: int, sessions: npt.NDArray[np.void]) -> Any:
    """Sessions as an Arrow record batch of the sheet's schema."""
    values = {name: sessions[name] for name in SESSION.names or ()}
    return _batch(sheet, values | {"replica": np.full(len(sessions), replica)}, len(sessions))


def _batch(sheet: Sheet, values: Mapping[str, Any], count: int) -> Any:
    import pyarrow as pa

    arrays = []
    for column in sheet.columns:
        if column.kind == "name":
            numbers = np.zeros(count, np.int32) if column.constant else values[column.name].astype(np.int32)
            arrays.append(
                pa.DictionaryArray.from_arrays(_array(numbers, numbers < 0), _words(sheet.words[column.name]))
            )
        elif column.constant:
            arrays.append(_array(np.full(count, sheet.constants[column.name], np.int64)))
        elif column.kind == "number":  # NaN stands for what is missing
            numbers = values[column.name].astype(np.float64, copy=False)
            arrays.append(_array(numbers, np.isnan(numbers)))
        else:
            kind = np.dtype(np.int64 if column.kind == "integer" else np.bool_)
            arrays.append(_array(values[column.name].astype(kind, copy=False)))
    return pa.record_batch(arrays, schema=schema_of(sheet.columns))


# Arrays are made of their buffers: `pyarrow.array` loads pandas, if it is installed, which costs each worker half a
# second and 70 MB.


def _array(values: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None) -> Any:
    """An Arrow array of numbers or truth values. missing: which of them are null, None for none of them."""
    import pyarrow as pa

    some = missing is not None and bool(missing.any())
    valid = pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing is not None and some else None
    data = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [valid, pa.py_buffer(data)])


def _words(words: Sequence[str]) -> Any:
    """An Arrow array of strings."""
    import pyarrow as pa

    texts = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(texts), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))])


def csv_header(columns: Sequence[Column]) -> bytes:
    """The first line of a CSV file."""
    return (",".join(column.name for column in columns) + "\n").encode()


def write_csv(sink: Any, batches: Iterable[Any]) -> None:
    """Write record batches as CSV lines without the header. sink: a binary file open for writing."""
    from pyarrow import csv

    options = csv.WriteOptions(include_header=False, quoting_style="none")
    for batch in batches:
        csv.write_csv(batch, sink, options)


def write_stream(sink: Any, columns: Sequence[Column], batches: Iterable[Any]) -> None:
    """Write record batches as an Arrow stream: quick to write and to read, the form of parts of a Parquet file."""
    import pyarrow as pa

    with pa.ipc.new_stream(sink, schema_of(columns), options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        for batch in batches:
            writer.write_batch(batch)


def read_stream(path: Path) -> Iterator[Any]:
    """The record batches of an Arrow stream."""
    import pyarrow as pa

    with open_regular(path) as source, pa.ipc.open_stream(source) as stream:
        yield from stream


ROW_GROUP: Final = 262_144  # rows; what is held in memory while a Parquet file is written


def write_parquet(sink: Any, columns: Sequence[Column], batches: Iterable[Any]) -> None:
    """Write record batches, of whatever sizes, as one Parquet file with row groups of ROW_GROUP rows."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = schema_of(columns)
    encodings = {"integer": "DELTA_BINARY_PACKED", "number": "BYTE_STREAM_SPLIT"}
    with parquet.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        use_dictionary=[column.name for column in columns if column.kind == "name"],
        column_encoding={c.name: encodings[c.kind] for c in columns if c.kind in encodings},
        write_page_checksum=True,  # without it a flipped bit can go unnoticed
    ) as writer:
        held: list[Any] = []
        rows = 0
        for batch in batches:
            held.append(batch)
            rows += batch.num_rows
            if rows >= ROW_GROUP:
                held = _written(writer, held, rows - rows % ROW_GROUP)
                rows %= ROW_GROUP
        if rows:
            _written(writer, held, rows)
    pa.default_memory_pool().release_unused()


def _written(writer: Any, batches: Sequence[Any], rows: int) -> list[Any]:
    """Write so many rows and give the rest; all that was held for them is let go."""
    import pyarrow as pa

    table = pa.Table.from_batches(batches)
    writer.write_table(table.slice(0, rows), ROW_GROUP)
    rest: list[Any] = table.slice(rows).to_batches()
    return rest


def read_batches(path: Path, columns: Sequence[Column]) -> Iterator[Any]:
    """The record batches of a CSV or Parquet file of these columns, with the types of the schema and strict reading.

    Raises RunFolderError, or pyarrow.ArrowInvalid, an error of the kind ValueError, when the file does not hold these
    columns.
    """
    if path.suffix == ".parquet":
        schema = schema_of(columns)
        with open_parquet(path, page_checksum_verification=True, pre_buffer=False) as file:
            found = file.schema_arrow.names
            wrong = next((name for name in schema.names if found.count(name) != 1), None)
            if wrong is not None:
                raise RunFolderError(f"{path} must have the column {wrong} once, got it {found.count(wrong)} times.")
            for batch in file.iter_batches(65_536, columns=schema.names):
                yield _strictly(batch.select(schema.names), schema, path)
        return
    with open_regular(path) as source:
        yield from read_csv(source, columns)


def _strictly(batch: Any, schema: Any, path: Path) -> Any:
    """A batch with the types of the schema."""
    import pyarrow as pa

    arrays = []
    for item, array in zip(schema, batch.columns, strict=True):
        try:
            arrays.append(_cast(array, item.type))
        except (ValueError, NotImplementedError) as fault:  # a value is none of the column's type, or no type is
            raise RunFolderError(
                f"the columns of {path} must be as a run writes them, but {item.name} is {array.type}: {fault}."
            ) from None
        if not item.nullable and arrays[-1].null_count:
            raise RunFolderError(f"the columns of {path} must be as a run writes them, but {item.name} has no value.")
    return pa.record_batch(arrays, schema=schema)


def _cast(array: Any, wanted: Any) -> Any:
    """An array with another type and the same values. Raises ValueError or NotImplementedError where it has none."""
    import pyarrow as pa
    from pyarrow import compute

    if array.type == wanted:
        return array
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if array.null_count == len(array):  # pandas makes numbers of a column without values
        return pa.nulls(len(array), wanted)
    if pa.types.is_dictionary(wanted):
        if not (pa.types.is_string(array.type) or _is_other_text(array.type)):
            raise ValueError("it must be text")
        return array.cast(wanted.value_type).dictionary_encode().cast(wanted)
    if pa.types.is_boolean(wanted) and (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        if not compute.all(compute.is_in(array, pa.array([0, 1]).cast(array.type))).as_py():
            raise ValueError("it must be 0 or 1")
    return array.cast(wanted)


def _is_other_text(kind: Any) -> bool:
    """Whether this type is text as other programs keep it: long, as a view, or as bytes."""
    from pyarrow import types

    tests = (types.is_large_string, types.is_string_view, types.is_binary, types.is_large_binary, types.is_binary_view)
    return any(test(kind) for test in tests)


def read_csv(source: Any, columns: Sequence[Column]) -> Iterator[Any]:
    """`read_batches` of a CSV file that is open for reading. Other columns that it has are left out."""
    from pyarrow import csv

    schema = schema_of(columns)
    convert = csv.ConvertOptions(
        column_types={item.name: item.type for item in schema},
        include_columns=schema.names,
        null_values=[""],
        strings_can_be_null=True,
        true_values=["true"],
        false_values=["false"],
    )
    with csv.open_csv(source, csv.ReadOptions(block_size=1 << 22), convert_options=convert) as reader:
        yield from reader
