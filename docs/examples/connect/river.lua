-- Coin River as a game of its own, in Lua 5.3 or newer: it plays whole attempts that Flowdial asks for, line by line.
--
--     flowdial connect add river -- lua river.lua
--     flowdial connect check river
--
-- The rules are those of ../coin_river.py. The bot below stands for yours: it is late, errs and overlooks as the player
-- that it is told to be. docs/protocol.md explains every key of a line. A reader of JSON of your own can replace the few
-- lines here, which look for keys by name.

local TICK_S = 1 / 30
local ROWS, LANES = 24, 3
local REACH = 5 * TICK_S -- lanes in a tick that the canoe is steered
local MOST_TICKS = 1800
local WORD = 0xFFFFFFFF
local WATERS = { calm = 0, rocky = 1, white = 2 }

local HANDSHAKE = [[{"flowdial": 1, "name": "Coin River", "version": 1, "deterministic": true, "batch": 256, ]]
  .. [["summary": "Steer a canoe through rocks and bring enough coins.", ]]
  .. [["causes": ["wrecked", "too few coins"], "params": []]
  .. [[{"name": "speed", "low": 0.8, "high": 1.8, "default": 1.1, "unit": "rows/s", "scale": "log"}, ]]
  .. [[{"name": "sight", "low": 0.6, "high": 1.0, "default": 0.8, "unit": "row", "harder": "low"}, ]]
  .. [[{"name": "hull", "low": 4, "high": 8, "default": 7, "harder": "low", "scale": "integer"}, ]]
  .. [[{"name": "toll", "low": 10, "high": 20, "default": 15, "scale": "integer"}, ]]
  .. [[{"name": "water", "default": "rocky", "scale": "choice", "choices": ["calm", "rocky", "white"]}]}]]

-- The generator sfc32, seeded with 64 bits that came as text: two words of 32 bits, digit by digit.
local function dice_of(text)
  local high, low = 0, 0
  for digit in text:gmatch("%d") do
    low = low * 10 + tonumber(digit)
    high = (high * 10 + (low >> 32)) & WORD
    low = low & WORD
  end
  local a, b, c, turn = low, high, 0x9E3779B9, 1
  local function word()
    local drawn = (a + b + turn) & WORD
    turn = (turn + 1) & WORD
    a = b ~ (b >> 9)
    b = (c + (c << 3)) & WORD
    c = ((((c << 21) & WORD) | (c >> 11)) + drawn) & WORD
    return drawn
  end
  for _ = 1, 12 do word() end
  return word
end

local function layout(word, water)
  local coins, rocks = {}, {}
  for i = 0, ROWS - 1 do
    local coin, many = word() % LANES, word() / 4294967296
    local first = (coin + 1 + word() % 2) % LANES
    rocks[i] = { [0] = 0, 0, 0 }
    if water > 0 or many < 0.5 then rocks[i][first] = 1 end
    if water == 2 and many < 0.5 then rocks[i][LANES - coin - first] = 1 end
    coins[i] = coin
  end
  return coins, rocks
end

local function play(asked)
  local function number(key) return tonumber(asked:match('"' .. key .. '":(-?[%d%.eE+-]+)')) end
  local function text(key) return asked:match('"' .. key .. '":"([^"]*)"') end
  local coins, rocks = layout(dice_of(text("level_seed")), WATERS[text("water")])
  local word = dice_of(text("seed"))
  local function uniform() return word() / 4294967296 end
  local sight = number("sight") * math.min(number("foresight"), 1)
  local lapse, slip, tail_s = number("lapse"), number("slip"), number("reaction_tail_s")
  local reaction_s, reaction_sd_s = number("reaction_s"), number("reaction_sd_s")
  local speed, toll, hull = number("speed"), number("toll"), math.floor(number("hull"))
  local lane, way, won, ticks = 1.0, 0.0, 0, 0
  local wanted, hands, coming, due = 0, 0, 0, 0 -- 0 drifts, 1 to 3 steer for a lane
  while hull > 0 and way < ROWS and ticks < MOST_TICKS do
    local row = math.floor(way)
    local wish = row + 1 - way <= sight and coins[row] + 1 or 0
    if wish ~= wanted then -- a change of mind: the hands are late, slip, or do not follow
      wanted, coming = wish, wish
      local err, other, tail = uniform(), word() % 3, uniform()
      if err < lapse then
        coming = hands
      elseif err < lapse + slip then
        coming = (wish + 1 + other) % 4
      end
      local late = reaction_s + reaction_sd_s * (2 * uniform() - 1)
      due = ticks + math.floor((late + tail_s * 3 * tail * tail) / TICK_S + 0.5)
    end
    if ticks >= due then hands = coming end
    if hands > 0 then lane = lane + math.min(math.max(hands - 1 - lane, -REACH), REACH) end
    way = way + speed * TICK_S
    if math.floor(way) > row then
      local at = math.floor(lane + 0.5)
      hull = hull - rocks[row][at]
      if coins[row] == at then won = won + 1 end
    end
    ticks = ticks + 1
  end
  local passed = math.min((hull > 0 and way or way - 1) / ROWS, 1)
  local progress, outcome = 0.5 * passed + 0.5 * math.min(won / toll, 1), '"won"'
  if hull <= 0 then
    outcome = '"lost", "cause": "wrecked"'
  elseif way < ROWS then
    outcome = '"timed_out"'
  elseif won < toll then
    outcome = '"lost", "cause": "too few coins"'
  else
    progress = 1
  end
  local form = '{"id": %d, "outcome": %s, "progress": %.17g, "ticks": %d, "seconds": %.17g, "check": "%x"}'
  return form:format(number("id"), outcome, progress, ticks, ticks * TICK_S, won * 256 + hull)
end

for line in io.lines() do
  if line:find('"play"', 1, true) then
    local played = {}
    for asked in line:gmatch('{"id":.-"player":%b{}}') do played[#played + 1] = play(asked) end
    io.write('{"played": [', table.concat(played, ", "), "]}\n")
  else
    io.write(HANDSHAKE, "\n")
  end
  io.flush()
end
