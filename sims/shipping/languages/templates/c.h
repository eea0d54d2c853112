/*
@HEADER@
 *
 * In one file of the game:   #define DIFFICULTY_IMPLEMENTATION
 *                            #include "difficulty.h"
 * Compile with -ffp-contract=off (gcc, clang) or /fp:precise (MSVC), never with -ffast-math: else numbers differ.
 * One thread at a time.
 */
#ifndef DIFFICULTY_H
#define DIFFICULTY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FD_NUMBERS @NUMBERS@ /* of a player's state */
#define FD_POINTS @POINTS@ /* of the dial's table: difficulties 0 to 1 at equal steps */
#define FD_GROUPS @GROUP_COUNT@
@GROUP_NAMES@
#define FD_LEVELS @LEVEL_COUNT@ /* 1 without levels */
#define FD_KNOBS @KNOB_COUNT@
@KNOB_NAMES@

/* A player. Plain data: save it with the player's progress. */
typedef struct {
    int group;
    int played; /* whether `difficulty` is one that was asked for */
    double difficulty;
    double numbers[FD_NUMBERS];
} fd_player;

/* What is known before an attempt. */
typedef struct {
    int64_t attempt; /* attempts of this player so far */
    int64_t level; /* from 1; 0 without levels */
    int64_t place; /* attempts of this session so far */
    double last; /* 1 won, 0 lost; 1 before the first; -1 not known yet */
    int64_t session; /* sessions before this one */
    int64_t day; /* from 0 */
} fd_situation;

/* The answer of fd_ask. Keep it until the attempt has ended. */
typedef struct {
    double difficulty, target, shift, place;
    double last; /* if the outcome before was not known then, set it when it is */
} fd_play;

/* How an attempt ended. */
typedef struct {
    double won; /* 0 or 1 */
    double progress, score; /* 0 to 1; without a score, the progress */
    double weight; /* 1; where players share a state, how many attempts these are the means of */
} fd_outcome;

/* Guard rails. A game may change them at any time, from its settings or from a remote switch. */
typedef struct {
    double floor, ceiling; /* lowest and highest difficulty that is played, from 0 (easiest) to 1 (hardest) */
    double largest_step; /* from one attempt of a player to the next */
    int off; /* 1: everyone plays at `resting`; outcomes are still learnt from */
    double resting;
} fd_guard_rails;

extern fd_guard_rails fd_guard;

/* A player who has not played yet. unit: a number of the player's own. */
void fd_new_player(fd_player *player, int group, double unit);

/* The difficulty of the next attempt. */
fd_play fd_ask(fd_player *player, const fd_situation *situation);

/* Learn from an attempt, late or in time. Returns 0 for an outcome that makes no sense. */
int fd_tell(fd_player *player, const fd_play *play, const fd_outcome *outcome);

/* A parameter of the game at a difficulty: exact at the points of the table, on straight lines between them; whole
 * numbers and choices are those of the nearest point. */
double fd_knob(int knob, double difficulty);

const char *fd_knob_name(int knob);

/* Another rule's numbers of the same sizes, for tests; 0 for this file's own. */
void fd_use(const double *constants, const double *first);

#ifdef __cplusplus
}
#endif
#endif /* DIFFICULTY_H */

#ifdef DIFFICULTY_IMPLEMENTATION

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "doubles are calculated with more digits than they have; compile for SSE2 (-msse2 -mfpmath=sse)"
#endif

fd_guard_rails fd_guard = {@FLOOR@, @CEILING@, 1.0, 0, @RESTING@};

static const double fd_own_constants[] = {@CONSTANTS@};
static const double fd_own_first[@FIRST_COUNT@][FD_NUMBERS] = {
@FIRST@
};
static const double *fd_constants = fd_own_constants;
static const double *fd_first = 0;

typedef struct { double floor, ceiling, least_target, most_target; } fd_Bounds;

typedef struct {
    const char *name;
    double targets[FD_LEVELS], shifts[FD_LEVELS];
    fd_Bounds bounds;
    int first;
} fd_group;

static const fd_group fd_groups[FD_GROUPS] = {
@GROUPS@
};

typedef struct {
    const char *name, *unit;
    int stepped;
    double values[FD_POINTS];
} fd_knob_row;

static const fd_knob_row fd_knobs[FD_KNOBS] = {
@KNOBS@
};

/* --- Arrays live until the next call of fd_ask or fd_tell. */

typedef struct { double *at; int64_t count; } fd_array;

typedef struct fd_block {
    struct fd_block *next;
    int64_t size, used;
    double numbers[1];
} fd_block;

static fd_block *fd_blocks = 0;

static void fd_forget(void) {
    for (fd_block *block = fd_blocks; block; block = block->next) block->used = 0;
}

static inline fd_array fd_fresh(int64_t count) {
    fd_array made;
    fd_block *block = fd_blocks;
    while (block && block->size - block->used < count) block = block->next;
    if (!block) {
        int64_t size = count > 16384 ? count : 16384;
        block = (fd_block *)malloc(sizeof(fd_block) + (size_t)size * sizeof(double));
        if (!block) abort();
        block->next = fd_blocks;
        block->size = size;
        block->used = 0;
        fd_blocks = block;
    }
    made.at = block->numbers + block->used;
    made.count = count;
    block->used += count;
    memset(made.at, 0, (size_t)count * sizeof(double));
    return made;
}

