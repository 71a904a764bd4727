# One command each, the same for a person and for CI. `make help` lists them.
PYTHON := .venv/bin/python
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.PHONY: help install demo down test check contract bench lock

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.packages .venv/.locked  ## .venv from the lock, and the sandbox's system packages

demo: install  ## start the platform in miniature and Airflow, run the daily entries, show what they found
	$(PYTHON) -m tests.sandbox.demo

down:  ## stop all that `make demo` started
	@test ! -x $(PYTHON) || $(PYTHON) -m tests.sandbox.demo down

test: install check  ## every check and test that CI runs
	.venv/bin/pytest

check: .venv/.locked  ## linters and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	PYTHONPATH=plugins .venv/bin/lint-imports

contract: .venv/.locked  ## the hooks against a real cluster: make contract KUBECONFIG=...
	.venv/bin/pytest tests/contract --kubeconfig "$(KUBECONFIG)"

bench: install  ## a line per figure, also written to .bench.json
	$(PYTHON) -m tests.bench

lock: .venv/.locked  ## requirements.lock from requirements.txt, for Python 3.11-3.13
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url \
	  --custom-compile-command 'make lock' requirements.txt --output-file requirements.lock

.venv/.locked: requirements.lock .ci/venv.sh
	.ci/venv.sh
	@touch $@

.venv/.packages: tests/sandbox/install.sh | .venv/.locked
	tests/sandbox/install.sh
	@touch $@
