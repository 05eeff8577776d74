# The two commands are `make run` and `make test`; `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
# For trying out; hotline.env may say otherwise.
ifeq (,$(shell grep -s '^HOTLINE_BROWSER_PHONE=' hotline.env))
export HOTLINE_BROWSER_PHONE ?= 1
endif

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: .venv/run web/dist/index.html ## set up what is needed and run everything; Ctrl-C stops it
	@exec $(BIN)/hotline137 run

test: .venv/test web/dist/index.html ## install what the tests need and run them all
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: .venv/test web/node_modules/.done ## style, types, layers; the pages' too
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports
	@cd web && npm run --silent lint

format: .venv/test ## put the Python code into its one form
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: .venv/test web/dist/index.html ## measure; prints ratios
	@for b in bench/*.py; do PYTHONPATH=. $(BIN)/python $$b; done

faults: .venv/test web/dist/index.html ## 200 rounds in which parts are killed and cut at random (for the night)
	@PYTHONPATH=. $(BIN)/python bench/faults.py 200 $(SEED)

screenshots: .venv/test web/dist/index.html ## take the pictures of every page in docs/screenshots anew
	@PYTHONPATH=. $(BIN)/python -m tests.kit.screenshots

crowd: .venv/test web/dist/index.html ## a whole round of 40 citizens at 20 times speed (10 minutes)
	@CROWD_SPEED=20 $(BIN)/python -m pytest -p no:randomly -s tests/system/test_crowd.py -k 40_citizens

lock: .venv/test ## write the lists of exact versions anew
	@$(BIN)/python -m pip install -q uv
	@for extra in "" "-dev --all-extras"; do set -- $$extra; $(BIN)/uv pip compile -q --universal --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --generate-hashes --no-header pyproject.toml $$2 -o requirements$$1.lock; done

openapi: .venv/run ## write the API's document, from which the pages' types are made
	@$(BIN)/hotline137 openapi > web/openapi.json

clean: ## forget what was built (not the state folder)
	rm -rf .venv web/dist web/node_modules

.venv/run: requirements.lock pyproject.toml ops/setup.sh
	@ops/setup.sh run
	@echo "Python packages"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/test: requirements-dev.lock .venv/run
	@ops/setup.sh test
	@echo "Python packages for the tests"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

web/node_modules/.done: web/package-lock.json .venv/run
	@echo "packages of the pages"
	@cd web && npm ci --silent --no-audit --no-fund
	@touch $@

web/dist/index.html: web/node_modules/.done web/openapi.json $(shell find web/src web/index.html -type f 2>/dev/null)
	@echo "pages"
	@cd web && npm run --silent build
	@touch $@

.PHONY: help run test lint format bench faults crowd screenshots lock openapi clean
