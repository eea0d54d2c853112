// Coin River as a game of its own, in C# (.NET 6 or newer): it plays whole attempts that Flowdial asks for, line by line.
// Not run by us: there was no .NET where the other clients were tried.
//
//     dotnet new console -o river && cp River.cs river/Program.cs && dotnet publish river -c Release -o out
//     flowdial connect add river -- out/river
//     flowdial connect check river
//
// The rules are those of ../coin_river.py. The bot below stands for yours: it is late, errs and overlooks as the player
// that it is told to be. docs/protocol.md explains every key of a line. Use double, and no FusedMultiplyAdd.

using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
static class River
{
    const double TickS = 1.0 / 30.0;
    const int Rows = 24, Lanes = 3, MostTicks = 1800;
    const double Reach = 5.0 * TickS; // lanes in a tick that the canoe is steered
    static readonly string[] Waters = { "calm", "rocky", "white" };

    static readonly object Handshake = new
    {
        flowdial = 1,
        name = "Coin River",
        version = 1,
        summary = "Steer a canoe through rocks and bring enough coins.",
        @params = new object[]
        {
            new { name = "speed", low = 0.8, high = 1.8, @default = 1.1, unit = "rows/s", scale = "log" },
            new { name = "sight", low = 0.6, high = 1.0, @default = 0.8, unit = "row", harder = "low" },
            new { name = "hull", low = 4, high = 8, @default = 7, harder = "low", scale = "integer" },
            new { name = "toll", low = 10, high = 20, @default = 15, scale = "integer" },
            new { name = "water", @default = "rocky", scale = "choice", choices = Waters },
        },
        causes = new[] { "wrecked", "too few coins" },
        deterministic = true,
        batch = 256,
    };

    // The generator sfc32, seeded with 64 bits that came as text.
    sealed class Dice
    {
        uint a, b, c = 0x9e3779b9, turn = 1;

        public Dice(string seed)
        {
            ulong whole = ulong.Parse(seed);
            a = (uint)whole;
            b = (uint)(whole >> 32);
            for (int i = 0; i < 12; i++) Word();
        }

        public uint Word()
        {
            unchecked
            {
                uint drawn = a + b + turn++;
                a = b ^ (b >> 9);
                b = c + (c << 3);
                c = ((c << 21) | (c >> 11)) + drawn;
                return drawn;
            }
        }

        public double Uniform() => Word() / 4294967296.0;
    }

    static Dictionary<string, object> Play(JsonElement asked)
    {
        JsonElement knobs = asked.GetProperty("params"), player = asked.GetProperty("player");
        double Knob(string key) => knobs.GetProperty(key).GetDouble();
        double Who(string key) => player.GetProperty(key).GetDouble();
        int water = Array.IndexOf(Waters, knobs.GetProperty("water").GetString());
        var coins = new int[Rows];
        var rocks = new int[Rows, Lanes];
        var dice = new Dice(asked.GetProperty("level_seed").GetString()!);
        for (int i = 0; i < Rows; i++)
        {
            int coin = (int)(dice.Word() % Lanes);
            double many = dice.Uniform();
            int first = (coin + 1 + (int)(dice.Word() % 2)) % Lanes;
            if (water > 0 || many < 0.5) rocks[i, first] = 1;
            if (water == 2 && many < 0.5) rocks[i, Lanes - coin - first] = 1;
            coins[i] = coin;
        }
        dice = new Dice(asked.GetProperty("seed").GetString()!);
        double sight = Knob("sight") * Math.Min(Who("foresight"), 1.0), lane = 1.0, way = 0.0;
        int hull = (int)Knob("hull"), toll = (int)Knob("toll"), won = 0, ticks = 0;
        int wanted = 0, hands = 0, coming = 0, due = 0; // 0 drifts, 1 to 3 steer for a lane
        while (hull > 0 && way < Rows && ticks < MostTicks)
        {
            int row = (int)way, wish = row + 1 - way <= sight ? coins[row] + 1 : 0;
            if (wish != wanted) // a change of mind: the hands are late, slip, or do not follow
            {
                wanted = coming = wish;
                double error = dice.Uniform();
                int other = (int)(dice.Word() % 3);
                double tail = dice.Uniform();
                if (error < Who("lapse")) coming = hands;
                else if (error < Who("lapse") + Who("slip")) coming = (wish + 1 + other) % 4;
                double late = Who("reaction_s") + Who("reaction_sd_s") * (2 * dice.Uniform() - 1);
                due = ticks + (int)((late + Who("reaction_tail_s") * 3 * tail * tail) / TickS + 0.5);
            }
            if (ticks >= due) hands = coming;
            if (hands > 0) lane += Math.Min(Math.Max(hands - 1 - lane, -Reach), Reach);
            way += Knob("speed") * TickS;
            if ((int)way > row)
            {
                int at = (int)(lane + 0.5);
                hull -= rocks[row, at];
                if (coins[row] == at) won++;
            }
            ticks++;
        }
        double passed = Math.Min((hull > 0 ? way : way - 1) / Rows, 1.0);
        bool lost = hull <= 0 || (way >= Rows && won < toll), stopped = hull > 0 && way < Rows;
        var reply = new Dictionary<string, object>
        {
            ["id"] = asked.GetProperty("id").GetInt64(),
            ["outcome"] = lost ? "lost" : stopped ? "timed_out" : "won",
            ["progress"] = lost || stopped ? 0.5 * passed + 0.5 * Math.Min((double)won / toll, 1.0) : 1.0,
            ["ticks"] = ticks,
            ["seconds"] = ticks * TickS,
            ["check"] = (won * 256 + hull).ToString("x"),
        };
        if (lost) reply["cause"] = hull <= 0 ? "wrecked" : "too few coins";
        return reply;
    }

    static void Main()
    {
        TextWriter replies = Console.Out;
        Console.SetOut(Console.Error); // what the game prints must not stand between the replies
        while (Console.In.ReadLine() is string line)
        {
            JsonElement asked = JsonDocument.Parse(line).RootElement;
            object said = Handshake;
            if (asked.TryGetProperty("play", out JsonElement play))
            {
                var played = new List<object>();
                foreach (JsonElement one in play.EnumerateArray()) played.Add(Play(one));
                said = new { played };
            }
            replies.WriteLine(JsonSerializer.Serialize(said));
            replies.Flush();
        }
    }
}
