@HEADER@
// One thread at a time.
using System;

// A player. Plain data: save it with the player's progress.
[Serializable]
public class DifficultyPlayer
{
    public int Group;
    public bool Played; // whether Difficulty is one that was asked for
    public double Difficulty;
    public double[] Numbers;
}

// What is known before an attempt.
public struct Situation
{
    public long Attempt; // attempts of this player so far
    public long Level; // from 1; 0 without levels
    public long Place; // attempts of this session so far
    public double Last; // 1 won, 0 lost; 1 before the first; -1 not known yet
    public long Session; // sessions before this one
    public long Day; // from 0
}

// The answer of Ask. Keep it until the attempt has ended.
public struct Play
{
    public double Difficulty, Target, Shift, Place;
    public double Last; // if the outcome before was not known then, set it when it is
}

// How an attempt ended.
public struct Outcome
{
    public double Won; // 0 or 1
    public double Progress, Score; // 0 to 1; without a score, the progress
    public double Weight; // 1; where players share a state, how many attempts these are the means of
}

public static class Difficulty
{
    // Guard rails. A game may change them at any time, from its settings or from a remote switch.
    public static double Floor = @FLOOR@; // lowest difficulty that is played, from 0 (easiest) to 1 (hardest)
    public static double Ceiling = @CEILING@; // highest
    public static double LargestStep = 1.0; // from one attempt of a player to the next
    public static bool Off = false; // true: everyone plays at Resting; outcomes are still learnt from
    public static double Resting = @RESTING@;

    // What the rule was prepared with, and the state of a player before the first attempt.
    public static double[] ConstantNumbers = new double[] {@CONSTANTS@};
    public static double[][] First = new double[][]
    {
@FIRST@
    };

    private class Group
    {
        public readonly string Name;
        public readonly double[] Targets, Shifts;
        public readonly @BOUNDS@ Bounds;
        public readonly int First;

        public Group(string name, double[] targets, double[] shifts, @BOUNDS@ bounds, int first)
        {
            Name = name;
            Targets = targets;
            Shifts = shifts;
            Bounds = bounds;
            First = first;
        }
    }

    private class KnobRow
    {
        public readonly string Name, Unit;
        public readonly bool Stepped;
        public readonly double[] Values;

        public KnobRow(string name, string unit, bool stepped, double[] values)
        {
            Name = name;
            Unit = unit;
            Stepped = stepped;
            Values = values;
        }
    }

    private static readonly Group[] Groups = new Group[]
    {
@GROUPS@
    };

    // The dial: the game's own numbers at @POINTS@ difficulties, 0 to 1 at equal steps.
    private static readonly KnobRow[] Knobs = new KnobRow[]
    {
@KNOBS@
    };

    // --- What a game calls

    // A player who has not played yet. unit: a number of the player's own.
    public static DifficultyPlayer NewPlayer(string group, double unit)
    {
        int number = Array.FindIndex(Groups, one => one.Name == group);
        if (number < 0) throw new ArgumentException("no player group is called " + group);
        var player = new DifficultyPlayer();
        player.Group = number;
        player.Numbers = (double[])First[Groups[number].First].Clone();
        @UNIT@
        return player;
    }

    // The difficulty of the next attempt.
    public static Play Ask(DifficultyPlayer player, Situation situation)
    {
        Group group = Groups[player.Group];
        long number = Min(Max(situation.Level - 1L, 0L), group.Targets.LongLength - 1L);
        var play = new Play();
        play.Target = group.Targets[number];
        play.Shift = group.Shifts[number];
        play.Place = (double)situation.Place;
        play.Last = situation.Last;
        var now = new @SITUATION@(play.Target, situation.Attempt, situation.Level, situation.Place, situation.Last,
            situation.Session, situation.Day);
        double asked = @ASK@(Constants(), UnpackState(player.Numbers), now) + play.Shift;
        if (Off || double.IsNaN(asked)) asked = Resting;
        if (player.Played)
        {
            if (asked > player.Difficulty + LargestStep) asked = player.Difficulty + LargestStep;
            if (asked < player.Difficulty - LargestStep) asked = player.Difficulty - LargestStep;
        }
        play.Difficulty = asked < Floor ? Floor : asked > Ceiling ? Ceiling : asked;
        player.Difficulty = play.Difficulty;
        player.Played = true;
        return play;
    }

