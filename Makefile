# Everything runs from one virtual environment below this folder; nothing is installed elsewhere.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEEPSPEED := data/peers/deepspeed
# What .venv was installed from is kept; make setup LOCK=requirements/gpu.lock changes it.
LOCKED := $(shell cat $(VENV)/lock 2> /dev/null)
LOCK := $(or $(LOCKED),requirements/cpu.lock)
# Published benchmarks, samples and trajectories, which tests and measurements read.
DATA ?= $(CURDIR)/../shared/data
export PUBLISHED_DATA = $(abspath $(DATA))
export DAGSTER_HOME ?= $(CURDIR)/data/dagster
export ITERPREF_ROOT ?= $(CURDIR)/data

.PHONY: help setup run ui faults test test-all test-deepspeed test-docker test-faults test-ray test-ui screenshots check \
	data docs bench experiment-quick lab-model lock clean other-lock

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/installed ## Create .venv and install the pinned packages

other-lock:

$(VENV)/installed: $(LOCK) pyproject.toml $(if $(filter $(LOCK),$(LOCKED)),,other-lock)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 12))' \
		|| { echo "iterpref: needs Python 3.11: make PYTHON=python3.11 run"; exit 1; }
	@command -v bwrap > /dev/null \
		|| { echo "iterpref: needs bubblewrap: apt-get install bubblewrap"; exit 1; }
	@$(PYTHON) -c 'import ctypes; ctypes.CDLL("libseccomp.so.2")' 2> /dev/null \
		|| { echo "iterpref: needs libseccomp: apt-get install libseccomp2"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2> /dev/null \
		|| { echo "iterpref: needs Python's venv module: apt-get install python3-venv"; exit 1; }
	@echo "Installing the pinned packages into $(VENV) (once, about two minutes) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@PYTHONUNBUFFERED=1 $(BIN)/pip install --no-deps --require-hashes -r $(LOCK) \
		| awk -v all=$$(grep -c '==' $(LOCK)) \
		'/^Collecting / && ++n % 20 == 0 { print "  " n " of " all " packages fetched"; fflush() } \
		/^Installing / { print "  unpacking " all " packages"; fflush() }'
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@echo $(LOCK) > $(VENV)/lock
	@touch $@

run: setup ## Materialize the whole chain and print the summary
	@$(BIN)/iterpref run

ui: setup ## Serve the Dagster UI on http://127.0.0.1:3000
	@$(BIN)/iterpref prepare
	@DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR=1 $(BIN)/dg dev --host 127.0.0.1

# Tests on live deployments mostly wait for Dagster's daemon, so they run beside the others.
test: setup ## Run every test but those of the browser, faults, Docker, Ray and DeepSpeed
	@mkdir -p data
	@$(BIN)/pytest tests/operations > data/operations.log 2>&1 & deployments=$$!; \
	trap "kill $$deployments 2> /dev/null || true" EXIT; trap "exit 130" INT; \
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/operations && others=0 || others=$$?; \
	wait $$deployments && failed=0 || failed=$$?; \
	cat data/operations.log; exit $$((others || failed))

test-faults: setup ## Break launches of every stage, and look at what is left (the short form)
	$(BIN)/pytest tests/faults -m faults -n 2 --dist loadfile --no-loadscope-reorder

faults: setup ## Break every stage in every way, many times, for docs/RELIABILITY.md (hours)
	@mkdir -p measurements/results/faults
	PYTHONPATH=tests/helpers $(BIN)/python -m faults data/faults \
		measurements/results/faults/injections.jsonl
	PYTHONPATH=tests/helpers $(BIN)/python -m faults.report

test-ui: setup ## Drive the UI in a headless browser (needs chromium)
	$(BIN)/pytest tests/ui -m ui

screenshots: setup ## The same, keeping what the browser shows in docs/images
	$(BIN)/pytest tests/ui -m ui --screenshots docs/images

test-docker: setup ## Run the tests that need a Docker engine, starting one where none runs
	@command -v docker > /dev/null && { docker info > /dev/null 2>&1 || command -v dockerd > /dev/null; } \
		|| { echo "iterpref: needs a Docker engine: apt-get install docker.io"; exit 1; }
	@docker compose version > /dev/null 2>&1 || command -v docker-compose > /dev/null \
		|| { echo "iterpref: needs compose: apt-get install docker-compose"; exit 1; }
	@command -v debootstrap > /dev/null \
		|| { echo "iterpref: needs debootstrap: apt-get install debootstrap"; exit 1; }
	$(BIN)/pytest -m docker tests/docker

test-all: setup $(VENV)/ray $(DEEPSPEED)/installed ## Run all of these, those of Docker and Ray beside the others
	@tests/all.sh

test-ray: setup $(VENV)/ray ## Run the tests that need a Ray cluster, starting one of two nodes
	$(BIN)/pytest tests/on_ray -m ray

$(VENV)/ray: requirements/ray.lock $(VENV)/installed
	$(BIN)/pip install --quiet --no-deps --require-hashes -r $<
	@touch $@

# On a CPU it compiles a part of its own, with the environment's ninja.
test-deepspeed: setup $(DEEPSPEED)/installed ## Train in two processes that DeepSpeed's ZeRO-3 shards
	PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=$(DEEPSPEED) $(BIN)/pytest -m deepspeed tests/core/training/test_zero3.py

# Beside the environment: libraries that find DeepSpeed in it behave differently.
$(DEEPSPEED)/installed: requirements/deepspeed.lock $(VENV)/installed
	DS_BUILD_OPS=0 $(BIN)/pip install --quiet --no-deps --require-hashes --no-build-isolation \
		--upgrade --target $(DEEPSPEED) -r $<
	@touch $@

check: setup ## Format, lint, types of core, operations and workers, definitions, commit subjects
	@# Of commits that are not upstream yet, whose subjects can still be amended.
	@! git rev-parse -q --verify '@{upstream}' > /dev/null 2>&1 \
		|| git log --no-merges --format=%s '@{upstream}..' | awk '/^[A-Za-z][A-Za-z0-9_ ,-]*: ./ && \
		length <= 72 { next } { bad = 1; print "not `scope: what changed` in 72 characters: " $$0 } \
		END { exit bad }'
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/dg check defs

data: ## Tell which published data are missing from DATA, and where each file comes from
	@$(PYTHON) measurements/published.py

docs: setup ## Write the pages that are made from the code and the recorded results
	$(BIN)/iterpref settings doc
	$(BIN)/iterpref settings formats
	$(BIN)/python measurements/render.py
	PYTHONPATH=tests/helpers $(BIN)/python -m faults.report
	$(BIN)/iterpref experiment render

bench: setup ## Measure against the peers (hours; results are printed)
	@$(PYTHON) measurements/published.py bench
	$(BIN)/python measurements/evalplus_speed.py humaneval --samples references \
		--data $(DATA)/benchmarks/HumanEvalPlus.jsonl.gz
	$(BIN)/python measurements/evalplus_speed.py mbpp --samples references \
		--data $(DATA)/benchmarks/MbppPlus.jsonl.gz
	$(BIN)/python measurements/evalplus_agreement.py
	$(BIN)/pip install --quiet --target data/peers/bigcodebench -r requirements/bigcodebench.txt
	$(BIN)/python measurements/references.py bigcodebench \
		--data $(DATA)/benchmarks/BigCodeBench-v0.1.4.jsonl.gz \
		--libraries data/peers/bigcodebench
	$(BIN)/python measurements/bigcodebench_agreement.py --references \
		--data $(DATA)/benchmarks/BigCodeBench-v0.1.4.jsonl.gz \
		--libraries data/peers/bigcodebench
	$(BIN)/pip install --quiet --no-deps --target data/peers/bigcodebench-harness \
		bigcodebench==0.2.5
	$(BIN)/python measurements/bigcodebench_speed.py --harness data/peers/bigcodebench-harness \
		--data $(DATA)/benchmarks/BigCodeBench-v0.1.4.jsonl.gz \
		--libraries data/peers/bigcodebench
	$(BIN)/python measurements/start_up.py --data $(DATA)/benchmarks/HumanEvalPlus.jsonl.gz
	$(BIN)/python measurements/sandbox_throughput.py --evalplus
	$(BIN)/python measurements/sandbox_under_load.py
	$(BIN)/python measurements/sandbox_endurance.py
	$(BIN)/python measurements/engine_throughput.py iterpref_assets/core/lab/pretrained
	$(BIN)/python measurements/debugging_continuous.py
	$(BIN)/python measurements/debugging_vllm.py iterpref_assets/core/lab/pretrained
	$(BIN)/python measurements/masks.py
	$(BIN)/python measurements/pair_scale.py --rows 60000 250000 1000000
	$(BIN)/pip install --quiet --no-deps --target data/peers/trl trl==1.16.0
	$(BIN)/python measurements/trainer_speed.py --parity
	$(BIN)/python measurements/trainer_speed.py
	PYTHONPATH=tests/helpers $(BIN)/python measurements/orchestration.py load
	PYTHONPATH=tests/helpers $(BIN)/python measurements/orchestration.py chain
	PYTHONPATH=tests/helpers $(BIN)/python measurements/orchestration.py backfill

# A root of its own keeps the grid apart from what `make run` makes.
experiment-quick: export ITERPREF_ROOT = $(CURDIR)/data/experiment
experiment-quick: setup ## The paper's headline on the lab's model, two seeds an arm
	$(BIN)/iterpref experiment run --seeds 2 --at-once 2 --settings examples/experiment/lab.toml
	$(BIN)/iterpref experiment export --out data/experiment/results/lab \
		--settings examples/experiment/lab.toml
	$(BIN)/iterpref experiment render --results data/experiment/results \
		--page data/experiment/EXPERIMENT.md

lab-model: setup ## Train the lab's base model anew (about five minutes)
	$(BIN)/python -m iterpref_assets.commands.lab_model \
		--out iterpref_assets/core/lab/pretrained

lock: setup ## Resolve the pinned packages anew (needs uv)
	requirements/lock.sh

clean: ## Remove data/ (artifacts, Dagster's history); keeps .venv
	rm -rf data
