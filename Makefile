# Flowdial on Linux and macOS. Only Python 3.11 or newer is needed; everything else goes into $(VENV).
# Another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

PY := $(VENV)/bin/python
# Two sets of packages: what running needs, and with it the tools of development.
TO_RUN := $(VENV)/.flowdial-installed
TO_DEVELOP := $(VENV)/.flowdial-dev-installed
TO_TEST_EXTRAS := $(VENV)/.flowdial-extras-installed
INSTALL := "$(PY)" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
# The interpreter itself decides; a version number is hard to compare in a shell.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
NAME_ONE := install one, or name one that you have: make PYTHON=python3.12

# Byte code is kept: otherwise hundreds of processes would compile the same files again.
PYTEST := PYTHONDONTWRITEBYTECODE= "$(PY)" -m pytest --quiet --numprocesses auto --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all test-extras fuzz mutants torture coverage lint format types bench bench-controllers bench-comparison \
  bench-tuning torture-tune calibration truth flaws pictures wheel-check clean

help:
	@echo "make demo         set up and run the quickstart: from a scenario file to a verdict, rows and a report"
	@echo "make test         prove the product in minutes (one file: make test ARGS=tests/sims/cli/test_shadowed_packages.py)"
	@echo "make test-all     run the thorough tests too: all but the slow ones"
	@echo "make test-extras  install the extras mcp, ray, rl, search and tracking, and test them"
	@echo "make fuzz         read 19,000 wrong scenarios: none may be accepted, hang or crash"
	@echo "make mutants      read 2,000 strange folders of runs, studies and sweeps: none may crash or hang"
	@echo "make torture      kill runs at random moments and compare what is left"
	@echo "make coverage     run all tests and measure what they reach in the modules that read, write and resume"
	@echo "make lint         check style and layout of the code"
	@echo "make format       put the layout right"
	@echo "make types        check the types"
	@echo "make bench        measure speed and memory, printed as ratios of one run"
	@echo "make bench-controllers  measure what each rule costs per attempt"
	@echo "make bench-comparison   measure how much variance the pairing of players saves"
	@echo "make bench-tuning     measure how near to the truth each method of search comes"
	@echo "make torture-tune kill studies at random moments and compare what is left"
	@echo "make calibration  measure how often intervals hold and false alarms are raised"
	@echo "make truth        compare what controllers are judged by with fresh attempts"
	@echo "make flaws        plant flaws in games and scenarios, and count which of them the checks name"
	@echo "make pictures     repaint the pictures of the docs"
	@echo "make wheel-check  build the wheel, install it in an empty environment and use it outside this folder"
	@echo "make setup        only set up $(VENV), with the tools of development"
	@echo "make clean        remove caches and build results; $(VENV) and runs stay"

setup: $(TO_DEVELOP)
	@echo "Flowdial is set up in $(VENV)."

# pip is asked for, not just the folder: other tools make environments without it, as does a set-up that was stopped.
$(TO_RUN): pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	  echo "Flowdial needs Python 3.11 or newer, but there is no '$(PYTHON)'; $(NAME_ONE)" >&2; exit 1; }
	@"$(PYTHON)" -c "$(NEW_ENOUGH)" || { \
	  echo "Flowdial needs Python 3.11 or newer, but '$(PYTHON)' is older; $(NAME_ONE)" >&2; exit 1; }
	@"$(PY)" -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv "$(VENV)" >/dev/null 2>&1 || { \
	  echo "'$(PYTHON)' could not make a virtual environment in $(VENV); install its venv module" \
	    "(on Debian and Ubuntu: python3-venv) and try again." >&2; exit 1; }
	@"$(PY)" -c "$(NEW_ENOUGH)" || { \
	  echo "Flowdial needs Python 3.11 or newer, but the one in $(VENV) is older; remove $(VENV) and try again." >&2; \
	  exit 1; }
	@echo "Installing Flowdial and what it needs into $(VENV) (once; about 0.9 GB, a few minutes) ..."
	@$(INSTALL) .
	@touch "$@"

$(TO_DEVELOP): $(TO_RUN)
	@echo "Installing the tools of development into $(VENV) (once; about 0.3 GB) ..."
	@$(INSTALL) ".[dev]"
	@touch "$@"

