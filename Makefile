# `make conform` and `make test` set everything up first; nothing else has to be installed but Python and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# On few cores the spinning threads of several BLAS libraries slow each other down fifty-fold.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
# Bytecode is kept, whatever the environment says: each of some hundred processes would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
# JAX compiles every operation of every case. A small program takes 27 ms without LLVM's optimisation, and 18 without the
# emitters that make a compiler of their own for each fusion; the tests of compilers take half as long. What measures
# digits has both, as have the example of sharded arrays and `unigrad conform` by itself. Here alone, where the release is
# pinned: flags of XLA's CPU compiler come and go, and one that it does not know ends the process.
conform conform-all test: export XLA_FLAGS ?= --xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false

.PHONY: conform conform-all conform-extra train test test-gpu test-oldest test-newest check bench bench-places bench-operations notebooks notebooks-html array-api-tests format clean help

help:
	@echo "make conform   every operation, program and hard point on every backend, compared with the reference: minutes"
	@echo "make conform-all  all further samples and dtypes as well"
	@echo "               SINCE=folder keeps results there, and does not run again what has not changed"
	@echo "make conform-extra  the everyday cases on MLX and PaddlePaddle, each in an environment of its own; ONLY='mlx'"
	@echo "make train     the same network trained on every backend, compared step by step"
	@echo "make test      formatter, linter, type checker and all tests"
	@echo "make test-gpu  what needs an NVIDIA GPU: marked tests, everyday cases, a benchmark; says so where there is none"
	@echo "make test-oldest  the everyday cases and the fast tests on the oldest releases that are promised"
	@echo "make test-newest  likewise on the newest that there are; ONLY='torch jax' for some; CUDA builds of several GB"
	@echo "make bench     speed and memory beside their limits"
	@echo "make bench-places [ROWS='memory speed dtensor']  arrays on several devices beside the frameworks' own"
	@echo "make bench-operations [BACKENDS='numpy torch'] [ROWS='sum mean']"
	@echo "               every operation recorded, beside the framework's own call, and the worst ten"
	@echo "make notebooks [BACKEND=torch] [NAMES='digits compiling']"
	@echo "               runs the notebooks, on NumPy or another backend"
	@echo "make notebooks-html  likewise, and pages with all outputs: build/notebooks/index.html"
	@echo "make array-api-tests CHECKOUT=path [BACKENDS='numpy torch'] [EXAMPLES=n]"
	@echo "               the standard's own suite (github.com/data-apis/array-api-tests) on every backend"
	@echo "make format    format the code"

# Bytecode for all that is installed would take 33 s of processor time; what is imported gets it then.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable '.[all,dev]'
	# Without its pins: MXNet asks for NumPy 1, and runs on NumPy 2 through the adapter's proxy.
	$(BIN)/pip install --quiet --no-compile --no-deps mxnet==1.9.1
	touch $(READY)

conform: $(READY)
	$(BIN)/unigrad conform --quick $(SINCE:%=--since %)

conform-all: $(READY)
	$(BIN)/unigrad conform $(SINCE:%=--since %)

# Backends that are in no other environment, under .releases.
conform-extra:
	$(PYTHON) conformance/releases.py extra $(ONLY:%=--only %)

train: $(READY)
	$(BIN)/unigrad conform --train

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# Each file in one process, since the largest share what they computed; those that take longest first (conftest.py).
test: check
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# With the frameworks that the environment has, built for CUDA: GPU_PYTHON=path to another environment's Python.
GPU_PYTHON ?= $(BIN)/python
test-gpu: $(READY)
	$(GPU_PYTHON) -m unigrad_conformance.gpu

# Each framework in an environment of its own, under .releases.
test-oldest test-newest:
	$(PYTHON) conformance/releases.py $(@:test-%=%) $(ONLY:%=--only %)

bench: $(READY)
	$(BIN)/python conformance/benchmarks/bench.py

# Memory and time of arrays in several places: 'memory', 'speed', 'dtensor', or all of them.
bench-places: $(READY)
	$(BIN)/python conformance/benchmarks/places.py $(ROWS)

# BACKENDS='numpy torch', ROWS='sum mean' or everyday.
bench-operations: $(READY)
	$(BIN)/python conformance/benchmarks/recorded.py $(BACKENDS) $(ROWS)

notebooks notebooks-html: $(READY)
	$(if $(BACKEND),UNIGRAD_BACKEND=$(BACKEND)) $(BIN)/python conformance/notebooks.py \
		$(if $(findstring html,$@),html,run) $(NAMES)

array-api-tests: $(READY)
	@test -n "$(CHECKOUT)" || { echo "CHECKOUT= must be a clone of github.com/data-apis/array-api-tests"; exit 2; }
	$(BIN)/pip install --quiet --constraint constraints.txt --requirement $(CHECKOUT)/requirements.txt
	$(BIN)/python -m unigrad_conformance.array_api $(CHECKOUT) \
		$(if $(BACKENDS),--backends $(BACKENDS)) $(if $(EXAMPLES),--examples $(EXAMPLES))

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python conformance/notebooks.py clear

clean:
	rm -rf $(VENV) .releases
