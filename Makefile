# `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-slow test-embedded lint format lock bench clean clean-all

# For example: make run PORT=8001, make test ARGS="-n 4 tests/billing -k rounding"
PORT ?= 8000
ARGS ?= -n 2

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

lint: setup ## Check format, rules, types, migrations, settings, known vulnerabilities
	@bin/lint

format: setup ## Put the code into shape
	$(python) -m ruff format .
	$(python) -m ruff check --fix .

lock: setup ## Compile the pinned requirements from the .in files
	@bin/lock $(LOCK_ARGS)

bench: setup ## Measure
	$(python) -m bench

clean: ## Remove data and caches: var/ with all its documents goes too
	rm -rf var .mypy_cache .ruff_cache .pytest_cache .hypothesis htmlcov .coverage .coverage.*
	find . -name __pycache__ -not -path './.venv/*' -not -path './node_modules/*' \
		-prune -exec rm -rf {} +

clean-all: clean ## The same, and .venv and node_modules
	rm -rf .venv node_modules
