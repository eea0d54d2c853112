@HEADER@
extends RefCounted

# Guard rails. A game may change them at any time, from its settings or from a remote switch.
var floor_ = @FLOOR@[0] # lowest difficulty that is played, from 0 (easiest) to 1 (hardest)
var ceiling = @CEILING@[0] # highest
var largest_step = 1.0 # from one attempt of a player to the next
var off = false # true: everyone plays at `resting`; outcomes are still learnt from
var resting = @RESTING@[0]

# What the rule was prepared with, and the state of a player before the first attempt, as the bits of doubles.
var constant_numbers = @CONSTANTS@
var first = [
@FIRST@
]
var exact = @EXACT@ # constants of the formulas
var groups = [
@GROUPS@
]

# The dial: the game's own numbers at @POINTS@ difficulties, 0 to 1 at equal steps.
var knob_table = [
@KNOBS@
]
var _prepared = null
var _prepared_of = null


# A player who has not played yet. group: name of a player group; unit: a number of the player's own.
# The Dictionary is plain data: save it with the player's progress.
func new_player(group, unit = 0):
	var number = -1
	for i in range(groups.size()):
		if groups[i]["name"] == group:
			number = i
	assert(number >= 0, "no player group has this name")
	var numbers = first[groups[number]["first"]].duplicate()
@UNIT@
	return {"group": number, "difficulty": null, "numbers": numbers}


# The difficulty of the next attempt. situation: attempt (attempts of this player so far), level (from 1; 0 without
# levels), place (attempts of this session so far), last (1.0 won, 0.0 lost; 1.0 before the first; -1.0 not known yet),
# session and day (from 0). Keep the answer until the attempt has ended: `tell` needs it.
func ask(player, situation):
	var group = groups[player["group"]]
	var level = int(situation.get("level", 0))
	var number = min(max(level - 1, 0), group["targets"].size() - 1)
	var target = group["targets"][number]
	var shift = group["shifts"][number]
	var now = RSituation.new(
		target, int(situation["attempt"]), level, int(situation["place"]), float(situation["last"]),
		int(situation.get("session", 0)), int(situation.get("day", 0))
	)
	var asked = @ASK@(_constants(), _unpack_state(player["numbers"]), now) + shift
	if off or is_nan(asked):
		asked = resting
	if player["difficulty"] != null:
		if asked > player["difficulty"] + largest_step:
			asked = player["difficulty"] + largest_step
		if asked < player["difficulty"] - largest_step:
			asked = player["difficulty"] - largest_step
	if asked < floor_:
		asked = floor_
	elif asked > ceiling:
		asked = ceiling
	player["difficulty"] = asked
	return {
		"difficulty": asked, "target": target, "shift": shift, "place": float(situation["place"]),
		"last": float(situation["last"])
	}


# Learn from an attempt, late or in time. play: what `ask` answered; if the outcome before was not known then, set
# play["last"] when it is. outcome: won (0.0 or 1.0), progress and score (0 to 1; without a score, the progress), weight
# (1.0; where players share a state, how many attempts these are the means of). Returns whether the outcome made sense.
func tell(player, play, outcome):
	var group = groups[player["group"]]
	var won = float(outcome["won"])
	var progress = float(outcome.get("progress", won))
	var score = float(outcome.get("score", progress))
	var weight = float(outcome.get("weight", 1.0))
	for share in [won, progress, score]:
		if not (share >= 0.0 and share <= 1.0):
			return false
	if not weight > 0.0:
		return false
	var seen = RObservation.new(
		play["difficulty"] - play["shift"], won, progress, score, play["target"], play["place"], play["last"], weight
	)
	var state = @TELL@(_constants(), _unpack_state(player["numbers"]), seen)
	@LEARNED@
	_pack_state(state, player["numbers"])
	return true


# The game's own numbers at a difficulty: exact at the points of the table, on straight lines between them; whole
# numbers and choices are those of the nearest point.
func knobs(chosen):
	var place = min(max(float(chosen), 0.0), 1.0) * (@POINTS@ - 1)
	var left = min(int(place), @POINTS@ - 2)
	var share = place - left
	var found = {}
	for knob in knob_table:
		var a = knob["values"][left]
		var b = knob["values"][left + 1]
		if knob["stepped"]:
			found[knob["name"]] = a if share < 0.5 else b
		else:
			found[knob["name"]] = a * (1.0 - share) + b * share
	return found


# --- What Python brings and GDScript does not


static func _doubles(text):
	return Array(Marshalls.base64_to_raw(text).to_float64_array()) if text != "" else []


static func _bounds(numbers):
	return RBounds.new(numbers[0], numbers[1], numbers[2], numbers[3])


func _least(a, b):
	return b if b < a else a


func _most(a, b):
	return b if b > a else a


func _floor_mod(a, b):
	var rest = fmod(a, b)
	return rest + b if rest != 0.0 and (rest < 0.0) != (b < 0.0) else rest


func _floor_div(a, b):
	var rest = fmod(a, b)
	var found = (a - rest) / b
	if rest != 0.0 and (rest < 0.0) != (b < 0.0):
		found -= 1.0
	var down = floor(found)
	return down + 1.0 if found - down > 0.5 else down


func _power_of_two(k):
	var found = 1.0
	var factor = 2.0 if k > 0 else 0.5
	for _i in range(abs(k)):
		found *= factor
	return found


func _scale(x, k): # x 2^k, for what stays a normal number
	while k > 1000:
		x *= _power_of_two(1000)
		k -= 1000
	while k < -1000:
		x *= _power_of_two(-1000)
		k += 1000
	return x * _power_of_two(k)


func _halves(x): # x = mantissa 2^exponent, .5 <= |mantissa| < 1
	if x == 0.0 or is_nan(x) or is_inf(x):
		return [x, 0]
	var exponent = 0
	while abs(x) >= 1.0:
		x *= 0.5
		exponent += 1
	while abs(x) < 0.5:
		x *= 2.0
		exponent -= 1
	return [x, exponent]


func _zeros(count):
	var made = []
	made.resize(count)
	made.fill(0.0)
	return made


# --- The rule


@RECORDS@


@PHILOX@@FUNCTIONS@


@LAYOUTS@


func _constants():
	if not is_same(_prepared_of, constant_numbers):
		_prepared = _unpack_constants(constant_numbers)
		_prepared_of = constant_numbers
	return _prepared
