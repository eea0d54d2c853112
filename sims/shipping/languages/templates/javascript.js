@HEADER@
"use strict";

const difficulty = (function () {
  // What the rule was prepared with, and the state of a player before the first attempt, one for each player group.
  const tables = {
    constants: [@CONSTANTS@],
    first: [
@FIRST@
    ],
  };
  const groups = @GROUPS@;

  // Guard rails. A game may change them at any time, from its settings or from a remote switch.
  const guard = {
    floor: @FLOOR@, // lowest difficulty that is played, from 0 (easiest) to 1 (hardest)
    ceiling: @CEILING@, // highest
    largestStep: 1, // from one attempt of a player to the next
    off: false, // true: everyone plays at `resting`; outcomes are still learnt from
    resting: @RESTING@,
  };

  // The dial: the game's own numbers at @POINTS@ difficulties, 0 to 1 at equal steps.
  const knobTable = @KNOBS@;

  // --- What Python brings and JavaScript does not

  const POWERS = (function () {
    const found = new Float64Array(2047); // 2^-1023 ... 2^1023; the first has lost nothing yet
    let up = 1, down = 1;
    for (let k = 0; k < 1024; k++) {
      found[1023 + k] = up;
      found[1023 - k] = down;
      up *= 2;
      down /= 2;
    }
    return found;
  })();

  function scale(x, k) { // x 2^k
    while (k > 1000) { x *= POWERS[2023]; k -= 1000; }
    while (k < -1000) { x *= POWERS[23]; k += 1000; }
    return x * POWERS[1023 + k];
  }

  const word = new DataView(new ArrayBuffer(8));

  function halves(x) { // x = mantissa 2^exponent, .5 <= |mantissa| < 1
    if (x === 0 || !Number.isFinite(x)) return { mantissa: x, exponent: 0 };
    let exponent = 0;
    if (Math.abs(x) < POWERS[1]) { x *= POWERS[1087]; exponent = -64; }
    word.setFloat64(0, x);
    const high = word.getUint32(0);
    exponent += ((high >>> 20) & 0x7ff) - 1022;
    word.setUint32(0, (high & 0x800fffff) | 0x3fe00000);
    return { mantissa: word.getFloat64(0), exponent: exponent };
  }

  function least(a, b) { return b < a ? b : a; }
  function most(a, b) { return b > a ? b : a; }

  function floorMod(a, b) {
    const rest = a % b;
    return rest !== 0 && (rest < 0) !== (b < 0) ? rest + b : rest;
  }

  function floorDiv(a, b) {
    const rest = a % b;
    let found = (a - rest) / b;
    if (rest !== 0 && (rest < 0) !== (b < 0)) found -= 1;
    const down = Math.floor(found);
    return found - down > 0.5 ? down + 1 : down;
  }

  function highWord(a, b) { // the upper 32 bits of a product of two words
    const a0 = a & 0xffff, a1 = a >>> 16, b0 = b & 0xffff, b1 = b >>> 16;
    const low = a0 * b0, middle = a1 * b0 + Math.floor(low / 65536), other = a0 * b1 + (middle % 65536);
    return (a1 * b1 + Math.floor(middle / 65536) + Math.floor(other / 65536)) >>> 0;
  }

  function philox(c0, c1, c2, c3, k0, k1) { // Philox4x32-10, Salmon et al. 2011
    for (let round = 0; round < 10; round++) {
      const high0 = highWord(0xd2511f53, c0), low0 = Math.imul(0xd2511f53, c0) >>> 0;
      const high1 = highWord(0xcd9e8d57, c2), low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
      c0 = (high1 ^ c1 ^ k0) >>> 0;
      c1 = low1;
      c2 = (high0 ^ c3 ^ k1) >>> 0;
      c3 = low0;
      k0 = (k0 + 0x9e3779b9) >>> 0;
      k1 = (k1 + 0xbb67ae85) >>> 0;
    }
    return { part0: c0, part1: c1, part2: c2, part3: c3 };
  }

  // --- The rule

@FUNCTIONS@

@LAYOUTS@

  let prepared = null, preparedOf = null;

  function constants() {
    if (preparedOf !== tables.constants) {
      prepared = unpackConstants(tables.constants);
      preparedOf = tables.constants;
    }
    return prepared;
  }

  // --- What a game calls

  // A player who has not played yet. `group` is the name of a player group, `unit` a number of the player's own.
  // The object is plain data: save it as JSON with the player's progress.
  function newPlayer(group, unit) {
    const number = group === undefined ? 0 : groups.findIndex((one) => one.name === group);
    if (number < 0) throw new RangeError("no player group is called " + group);
    const numbers = tables.first[groups[number].first].slice();
    if (@UNIT@ >= 0) numbers[@UNIT@] = unit || 0;
    return { group: number, difficulty: null, numbers: numbers };
  }

  // The difficulty of the next attempt. situation: attempt (attempts of this player so far), level (from 1; 0 without
  // levels), place (attempts of this session so far), last (1 won, 0 lost; 1 before the first; -1 not known yet),
  // session and day (from 0). Keep the answer until the attempt has ended: `tell` needs it.
  function ask(player, situation) {
    const group = groups[player.group];
    const level = situation.level || 0, place = situation.place, last = situation.last;
    const number = Math.min(Math.max(level - 1, 0), group.targets.length - 1);
    const target = group.targets[number], shift = group.shifts[number];
    const state = unpackState(player.numbers);
    const asked = @ASK@(constants(), state, @SITUATION@) + shift;
    let chosen = guard.off || Number.isNaN(asked) ? guard.resting : asked;
    if (player.difficulty !== null) {
      if (chosen > player.difficulty + guard.largestStep) chosen = player.difficulty + guard.largestStep;
      if (chosen < player.difficulty - guard.largestStep) chosen = player.difficulty - guard.largestStep;
    }
    chosen = chosen < guard.floor ? guard.floor : chosen > guard.ceiling ? guard.ceiling : chosen;
    player.difficulty = chosen;
    return { difficulty: chosen, target: target, shift: shift, place: place, last: last };
  }

  // Learn from an attempt, late or in time. play: what `ask` answered; if the outcome before was not known then, set
  // play.last when it is. outcome: won (0 or 1), progress and score (0 to 1; without a score, the progress), weight (1;
  // where players share a state, how many attempts these are the means of). Returns whether the outcome made sense.
  function tell(player, play, outcome) {
    const group = groups[player.group];
    const weight = outcome.weight === undefined ? 1 : outcome.weight;
    const progress = outcome.progress === undefined ? outcome.won : outcome.progress;
    const score = outcome.score === undefined ? progress : outcome.score;
    if (![outcome.won, progress, score].every((share) => share >= 0 && share <= 1) || !(weight > 0)) return false;
    const seen = {
      difficulty: play.difficulty - play.shift, won: outcome.won, progress: progress, score: score,
      target: play.target, place: play.place, last: play.last, weight: weight,
    };
    let state = @TELL@(constants(), unpackState(player.numbers), seen);
    @LEARNED@
    packState(state, player.numbers);
    return true;
  }

  // The game's own numbers at a difficulty: exact at the points of the table, on straight lines between them; whole
  // numbers and choices are those of the nearest point.
  function knobs(chosen) {
    const place = Math.min(Math.max(chosen, 0), 1) * (@POINTS@ - 1);
    const left = Math.min(Math.floor(place), @POINTS@ - 2), share = place - left;
    const found = {};
    for (const knob of knobTable) {
      const a = knob.values[left], b = knob.values[left + 1];
      const straight = typeof a === "number" && !knob.whole;
      found[knob.name] = straight ? a * (1 - share) + b * share : share < 0.5 ? a : b;
    }
    return found;
  }

  return { newPlayer: newPlayer, ask: ask, tell: tell, knobs: knobs, guard: guard, groups: groups, tables: tables };
})();

if (typeof module !== "undefined") module.exports = difficulty;