    // Learn from an attempt, late or in time. Returns whether the outcome made sense.
    public static bool Tell(DifficultyPlayer player, Play play, Outcome outcome)
    {
        Group group = Groups[player.Group];
        if (!(IsShare(outcome.Won) && IsShare(outcome.Progress) && IsShare(outcome.Score) && outcome.Weight > 0.0))
        {
            return false;
        }
        var seen = new @OBSERVATION@(play.Difficulty - play.Shift, outcome.Won, outcome.Progress, outcome.Score,
            play.Target, play.Place, play.Last, outcome.Weight);
        @STATE@ state = @TELL@(Constants(), UnpackState(player.Numbers), seen);
        @LEARNED@
        PackState(state, player.Numbers);
        return true;
    }

    // A parameter of the game at a difficulty: exact at the points of the table, on straight lines between them; whole
    // numbers and choices are those of the nearest point.
    public static double Knob(string name, double difficulty)
    {
        KnobRow row = Array.Find(Knobs, one => one.Name == name);
        if (row == null) throw new ArgumentException("no parameter is called " + name);
        double place = Math.Min(Math.Max(difficulty, 0.0), 1.0) * (@POINTS@ - 1);
        int left = Math.Min((int)place, @POINTS@ - 2);
        double share = place - left, a = row.Values[left], b = row.Values[left + 1];
        if (row.Stepped) return share < 0.5 ? a : b;
        return a * (1.0 - share) + b * share;
    }

    private static bool IsShare(double x) { return x >= 0.0 && x <= 1.0; }

    // --- What Python brings and C# does not

    private static double Min(double a, double b) { return b < a ? b : a; }
    private static double Max(double a, double b) { return b > a ? b : a; }
    private static long Min(long a, long b) { return b < a ? b : a; }
    private static long Max(long a, long b) { return b > a ? b : a; }

    private static double FloorMod(double a, double b)
    {
        double rest = a % b;
        return rest != 0.0 && (rest < 0.0) != (b < 0.0) ? rest + b : rest;
    }

    private static double FloorDiv(double a, double b)
    {
        double rest = a % b, found = (a - rest) / b;
        if (rest != 0.0 && (rest < 0.0) != (b < 0.0)) found -= 1.0;
        double down = Math.Floor(found);
        return found - down > 0.5 ? down + 1.0 : down;
    }

    private static long FloorMod(long a, long b)
    {
        long rest = a % b;
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }

    private static long FloorDiv(long a, long b) { return (a - FloorMod(a, b)) / b; }

    private static double Scale(double x, long k) // x 2^k
    {
        while (k > 1000) { x *= BitConverter.Int64BitsToDouble(2023L << 52); k -= 1000; }
        while (k < -1000) { x *= BitConverter.Int64BitsToDouble(23L << 52); k += 1000; }
        return x * BitConverter.Int64BitsToDouble((1023L + k) << 52);
    }

    private static double Mantissa(double x) // x = mantissa 2^exponent, .5 <= |mantissa| < 1
    {
        if (x == 0.0 || double.IsInfinity(x) || double.IsNaN(x)) return x;
        if (Math.Abs(x) < 2.2250738585072014E-308) x *= 18446744073709551616.0;
        long bits = BitConverter.DoubleToInt64Bits(x);
        return BitConverter.Int64BitsToDouble((bits & unchecked((long)0x800FFFFFFFFFFFFF)) | 0x3FE0000000000000L);
    }

    private static long Exponent(double x)
    {
        if (x == 0.0 || double.IsInfinity(x) || double.IsNaN(x)) return 0;
        long less = 0;
        if (Math.Abs(x) < 2.2250738585072014E-308) { x *= 18446744073709551616.0; less = 64; }
        return ((BitConverter.DoubleToInt64Bits(x) >> 52) & 0x7FFL) - 1022L - less;
    }

    private static double[] Part(double[] numbers, int first, int count)
    {
        var made = new double[count];
        Array.Copy(numbers, first, made, 0, count);
        return made;
    }

    // --- The rule

    private static @OPTIONS@ Prepared;
    private static double[] PreparedOf;

    private static @OPTIONS@ Constants()
    {
        if (PreparedOf != ConstantNumbers)
        {
            Prepared = UnpackConstants(ConstantNumbers);
            PreparedOf = ConstantNumbers;
        }
        return Prepared;
    }

@MEMBERS@
}