demo: $(TO_RUN)
	@echo "flowdial run quickstart $(ARGS)"
	@"$(PY)" -m sims run quickstart $(ARGS)

test: $(TO_DEVELOP)
	@echo "Running the tests ..."
	@$(PYTEST) -m "not slow and not thorough and not extras" $(ARGS)

test-all: $(TO_DEVELOP)
	@echo "Running the tests, the thorough ones too (about a quarter of an hour) ..."
	@$(PYTEST) -m "not slow and not extras" $(ARGS)

$(TO_TEST_EXTRAS): $(TO_DEVELOP)
	@echo "Installing the extras into $(VENV) (once; about 0.5 GB) ..."
	@$(INSTALL) ".[mcp,rl,search,ray,tracking]"
	@touch "$@"

test-extras: $(TO_TEST_EXTRAS)
	@echo "Running the tests of the extras (some minutes) ..."
	@PYTHONDONTWRITEBYTECODE= "$(PY)" -m pytest --quiet -m extras $(ARGS)

fuzz: $(TO_DEVELOP)
	@echo "Reading 19,000 wrong scenarios (some minutes) ..."
	@"$(PY)" -m pytest --quiet -m slow tests/engine/test_scenario_fuzz.py $(ARGS)

mutants: $(TO_DEVELOP)
	@echo "Reading 2,000 strange folders of runs, studies and sweeps (about an hour) ..."
	@"$(PY)" -m pytest --quiet -m slow tests/sims/run_folder/test_folder_mutants.py $(ARGS)

torture: $(TO_DEVELOP)
	@echo "Killing runs at random moments (about a quarter of an hour) ..."
	@"$(PY)" -m benchmarks.torture run $(ARGS)

coverage: $(TO_DEVELOP)
	@echo "Running the tests and measuring what they reach (some minutes) ..."
	@"$(PY)" -m coverage erase
	@"$(PY)" -m coverage run -m pytest --quiet $(ARGS)
	@"$(PY)" -m coverage combine --quiet
	@"$(PY)" -m coverage report

lint: $(TO_DEVELOP)
	@echo "Checking style and layout ..."
	@"$(PY)" -m ruff check --quiet .
	@"$(PY)" -m ruff format --quiet --check .

format: $(TO_DEVELOP)
	@"$(PY)" -m ruff check --quiet --fix .
	@"$(PY)" -m ruff format --quiet .

types: $(TO_DEVELOP)
	@echo "Checking types ..."
	@"$(PY)" -m mypy

bench: $(TO_DEVELOP)
	@echo "Measuring (leave the machine alone meanwhile) ..."
	@"$(PY)" -m benchmarks $(ARGS)

bench-controllers: $(TO_DEVELOP)
	@"$(PY)" -m benchmarks.controllers $(ARGS)

bench-comparison: $(TO_DEVELOP)
	@echo "Comparing scenarios (some minutes) ..."
	@"$(PY)" -m benchmarks.comparison $(ARGS)

calibration: $(TO_DEVELOP)
	@echo "Repeating experiments whose truth is known (some minutes) ..."
	@"$(PY)" -m benchmarks.calibration $(ARGS)
	@"$(PY)" -m benchmarks.controller_intervals $(ARGS)

truth: $(TO_DEVELOP)
	@echo "Playing again what controllers are judged by (many minutes) ..."
	@"$(PY)" -m benchmarks.truth $(ARGS)

flaws: $(TO_DEVELOP)
	@echo "Planting flaws, and looking for them (two minutes) ..."
	@"$(PY)" -m benchmarks.flaws $(ARGS)

bench-tuning: $(TO_DEVELOP)
	@"$(PY)" -m benchmarks.tuning $(ARGS)

torture-tune: $(TO_DEVELOP)
	@echo "Killing studies at random moments (about a quarter of an hour) ..."
	@"$(PY)" -m benchmarks.torture tune $(ARGS)

pictures: $(TO_DEVELOP)
	@echo "Painting docs/pictures ..."
	@"$(PY)" -m docs.paint_pictures

wheel-check: $(TO_DEVELOP)
	@PYTHON="$(PY)" .ci/wheel_check

clean:
	@echo "Removing caches and build results ..."
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -path "./$(VENV)" -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
