# make demo   the whole road, with a played shop and a played QuickBooks   (ARGS=--once: one round, then end)
# make test   the tests                                                    (ARGS="-k doubt tests/flows")
# make money  random orders into a played Point of Sale, counted             (ORDERS=100000)
# make faults bad days: everything goes wrong on the way, and the books must be right after   (SEEDS=1000 ARGS="--wire --everything")
# make day    a day of stock between two shops and QuickBooks, with an oracle   (ARGS="--seed 7 --seeds 20 --small")
# make fuzz   mutated input for everything that is read from outside   (ARGS="--cases 3000 --what webhooks")
# make check  format, lint, types, migrations, import rules
# Each does all the set-up that it needs, once.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
# The first of these that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	"$$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	>/dev/null 2>&1 && { echo "$$name"; break; }; done)
ARGS ?=
ORDERS ?= 3000
SEEDS ?= 1000

.PHONY: setup demo test money fuzz check format bench-drain bench-webhooks bench-money bench-stock bench-by-hand day faults clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 (with venv) is needed and was not found. Install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@echo "Installing what qbwoo needs into $(VENV) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP)
	@$(BIN)/qbwoo demo $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest -n auto $(ARGS)

money: $(STAMP)
	$(BIN)/python -m tests.money.run --orders $(ORDERS) $(ARGS)

day: $(STAMP)
	$(BIN)/python -m tests.day.run $(ARGS)

fuzz: $(STAMP)
	$(BIN)/python -m tests.fuzz.run $(ARGS)

faults: $(STAMP)
	$(BIN)/python -m tests.faults.simulator --seeds $(SEEDS) $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/test_imports.py tests/migrations

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench-drain bench-webhooks bench-money bench-stock: bench-%: $(STAMP)
	$(BIN)/python -m bench.$* $(ARGS)

bench-by-hand: $(STAMP)
	$(BIN)/python -m bench.by_hand $(ARGS)

clean:
	rm -rf $(VENV) build dist var .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
