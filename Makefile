# Flowdial on Linux and macOS. Only Python 3.11 or newer is needed; everything else goes into $(VENV).
# Another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

PY := $(VENV)/bin/python
STAMP := $(VENV)/.flowdial-installed
# The interpreter itself decides; a version number is hard to compare in a shell.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
NAME_ONE := install one, or name one that you have: make PYTHON=python3.12

.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz torture coverage lint format types bench bench-controllers bench-comparison \
  bench-tuning torture-tune calibration pictures wheel-check clean

help:
	@echo "make demo         set up and run the quickstart: from a scenario file to a verdict, rows and a report"
	@echo "make test         set up and run all tests (one of them: make test ARGS=tests/sims/cli/test_shadowed_packages.py)"
	@echo "make fuzz         read 19,000 wrong scenarios: none may be accepted, hang or crash"
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
	@echo "make pictures     paint the pictures of the docs anew"
	@echo "make wheel-check  build the wheel, install it in an empty environment and use it outside this folder"
	@echo "make setup        only set up $(VENV)"
	@echo "make clean        remove caches and build results; $(VENV) and runs stay"

setup: $(STAMP)
	@echo "Flowdial is set up in $(VENV)."

# pip is asked for, not just the folder: other tools make environments without it, as does a set-up that was stopped.
$(STAMP): pyproject.toml constraints.txt
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
	@echo "Installing Flowdial and what it needs into $(VENV) (once; about 1 GB, a few minutes) ..."
	@"$(PY)" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch "$@"

demo: $(STAMP)
	@echo "flowdial run quickstart $(ARGS)"
	@"$(PY)" -m sims run quickstart $(ARGS)

test: $(STAMP)
	@echo "Running the tests ..."
	@"$(PY)" -m pytest --quiet --numprocesses auto --dist loadfile $(ARGS)

fuzz: $(STAMP)
	@echo "Reading 19,000 wrong scenarios (some minutes) ..."
	@"$(PY)" -m pytest --quiet -m slow tests/engine/test_scenario_fuzz.py $(ARGS)

torture: $(STAMP)
	@echo "Killing runs at random moments (about a quarter of an hour) ..."
	@"$(PY)" -m benchmarks.torture run $(ARGS)

coverage: $(STAMP)
	@echo "Running the tests and measuring what they reach (some minutes) ..."
	@"$(PY)" -m coverage erase
	@"$(PY)" -m coverage run -m pytest --quiet $(ARGS)
	@"$(PY)" -m coverage combine --quiet
	@"$(PY)" -m coverage report

lint: $(STAMP)
	@echo "Checking style and layout ..."
	@"$(PY)" -m ruff check --quiet .
	@"$(PY)" -m ruff format --quiet --check .

format: $(STAMP)
	@"$(PY)" -m ruff check --quiet --fix .
	@"$(PY)" -m ruff format --quiet .

types: $(STAMP)
	@echo "Checking types ..."
	@"$(PY)" -m mypy

bench: $(STAMP)
	@echo "Measuring (leave the machine alone meanwhile) ..."
	@"$(PY)" -m benchmarks $(ARGS)

bench-controllers: $(STAMP)
	@"$(PY)" -m benchmarks.controllers $(ARGS)

bench-comparison: $(STAMP)
	@echo "Comparing scenarios (some minutes) ..."
	@"$(PY)" -m benchmarks.comparison $(ARGS)

calibration: $(STAMP)
	@echo "Repeating experiments whose truth is known (some minutes) ..."
	@"$(PY)" -m benchmarks.calibration $(ARGS)

bench-tuning: $(STAMP)
	@"$(PY)" -m benchmarks.tuning $(ARGS)

torture-tune: $(STAMP)
	@echo "Killing studies at random moments (about a quarter of an hour) ..."
	@"$(PY)" -m benchmarks.torture tune $(ARGS)

pictures: $(STAMP)
	@echo "Painting docs/pictures ..."
	@"$(PY)" -m docs.paint_pictures

wheel-check: $(STAMP)
	@PYTHON="$(PY)" .ci/wheel_check

clean:
	@echo "Removing caches and build results ..."
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -path "./$(VENV)" -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
