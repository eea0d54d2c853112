from tests.sims.verdict.test_audited_scenarios import *

for skill in ("-0.9", "-3.0"):
    t = AT_THE_EASY_END.replace("CONTROLLER", "kalman").replace("SKILL", skill)
    f, g = judged(t)
    r = f.rows[0]
    print(skill, r.win_rate, r.difficulty, r.easy_end_share, r.difficulty_swing, r.state)
