// Coin River as a game of its own, in JavaScript: it plays whole attempts that Flowdial asks for, one line at a time.
//
//     flowdial connect add river -- node river.mjs
//     flowdial connect check river
//
// The rules are those of ../coin_river.py. The bot below stands for yours: it is late, errs and overlooks as the player
// that it is told to be. docs/protocol.md explains every key of a line. A seed is text, since 64 bits do not survive a
// number of JSON.

import { createInterface } from "node:readline";

const TICK_S = 1 / 30;
const ROWS = 24, LANES = 3;
const REACH = 5 * TICK_S; // lanes in a tick that the canoe is steered
const MOST_TICKS = 1800;
const WATERS = ["calm", "rocky", "white"];

const HANDSHAKE = {
  flowdial: 1,
  name: "Coin River",
  version: 1,
  summary: "Steer a canoe through rocks and bring enough coins.",
  params: [
    { name: "speed", low: 0.8, high: 1.8, default: 1.1, unit: "rows/s", scale: "log" },
    { name: "sight", low: 0.6, high: 1.0, default: 0.8, unit: "row", harder: "low" },
    { name: "hull", low: 4, high: 8, default: 7, harder: "low", scale: "integer" },
    { name: "toll", low: 10, high: 20, default: 15, scale: "integer" },
    { name: "water", default: "rocky", scale: "choice", choices: WATERS },
  ],
  causes: ["wrecked", "too few coins"],
  deterministic: true,
  batch: 256,
};

// The generator sfc32, seeded with 64 bits that came as text.
class Dice {
  constructor(seed) {
    const whole = BigInt(seed);
    this.a = Number(whole & 0xffffffffn);
    this.b = Number(whole >> 32n);
    this.c = 0x9e3779b9;
    this.turn = 1;
    for (let i = 0; i < 12; i++) this.word();
  }
  word() {
    const drawn = (this.a + this.b + this.turn) >>> 0;
    this.turn = (this.turn + 1) >>> 0;
    this.a = (this.b ^ (this.b >>> 9)) >>> 0;
    this.b = (this.c + (this.c << 3)) >>> 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + drawn) >>> 0;
    return drawn;
  }
  uniform() {
    return this.word() / 4294967296;
  }
}

function layout(dice, water) {
  const coins = [], rocks = [];
  for (let i = 0; i < ROWS; i++) {
    const coin = dice.word() % LANES, many = dice.uniform();
    const first = (coin + 1 + (dice.word() % 2)) % LANES;
    const row = [0, 0, 0];
    if (water > 0 || many < 0.5) row[first] = 1;
    if (water === 2 && many < 0.5) row[LANES - coin - first] = 1;
    coins.push(coin);
    rocks.push(row);
  }
  return [coins, rocks];
}

function play(asked) {
  const { params, player: who } = asked;
  const [coins, rocks] = layout(new Dice(asked.level_seed), WATERS.indexOf(params.water));
  const dice = new Dice(asked.seed);
  const sight = params.sight * Math.min(who.foresight, 1);
  let lane = 1, way = 0, hull = params.hull, won = 0, ticks = 0;
  let wanted = 0, hands = 0, coming = 0, due = 0; // 0 drifts, 1 to 3 steer for a lane
  while (hull > 0 && way < ROWS && ticks < MOST_TICKS) {
    const row = Math.min(Math.floor(way), ROWS - 1);
    const wish = row + 1 - way <= sight ? coins[row] + 1 : 0;
    if (wish !== wanted) { // a change of mind: the hands are late, slip, or do not follow
      wanted = coming = wish;
      const error = dice.uniform(), other = dice.word() % 3, tail = dice.uniform();
      if (error < who.lapse) coming = hands;
      else if (error < who.lapse + who.slip) coming = (wish + 1 + other) % 4;
      const late = who.reaction_s + who.reaction_sd_s * (2 * dice.uniform() - 1);
      due = ticks + Math.floor((late + who.reaction_tail_s * 3 * tail * tail) / TICK_S + 0.5);
    }
    if (ticks >= due) hands = coming;
    if (hands > 0) lane += Math.min(Math.max(hands - 1 - lane, -REACH), REACH);
    way += params.speed * TICK_S;
    if (Math.floor(way) > row) {
      const at = Math.floor(lane + 0.5);
      hull -= rocks[row][at];
      won += coins[row] === at ? 1 : 0;
    }
    ticks++;
  }
  const passed = Math.min((hull > 0 ? way : way - 1) / ROWS, 1);
  const answer = {
    id: asked.id,
    outcome: "won",
    progress: 0.5 * passed + 0.5 * Math.min(won / params.toll, 1),
    ticks,
    seconds: ticks * TICK_S,
    check: (won * 256 + hull).toString(16),
  };
  if (hull <= 0) Object.assign(answer, { outcome: "lost", cause: "wrecked" });
  else if (way < ROWS) answer.outcome = "timed_out";
  else if (won < params.toll) Object.assign(answer, { outcome: "lost", cause: "too few coins" });
  else answer.progress = 1;
  return answer;
}

console.log = console.error; // what the game prints must not stand between the replies
createInterface({ input: process.stdin, crlfDelay: Infinity }).on("line", (line) => {
  const asked = JSON.parse(line);
  const said = asked.play ? { played: asked.play.map(play) } : HANDSHAKE;
  process.stdout.write(JSON.stringify(said) + "\n");
});
