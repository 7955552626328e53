# Lead Desk. `make run` and `make test` need Python 3.11 or newer and nothing else; they set themselves up.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 4
QUIET := --quiet --disable-pip-version-check
# Nothing is installed whose content is not the one that was locked, and no code of a package runs to install it.
HASHED := --require-hashes --only-binary :all:

.DEFAULT_GOAL := help
.PHONY: help run dev test lint check format soak bench screenshots lock clean

help:  ## these lines
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

run: $(VENV)/.run  ## the desk on http://localhost:8501; without settings a demo with an AmoCRM of its own
	@$(BIN)/streamlit run dashboard.py

dev: $(VENV)/.dev  ## the same, started anew by Streamlit when a page changes
	@$(BIN)/streamlit run dashboard.py --server.fileWatcherType auto --client.showErrorDetails full

# Most tests wait for a socket, a process or a browser most of the time, so four at once keep two cores busy; what measures
# time has the machine for itself afterwards.
test: $(VENV)/.dev  ## every test; those that need chromium or PostgreSQL say so where it is missing
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not alone" && good=1; \
	$(BIN)/python -m pytest -m alone && test -n "$$good"

lint: $(VENV)/.dev  ## format, lint, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

check: lint test  ## all of `make lint` and `make test`

format: $(VENV)/.dev  ## put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

soak: $(VENV)/.dev  ## the long form of the slow suites
	@DESK_SOAK=1 HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest

bench: $(VENV)/.dev  ## the figures of docs/performance.md, measured anew
	@$(BIN)/python -m benchmarks

screenshots: $(VENV)/.dev  ## the README's pictures, taken from the running product
	@$(BIN)/python -m scripts.screenshots

lock: $(VENV)/bin/python  ## the whole tree of requirements*.txt with its hashes, for every system and Python from 3.11 on
	@$(BIN)/python -m pip install $(QUIET) uv==0.13.9
	@for kind in "" -dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-header requirements$$kind.txt --output-file requirements$$kind.lock; done

clean:  ## remove what the commands above have made, except data/
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Lead Desk needs Python 3.11 or newer. / Нужен Python 3.11 или новее."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/.run: requirements.lock | $(VENV)/bin/python
	@echo "Installing what Lead Desk runs on (once, about a minute)… / Устанавливаем (один раз, около минуты)…"
	@$(BIN)/python -m pip install $(QUIET) $(HASHED) -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "Installing what the tests need… / Устанавливаем то, что нужно тестам…"
	@$(BIN)/python -m pip install $(QUIET) $(HASHED) -r requirements-dev.lock
	@touch $@
