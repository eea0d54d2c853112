/* Coin River as a game of its own, in C: it plays whole attempts that Flowdial asks for, one line at a time.

     cc -O2 -ffp-contract=off -o river river.c
     flowdial connect add river -- ./river
     flowdial connect check river

   The rules are those of ../coin_river.py. The bot below stands for yours: it is late, errs and overlooks as the player
   that it is told to be. docs/protocol.md explains every key of a line. Without -ffp-contract=off a compiler may fuse a
   product and a sum, and another machine gives other digits. A reader of JSON of your own can replace the few lines here,
   which look for keys by name. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_S (1.0 / 30.0)
#define ROWS 24
#define LANES 3
#define REACH (5.0 * TICK_S) /* lanes in a tick that the canoe is steered */
#define MOST_TICKS 1800

static const char *HANDSHAKE =
    "{\"flowdial\": 1, \"name\": \"Coin River\", \"version\": 1, \"deterministic\": true, \"batch\": 256, "
    "\"summary\": \"Steer a canoe through rocks and bring enough coins.\", "
    "\"causes\": [\"wrecked\", \"too few coins\"], \"params\": ["
    "{\"name\": \"speed\", \"low\": 0.8, \"high\": 1.8, \"default\": 1.1, \"unit\": \"rows/s\", \"scale\": \"log\"}, "
    "{\"name\": \"sight\", \"low\": 0.6, \"high\": 1.0, \"default\": 0.8, \"unit\": \"row\", \"harder\": \"low\"}, "
    "{\"name\": \"hull\", \"low\": 4, \"high\": 8, \"default\": 7, \"harder\": \"low\", \"scale\": \"integer\"}, "
    "{\"name\": \"toll\", \"low\": 10, \"high\": 20, \"default\": 15, \"scale\": \"integer\"}, "
    "{\"name\": \"water\", \"default\": \"rocky\", \"scale\": \"choice\", \"choices\": [\"calm\", \"rocky\", \"white\"]}]}";

/* The generator sfc32, seeded with 64 bits that came as text. */
typedef struct { uint32_t a, b, c, turn; } Dice;

static uint32_t word(Dice *dice) {
    uint32_t drawn = dice->a + dice->b + dice->turn++;
    dice->a = dice->b ^ (dice->b >> 9);
    dice->b = dice->c + (dice->c << 3);
    dice->c = ((dice->c << 21) | (dice->c >> 11)) + drawn;
    return drawn;
}

static double uniform(Dice *dice) { return word(dice) / 4294967296.0; }

static Dice seeded(const char *text) {
    uint64_t seed = strtoull(text, NULL, 10);
    Dice dice = {(uint32_t)seed, (uint32_t)(seed >> 32), 0x9e3779b9u, 1};
    for (int i = 0; i < 12; i++) word(&dice);
    return dice;
}

/* What stands after a key, from some place of a line on; a text without its first quote. */
static const char *after(const char *from, const char *key) {
    const char *found = strstr(from, key);
    if (!found) { fprintf(stderr, "no %s in a line\n", key); exit(1); }
    found += strlen(key);
    return *found == '"' ? found + 1 : found;
}

static double number(const char *from, const char *key) { return strtod(after(from, key), NULL); }
static double least(double a, double b) { return b < a ? b : a; }

static void play(const char *asked) {
    double speed = number(asked, "\"speed\":"), sight = number(asked, "\"sight\":");
    int hull = (int)number(asked, "\"hull\":"), toll = (int)number(asked, "\"toll\":");
    char first_letter = *after(asked, "\"water\":");
    int water = first_letter == 'c' ? 0 : first_letter == 'r' ? 1 : 2;
    double reaction_s = number(asked, "\"reaction_s\":"), reaction_sd_s = number(asked, "\"reaction_sd_s\":");
    double tail_s = number(asked, "\"reaction_tail_s\":"), slip = number(asked, "\"slip\":");
    double lapse = number(asked, "\"lapse\":");
    int coins[ROWS], rocks[ROWS][LANES] = {{0}};
    Dice dice = seeded(after(asked, "\"level_seed\":"));
    for (int i = 0; i < ROWS; i++) {
        int coin = (int)(word(&dice) % LANES);
        double many = uniform(&dice);
        int first = (coin + 1 + (int)(word(&dice) % 2)) % LANES;
        if (water > 0 || many < 0.5) rocks[i][first] = 1;
        if (water == 2 && many < 0.5) rocks[i][LANES - coin - first] = 1;
        coins[i] = coin;
    }
    dice = seeded(after(asked, "\"seed\":"));
    sight *= least(number(asked, "\"foresight\":"), 1.0);
    double lane = 1.0, way = 0.0;
    int won = 0, ticks = 0, wanted = 0, hands = 0, coming = 0, due = 0; /* 0 drifts, 1 to 3 steer for a lane */
    while (hull > 0 && way < ROWS && ticks < MOST_TICKS) {
        int row = (int)way, wish = row + 1 - way <= sight ? coins[row] + 1 : 0;
        if (wish != wanted) { /* a change of mind: the hands are late, slip, or do not follow */
            wanted = coming = wish;
            double error = uniform(&dice);
            int other = (int)(word(&dice) % 3);
            double tail = uniform(&dice);
            if (error < lapse) coming = hands;
            else if (error < lapse + slip) coming = (wish + 1 + other) % 4;
            double late = reaction_s + reaction_sd_s * (2 * uniform(&dice) - 1);
            due = ticks + (int)((late + tail_s * 3 * tail * tail) / TICK_S + 0.5);
        }
        if (ticks >= due) hands = coming;
        if (hands > 0) {
            double step = hands - 1 - lane;
            lane += least(step > -REACH ? step : -REACH, REACH);
        }
        way += speed * TICK_S;
        if ((int)way > row) {
            int at = (int)(lane + 0.5);
            hull -= rocks[row][at];
            won += coins[row] == at;
        }
        ticks++;
    }
    double passed = least((hull > 0 ? way : way - 1) / ROWS, 1.0);
    double progress = 0.5 * passed + 0.5 * least((double)won / toll, 1.0);
    const char *outcome = "\"won\"";
    if (hull <= 0) outcome = "\"lost\", \"cause\": \"wrecked\"";
    else if (way < ROWS) outcome = "\"timed_out\"";
    else if (won < toll) outcome = "\"lost\", \"cause\": \"too few coins\"";
    else progress = 1.0;
    printf("{\"id\": %ld, \"outcome\": %s, \"progress\": %.17g, \"ticks\": %d, \"seconds\": %.17g, \"check\": \"%x\"}",
           strtol(after(asked, "\"id\":"), NULL, 10), outcome, progress, ticks, ticks * TICK_S, won * 256 + hull);
}

int main(void) {
    static char line[1 << 20]; /* 256 attempts take less than a sixth of it */
    while (fgets(line, sizeof line, stdin)) {
        if (!strstr(line, "\"play\"")) {
            puts(HANDSHAKE);
        } else {
            const char *asked = line;
            printf("{\"played\": [");
            for (int i = 0; (asked = strstr(asked, "{\"id\":")); i++, asked++) {
                if (i) printf(", ");
                play(asked);
            }
            puts("]}");
        }
        fflush(stdout);
    }
    return 0;
}
