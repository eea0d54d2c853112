"""A tour of the Python surface, cell by cell: each `# %%` begins a cell of a notebook.

python docs/examples/first_run.py
"""

# %% A scenario, smaller than the bundled one

from sims import load_scenario, read_run, run, verify

scenario = load_scenario("quickstart", **{"players.count": 120})

# %% Play it: a verdict and a folder

result = run(scenario, workers=2)
print(result.verdict.text)

# %% Its tables are DataFrames

attempts = result.attempts(["cohort", "attempt", "won", "difficulty", "cause"])
print(attempts.groupby("cohort", observed=True)[["won", "difficulty"]].mean().round(3))

# %% Why do newcomers lose?

lost = attempts[(attempts["cohort"] == "newcomers") & ~attempts["won"]]
print(lost["cause"].value_counts(normalize=True).round(3))

# %% Any attempt can be played again, and its end is that of its row

played = result.row(17)
print(played, played.equal)

# %% Later, or elsewhere: open the folder, and check it

opened = read_run(result.folder)
print(opened)
print(verify(opened, rows=100))
