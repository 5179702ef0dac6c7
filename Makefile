# `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-slow test-embedded test-orders coverage mutation lint format lock bench bench-quick bench-scale load soak chaos clean clean-all

# For example: make run PORT=8001, make test ARGS="-n 4 tests/billing -k rounding"
PORT ?= 8000
ARGS ?= -n 2
ROUNDS ?= 10
MINUTES ?= 30
SEED ?= 1
DOCS ?= 5000
FAULTS ?= 200

python := .venv/bin/python

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

setup: ## Install what is missing (safe to repeat)
	@bin/setup

demo: setup ## Fill a demo company and show documents being made
	@$(python) manage.py demo

run: setup ## Run web, dispatcher and workers at http://127.0.0.1:8000
	@$(python) manage.py serve --port $(PORT)

test: ## Run the tests on PostgreSQL
	@bin/setup --test
	$(python) -m pytest $(ARGS)

test-slow: ## Run what takes minutes: a file of half a million lines
	@bin/setup --test
	$(python) -m pytest -m slow

test-embedded: ## Run the tests on SQLite
	@bin/setup --test
	PRESSROOM_TEST_EMBEDDED=1 $(python) -m pytest $(ARGS)

test-orders: ## Run the tests ROUNDS=10 times, each in an order of its own
	@bin/setup --test
	set -e; for round in $$(seq $(ROUNDS)); do \
		echo "== round $$round of $(ROUNDS)"; $(python) -m pytest -p randomly $(ARGS); \
	done

coverage: ## Run the tests under coverage; fails under 95 % of the branches of an app
	@bin/setup --test
	$(python) -m coverage erase
	$(python) -m coverage run -m pytest $(ARGS)
	$(python) bin/branches

mutation: ## Change the code that counts, one place at a time: the tests must notice (long)
	@bin/setup --test
	nice -n 15 $(python) bin/mutation run
	$(python) bin/mutation unexplained

lint: setup ## Check format, rules, types, migrations, settings, known vulnerabilities
	@bin/lint

format: setup ## Put the code into shape
	$(python) -m ruff format .
	$(python) -m ruff check --fix .

lock: setup ## Compile the pinned requirements from the .in files
	@bin/lock $(LOCK_ARGS)

bench: ## Measure: seven questions, about ten minutes
	@bin/setup --bench
	$(python) -m bench

bench-quick: ## The same in about two minutes, with figures to match
	@bin/setup --bench
	$(python) -m bench --size quick

bench-scale: ## The same at a million invoices; hours
	@bin/setup --bench
	$(python) -m bench --size scale

load: setup ## Put ever more people to work, until pages become slow (about eight minutes)
	$(python) -m bench.load

soak: setup ## Keep people at work for MINUTES=30 and see whether anything grows
	$(python) -m bench.load.soak --minutes $(MINUTES)

chaos: setup ## Break every part, SEED=1 DOCS=5000 FAULTS=200, and read the books
	@bin/setup --test
	$(python) -m chaos --seed $(SEED) --docs $(DOCS) --faults $(FAULTS) $(CHAOS_ARGS)

clean: ## Remove data and caches: var/ with all its documents goes too
	rm -rf var .mypy_cache .ruff_cache .pytest_cache .hypothesis htmlcov mutants .coverage .coverage.*
	find . -name __pycache__ -not -path './.venv/*' -not -path './node_modules/*' \
		-prune -exec rm -rf {} +

clean-all: clean ## The same, and .venv and node_modules
	rm -rf .venv node_modules
