# Coin River as a game of its own, in GDScript (Godot 4): it plays whole attempts that Flowdial asks for, line by line.
# Not run by us: there was no Godot 4 where the other clients were tried.
#
#     flowdial connect add river --tcp -- godot --headless --script river.gd
#     flowdial connect check river
#
# The rules are those of ../coin_river.py. The bot below stands for yours: it is late, errs and overlooks as the player
# that it is told to be. docs/protocol.md explains every key of a line. Godot prints to stdout, so it talks through a port.
extends SceneTree

const TICK_S := 1.0 / 30.0
const ROWS := 24
const LANES := 3
const REACH := 5.0 * TICK_S  # lanes in a tick that the canoe is steered
const MOST_TICKS := 1800
const WORD := 0xFFFFFFFF
const WATERS := ["calm", "rocky", "white"]
const HANDSHAKE := {
	"flowdial": 1,
	"name": "Coin River",
	"version": 1,
	"summary": "Steer a canoe through rocks and bring enough coins.",
	"params": [
		{"name": "speed", "low": 0.8, "high": 1.8, "default": 1.1, "unit": "rows/s", "scale": "log"},
		{"name": "sight", "low": 0.6, "high": 1.0, "default": 0.8, "unit": "row", "harder": "low"},
		{"name": "hull", "low": 4, "high": 8, "default": 7, "harder": "low", "scale": "integer"},
		{"name": "toll", "low": 10, "high": 20, "default": 15, "scale": "integer"},
		{"name": "water", "default": "rocky", "scale": "choice", "choices": WATERS},
	],
	"causes": ["wrecked", "too few coins"],
	"deterministic": true,
	"batch": 256,
}


# The generator sfc32, seeded with 64 bits that came as text: two words of 32 bits, digit by digit.
class Dice:
	var a := 0
	var b := 0
	var c := 0x9E3779B9
	var turn := 1

	func _init(text: String) -> void:
		for digit in text:
			a = a * 10 + int(digit)
			b = (b * 10 + (a >> 32)) & WORD
			a = a & WORD
		for i in 12:
			word()

	func word() -> int:
		var drawn := (a + b + turn) & WORD
		turn = (turn + 1) & WORD
		a = b ^ (b >> 9)
		b = (c + (c << 3)) & WORD
		c = ((((c << 21) & WORD) | (c >> 11)) + drawn) & WORD
		return drawn

	func uniform() -> float:
		return word() / 4294967296.0


func play(asked: Dictionary) -> Dictionary:
	var params: Dictionary = asked["params"]
	var who: Dictionary = asked["player"]
	var water := WATERS.find(params["water"])
	var coins := []
	var rocks := []
	var dice := Dice.new(asked["level_seed"])
	for i in ROWS:
		var coin := dice.word() % LANES
		var many := dice.uniform()
		var first := (coin + 1 + dice.word() % 2) % LANES
		var line := [0, 0, 0]
		if water > 0 or many < 0.5:
			line[first] = 1
		if water == 2 and many < 0.5:
			line[LANES - coin - first] = 1
		coins.append(coin)
		rocks.append(line)
	dice = Dice.new(asked["seed"])
	var sight: float = params["sight"] * minf(who["foresight"], 1.0)
	var lane := 1.0
	var way := 0.0
	var hull := int(params["hull"])
	var won := 0
	var ticks := 0
	var wanted := 0  # 0 drifts, 1 to 3 steer for a lane
	var hands := 0
	var coming := 0
	var due := 0
	while hull > 0 and way < ROWS and ticks < MOST_TICKS:
		var row := int(way)
		var wish: int = coins[row] + 1 if row + 1 - way <= sight else 0
		if wish != wanted:  # a change of mind: the hands are late, slip, or do not follow
			wanted = wish
			coming = wish
			var error := dice.uniform()
			var other := dice.word() % 3
			var tail := dice.uniform()
			if error < who["lapse"]:
				coming = hands
			elif error < who["lapse"] + who["slip"]:
				coming = (wish + 1 + other) % 4
			var late: float = who["reaction_s"] + who["reaction_sd_s"] * (2 * dice.uniform() - 1)
			due = ticks + int((late + who["reaction_tail_s"] * 3 * tail * tail) / TICK_S + 0.5)
		if ticks >= due:
			hands = coming
		if hands > 0:
			lane += minf(maxf(hands - 1 - lane, -REACH), REACH)
		way += params["speed"] * TICK_S
		if int(way) > row:
			var at := int(lane + 0.5)
			hull -= rocks[row][at]
			won += 1 if coins[row] == at else 0
		ticks += 1
	var passed := minf((way if hull > 0 else way - 1.0) / ROWS, 1.0)
	var progress := 0.5 * passed + 0.5 * minf(won / float(params["toll"]), 1.0)
	var reply := {"id": int(asked["id"]), "ticks": ticks, "seconds": ticks * TICK_S, "progress": progress}
	reply["check"] = "%x" % (won * 256 + hull)
	if hull <= 0:
		reply.merge({"outcome": "lost", "cause": "wrecked"})
	elif way < ROWS:
		reply["outcome"] = "timed_out"
	elif won < params["toll"]:
		reply.merge({"outcome": "lost", "cause": "too few coins"})
	else:
		reply.merge({"outcome": "won", "progress": 1.0}, true)
	return reply


func _init() -> void:
	var channel := StreamPeerTCP.new()
	channel.connect_to_host("127.0.0.1", int(OS.get_environment("FLOWDIAL_PORT")))
	var heard := PackedByteArray()
	while channel.poll() == OK and channel.get_status() in [StreamPeerTCP.STATUS_CONNECTING, StreamPeerTCP.STATUS_CONNECTED]:
		var waiting := channel.get_available_bytes() if channel.get_status() == StreamPeerTCP.STATUS_CONNECTED else 0
		if waiting == 0:
			OS.delay_usec(50)
			continue
		heard.append_array(channel.get_data(waiting)[1])
		var end := heard.find(10)
		while end >= 0:
			var asked: Dictionary = JSON.parse_string(heard.slice(0, end).get_string_from_utf8())
			var said := {"played": asked["play"].map(play)} if asked.has("play") else HANDSHAKE
			channel.put_data((JSON.stringify(said, "", true, true) + "\n").to_utf8_buffer())
			heard = heard.slice(end + 1)
			end = heard.find(10)
	quit()
