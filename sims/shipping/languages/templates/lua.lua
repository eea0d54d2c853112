@HEADER@
-- Numbers must be doubles, as in Lua 5.1 to 5.5, LuaJIT and Luau.

local difficulty = {}

-- What the rule was prepared with, and the state of a player before the first attempt.
local tables = {
  constants = {@CONSTANTS@},
  first = {
@FIRST@
  },
}
difficulty.tables = tables

local groups = {
@GROUPS@
}
difficulty.groups = groups

-- Guard rails. A game may change them at any time, from its settings or from a remote switch.
local guard = {
  floor = @FLOOR@, -- lowest difficulty that is played, from 0 (easiest) to 1 (hardest)
  ceiling = @CEILING@, -- highest
  largest_step = 1.0, -- from one attempt of a player to the next
  off = false, -- true: everyone plays at `resting`; outcomes are still learnt from
  resting = @RESTING@,
}
difficulty.guard = guard

-- The dial: the game's own numbers at @POINTS@ difficulties, 0 to 1 at equal steps.
local knob_table = {
@KNOBS@
}

-- --- What Python brings and Lua does not

local function least(a, b) if b < a then return b end return a end
local function most(a, b) if b > a then return b end return a end
local function is_nan(x) return x ~= x end

local function trunc(x)
  if x < 0 then return math.ceil(x) end
  return math.floor(x)
end

local function floor_mod(a, b)
  local rest = math.fmod(a, b)
  if rest ~= 0 and (rest < 0) ~= (b < 0) then return rest + b end
  return rest
end

local function floor_div(a, b)
  local rest = math.fmod(a, b)
  local found = (a - rest) / b
  if rest ~= 0 and (rest < 0) ~= (b < 0) then found = found - 1.0 end
  local down = math.floor(found)
  if found - down > 0.5 then return down + 1.0 end
  return down + 0.0
end

local powers = {} -- of two, all exact
do
  local up, down = 1.0, 1.0
  for k = 0, 1023 do
    powers[k] = up
    powers[-k] = down
    up = up * 2.0
    down = down / 2.0
  end
end

local function scale(x, k) -- x 2^k
  while k > 1000 do x = x * powers[1000]; k = k - 1000 end
  while k < -1000 do x = x * powers[-1000]; k = k + 1000 end
  return x * powers[k]
end

local function halves(x) -- x = mantissa 2^exponent, .5 <= |mantissa| < 1
  local size, exponent = math.abs(x), 0
  if size == 0.0 or size == math.huge or x ~= x then return { mantissa = x, exponent = 0 } end
  for _, step in ipairs({ 512, 256, 128, 64, 32, 16, 8, 4, 2, 1 }) do
    while size >= powers[step] do size = size * powers[-step]; exponent = exponent + step end
    while size < powers[-step] do size = size * powers[step]; exponent = exponent - step end
  end
  while size < 1.0 do size = size * 2.0; exponent = exponent - 1 end
  size, exponent = size * 0.5, exponent + 1
  if x < 0 then size = -size end
  return { mantissa = size, exponent = exponent }
end

local function zeros(count)
  local made = {}
  for i = 1, count do made[i] = 0.0 end
  return made
end

local function part_of(numbers, first, last)
  local made = {}
  for i = first, last do made[i - first + 1] = numbers[i] end
  return made
end

local function exclusive_or(a, b) -- of two words, 16 bits at a time by arithmetic: Lua 5.1 has no operator for it
  local found, place = 0.0, 1.0
  for _ = 1, 32 do
    local bit_a, bit_b = math.fmod(a, 2.0), math.fmod(b, 2.0)
    if bit_a ~= bit_b then found = found + place end
    a, b, place = (a - bit_a) / 2.0, (b - bit_b) / 2.0, place * 2.0
  end
  return found
end

local function product(a, b) -- the upper and the lower 32 bits of a product of two words
  local a0 = math.fmod(a, 65536.0)
  local a1 = (a - a0) / 65536.0
  local b0 = math.fmod(b, 65536.0)
  local b1 = (b - b0) / 65536.0
  local low = a0 * b0
  local low0 = math.fmod(low, 65536.0)
  local middle = a1 * b0 + (low - low0) / 65536.0
  local middle0 = math.fmod(middle, 65536.0)
  local other = a0 * b1 + middle0
  local other0 = math.fmod(other, 65536.0)
  return a1 * b1 + (middle - middle0) / 65536.0 + (other - other0) / 65536.0, other0 * 65536.0 + low0
end