static inline fd_array fd_view(const double *numbers, int64_t count) {
    fd_array made;
    made.at = (double *)numbers; /* tables are never written to */
    made.count = count;
    return made;
}

static inline fd_array fd_copy(const double *numbers, int64_t count) {
    fd_array made = fd_fresh(count);
    memcpy(made.at, numbers, (size_t)count * sizeof(double));
    return made;
}

/* --- What Python brings and C does not */

static inline double fd_min(double a, double b) { return b < a ? b : a; }
static inline double fd_max(double a, double b) { return b > a ? b : a; }
static inline int64_t fd_min_whole(int64_t a, int64_t b) { return b < a ? b : a; }
static inline int64_t fd_max_whole(int64_t a, int64_t b) { return b > a ? b : a; }

static inline double fd_floor_mod(double a, double b) {
    double rest = fmod(a, b);
    return rest != 0.0 && (rest < 0.0) != (b < 0.0) ? rest + b : rest;
}

static inline double fd_floor_div(double a, double b) {
    double rest = fmod(a, b), found = (a - rest) / b, down;
    if (rest != 0.0 && (rest < 0.0) != (b < 0.0)) found -= 1.0;
    down = floor(found);
    return found - down > 0.5 ? down + 1.0 : down;
}

static inline int64_t fd_floor_mod_whole(int64_t a, int64_t b) {
    int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static inline int64_t fd_floor_div_whole(int64_t a, int64_t b) { return (a - fd_floor_mod_whole(a, b)) / b; }

static inline double fd_mantissa(double x) {
    int exponent;
    return frexp(x, &exponent);
}

static inline int64_t fd_exponent(double x) {
    int exponent;
    (void)frexp(x, &exponent);
    return exponent;
}

/* --- The rule */

@RECORDS@

@PHILOX@@FUNCTIONS@

@LAYOUTS@

static @OPTIONS@ fd_constants_now(void) { return fd_unpack_constants(fd_constants); }

/* --- What a game calls */

void fd_use(const double *constants, const double *first) {
    fd_constants = constants ? constants : fd_own_constants;
    fd_first = first;
}

void fd_new_player(fd_player *player, int group, double unit) {
    const double *first = fd_first ? fd_first : fd_own_first[fd_groups[group].first];
    player->group = group;
    player->played = 0;
    player->difficulty = 0.0;
    memcpy(player->numbers, first, sizeof(player->numbers));
@UNIT@
}

fd_play fd_ask(fd_player *player, const fd_situation *situation) {
    const fd_group *group = &fd_groups[player->group];
    int64_t number = situation->level > 1 ? situation->level - 1 : 0;
    fd_play play;
    fd_Situation now;
    double asked;
    if (number >= FD_LEVELS) number = FD_LEVELS - 1;
    fd_forget();
    play.target = group->targets[number];
    play.shift = group->shifts[number];
    play.place = (double)situation->place;
    play.last = situation->last;
    now = fd_make_Situation(play.target, situation->attempt, situation->level, situation->place, situation->last,
                            situation->session, situation->day);
    asked = @ASK@(fd_constants_now(), fd_unpack_state(player->numbers), now) + play.shift;
    if (fd_guard.off || isnan(asked)) asked = fd_guard.resting;
    if (player->played) {
        if (asked > player->difficulty + fd_guard.largest_step) asked = player->difficulty + fd_guard.largest_step;
        if (asked < player->difficulty - fd_guard.largest_step) asked = player->difficulty - fd_guard.largest_step;
    }
    play.difficulty = asked < fd_guard.floor ? fd_guard.floor : asked > fd_guard.ceiling ? fd_guard.ceiling : asked;
    player->difficulty = play.difficulty;
    player->played = 1;
    return play;
}

int fd_tell(fd_player *player, const fd_play *play, const fd_outcome *outcome) {
    const fd_group *group = &fd_groups[player->group];
    fd_Observation seen;
    @STATE@ state;
    if (!(outcome->won >= 0.0 && outcome->won <= 1.0 && outcome->progress >= 0.0 && outcome->progress <= 1.0 &&
          outcome->score >= 0.0 && outcome->score <= 1.0 && outcome->weight > 0.0)) {
        return 0;
    }
    fd_forget();
    seen = fd_make_Observation(play->difficulty - play->shift, outcome->won, outcome->progress, outcome->score,
                               play->target, play->place, play->last, outcome->weight);
    state = @TELL@(fd_constants_now(), fd_unpack_state(player->numbers), seen);
    (void)group;
    @LEARNED@
    fd_pack_state(state, player->numbers);
    return 1;
}

double fd_knob(int knob, double difficulty) {
    const fd_knob_row *row = &fd_knobs[knob];
    double place = (difficulty < 0.0 ? 0.0 : difficulty > 1.0 ? 1.0 : difficulty) * (FD_POINTS - 1);
    int left = (int)place < FD_POINTS - 2 ? (int)place : FD_POINTS - 2;
    double share = place - left, a = row->values[left], b = row->values[left + 1];
    if (row->stepped) return share < 0.5 ? a : b;
    return a * (1.0 - share) + b * share;
}

const char *fd_knob_name(int knob) { return fd_knobs[knob].name; }

#endif /* DIFFICULTY_IMPLEMENTATION */