local function philox(c0, c1, c2, c3, k0, k1) -- Philox4x32-10, Salmon et al. 2011
  c0, c1, c2, c3, k0, k1 = c0 + 0.0, c1 + 0.0, c2 + 0.0, c3 + 0.0, k0 + 0.0, k1 + 0.0
  for _ = 1, 10 do
    local high0, low0 = product(3528531795.0, c0)
    local high1, low1 = product(3449720151.0, c2)
    c0, c1, c2, c3 = exclusive_or(exclusive_or(high1, c1), k0), low1, exclusive_or(exclusive_or(high0, c3), k1), low0
    k0 = math.fmod(k0 + 2654435769.0, 4294967296.0)
    k1 = math.fmod(k1 + 3144134277.0, 4294967296.0)
  end
  return { part0 = c0, part1 = c1, part2 = c2, part3 = c3 }
end

-- --- The rule

local rule = {}

@FUNCTIONS@

@LAYOUTS@

local prepared, prepared_of

local function constants()
  if prepared_of ~= tables.constants then
    prepared = unpack_constants(tables.constants)
    prepared_of = tables.constants
  end
  return prepared
end

-- --- What a game calls

-- A player who has not played yet. group: name of a player group; unit: a number of the player's own.
-- The table is plain data: save it with the player's progress.
function difficulty.new_player(group, unit)
  local number = group == nil and 1 or nil
  for i, one in ipairs(groups) do
    if one.name == group then number = i end
  end
  if not number then error("no player group is called " .. tostring(group)) end
  local first = tables.first[groups[number].first]
  local numbers = part_of(first, 1, #first)
@UNIT@
  return { group = number, difficulty = nil, numbers = numbers }
end

-- The difficulty of the next attempt. situation: attempt (attempts of this player so far), level (from 1; 0 without
-- levels), place (attempts of this session so far), last (1 won, 0 lost; 1 before the first; -1 not known yet),
-- session and day (from 0). Keep the answer until the attempt has ended: `tell` needs it.
function difficulty.ask(player, situation)
  local group = groups[player.group]
  local level = situation.level or 0
  local number = least(most(level, 1), #group.targets)
  local target, shift = group.targets[number], group.shifts[number]
  local asked = @ASK@(constants(), unpack_state(player.numbers), {
    target = target, attempt = situation.attempt, level = level, place = situation.place, last = situation.last,
    session = situation.session or 0, day = situation.day or 0,
  }) + shift
  if guard.off or asked ~= asked then asked = guard.resting end
  if player.difficulty then
    if asked > player.difficulty + guard.largest_step then asked = player.difficulty + guard.largest_step end
    if asked < player.difficulty - guard.largest_step then asked = player.difficulty - guard.largest_step end
  end
  if asked < guard.floor then asked = guard.floor elseif asked > guard.ceiling then asked = guard.ceiling end
  player.difficulty = asked
  return { difficulty = asked, target = target, shift = shift, place = situation.place, last = situation.last }
end

local function is_share(x) return type(x) == "number" and x >= 0 and x <= 1 end

-- Learn from an attempt, late or in time. play: what `ask` answered; if the outcome before was not known then, set
-- play.last when it is. outcome: won (0 or 1), progress and score (0 to 1; without a score, the progress), weight (1;
-- where players share a state, how many attempts these are the means of). Returns whether the outcome made sense.
function difficulty.tell(player, play, outcome)
  local group = groups[player.group]
  local weight = outcome.weight or 1.0
  local progress = outcome.progress or outcome.won
  local score = outcome.score or progress
  if not (is_share(outcome.won) and is_share(progress) and is_share(score) and weight > 0) then return false end
  local seen = {
    difficulty = play.difficulty - play.shift, won = outcome.won + 0.0, progress = progress, score = score,
    target = play.target, place = play.place + 0.0, last = play.last + 0.0, weight = weight + 0.0,
  }
  local state = @TELL@(constants(), unpack_state(player.numbers), seen)
  @LEARNED@
  pack_state(state, player.numbers)
  return true
end

-- The game's own numbers at a difficulty: exact at the points of the table, on straight lines between them; whole
-- numbers and choices are those of the nearest point.
function difficulty.knobs(chosen)
  local place = least(most(chosen, 0.0), 1.0) * (@POINTS@ - 1)
  local left = least(math.floor(place), @POINTS@ - 2)
  local share, found = place - left, {}
  for _, knob in ipairs(knob_table) do
    local a, b = knob.values[left + 1], knob.values[left + 2]
    if type(a) == "number" and not knob.whole then
      found[knob.name] = a * (1 - share) + b * share
    elseif share < 0.5 then
      found[knob.name] = a
    else
      found[knob.name] = b
    end
  end
  return found
end

return difficulty
