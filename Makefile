# Every target works on a machine with Python >= 3.11, make and a package index; nothing outside this folder is touched.
PYTHON ?= python3
BIN := .venv/bin
QUIETLY := --quiet --disable-pip-version-check --no-compile
PIP := $(BIN)/python -m pip install $(QUIETLY)
INSTALL := .ci/install

# Installs a lock by three pips at once, a third of it each: a pip waits for the index one package after another, and
# reads each page of thousands of files on one core. Whatever a package needs is in the lock: no pip looks for more.
install_lock = rm -f .tmp/part-* && awk '/^[a-z0-9]/ { part = n++ % 3 } { print > (".tmp/part-" part) }' $(1) && \
	ls .tmp/part-* | xargs -n 1 -P 3 $(PIP) --no-deps --require-hashes -r

# The pip that Python brings is a wheel, and runs from it: nobody has to install it first, only to replace it.
FIND_BUNDLED_PIP := import ensurepip, glob, sysconfig; \
	folders = [sysconfig.get_config_var("WHEEL_PKG_DIR"), *ensurepip.__path__, ensurepip.__path__[0] + "/_bundled"]; \
	print(*[wheel + "/pip" for folder in folders if folder for wheel in glob.glob(folder + "/pip-*.whl")][:1])

export PREFECT_HOME := $(CURDIR)/.prefect
export TMPDIR := $(shell mkdir -p .tmp)$(CURDIR)/.tmp
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
# What is compiled once stays compiled, where the environment asks for the opposite too (as most containers do).
export PYTHONDONTWRITEBYTECODE :=

# Compiled once, in parallel: otherwise every start compiles a thousand modules where PYTHONDONTWRITEBYTECODE is set.
# What no command loads, and what packages test themselves with, is compiled where it is used.
LOADED_BY_NONE := pip|setuptools|distutils|f2py|experimental|apprise|lexers|posseg|wcwidth|prompt_toolkit|dateparser|rich_rst|pandas|oauthlib|typer
NOT_COMPILED := /(_?tests?|testing|SelfTest|$(LOADED_BY_NONE))/

.PHONY: help env demo serve lint types suite test test-long test-postgres test-browser test-containers picture fuzz audit sbom licences lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: .venv/.complete ## build .venv from requirements.lock

# What runs comes first, with the project itself as it lies here: .venv/bin/kefu-digest runs this code from any folder.
# The second --quiet is for setuptools, which warns of every editable installation; errors are still shown.
.venv/.runs: .venv/.pip deployments/requirements-runtime.lock
	$(call install_lock,deployments/requirements-runtime.lock)
	$(PIP) --quiet --no-index --no-deps --no-build-isolation --editable . & { $(BIN)/python -m compileall -q -j 0 -x '$(NOT_COMPILED)' .venv/lib flows tasks || true; } && wait $$!
	@touch $@

# Python's own pip may be too old for the lock. Its successor is compiled here, or three of it would do so at once.
.venv/.pip: deployments/requirements-pip.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "kefu-digest needs Python 3.11 or newer; name one with make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv --without-pip .venv
	@pip=$$($(PYTHON) -c '$(FIND_BUNDLED_PIP)' 2>/dev/null); [ "$$pip" ] || { $(PYTHON) -m venv .venv && pip="-m pip"; } && set -x && \
	$(BIN)/python $$pip install $(QUIETLY) --require-hashes -r deployments/requirements-pip.lock
	@$(BIN)/python -m compileall -q -j 0 .venv/lib/python*/site-packages/pip
	@touch $@

# What only developers need comes on top.
.venv/.complete: .venv/.runs requirements.lock
	$(call install_lock,requirements.lock)
	@touch $@

demo: .venv/.runs ## summarize the sample logs that come with the project, without an account
	$(BIN)/python -m flows.backfill_days --start 2026-11-20 --end 2026-11-22
	@echo
	@echo "Open a report in a browser: warehouse/reports/day=2026-11-22/report.html"

serve: .venv/.runs ## a Prefect server with everything, on this machine (deployments/README.md); SERVE='--port 4300'
	@$(BIN)/python -m deployments.serve $(SERVE)

lint: env ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: env ## mypy
	$(BIN)/mypy

suite: env ## the tests alone
	$(BIN)/pytest

test: lint types suite ## everything that a change has to pass

test-long: env ## crashes by the hundred, over a folder and over BOS (minutes)
	$(BIN)/pytest -m "long and not postgres and not browser" -n 0 --timeout 3600

test-postgres: env ## the deployments on a real PostgreSQL; root installs it where it is missing (minutes)
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || $(INSTALL) postgresql
	$(BIN)/pytest -m postgres -n 0

test-browser: env ## the real UI in a real Chromium, with screenshots in test-output; root installs it where it is missing
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || $(INSTALL) chromium chromium-driver fonts-noto-cjk
	$(BIN)/pytest -m browser -n 0

test-containers: env ## deployments/compose.yaml on Docker Engine with Compose 2.24 or newer (minutes)
	@docker compose version >/dev/null && docker info >/dev/null || { echo "Start Docker Engine first, and install Docker Compose 2.24 or newer."; exit 1; }
	$(BIN)/pytest -m containers -n 0

fuzz: env ## hostile inputs for every reader and parser, led by the code they reach: FUZZ='--seconds 600' (minutes)
	@test -d .tmp/fuzz/atheris || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --target .tmp/fuzz -r tests/fuzz/requirements.txt
	PYTHONPATH=.tmp/fuzz $(BIN)/python -m tests.fuzz $(FUZZ)

picture: demo ## draw the README's picture anew from the demo's three days
	$(BIN)/python -m deployments.demo.draw_picture > .github/report.svg

# pip-audit is content where it has seen nothing: what its report is worth is decided by supply_chain.py.
audit: env ## known advisories against the lock, by pip-audit; exceptions are in .ci/supply_chain.toml
	@test -x .tmp/audit/bin/pip-audit || { $(PYTHON) -m venv .tmp/audit && .tmp/audit/bin/pip install --quiet --disable-pip-version-check pip-audit; } || true
	@ignored=$$($(BIN)/python .ci/supply_chain.py ignored) && { .tmp/audit/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip --format json $$ignored > .tmp/audit.json 2> .tmp/audit.log || true; }
	@$(BIN)/python .ci/supply_chain.py audited .tmp/audit.json $(AUDIT)

sbom: env ## the bill of materials (CycloneDX) on stdout
	@$(BIN)/python .ci/supply_chain.py sbom

licences: env ## the licences of all dependencies; fails where one was not looked at
	@$(BIN)/python .ci/supply_chain.py licences

COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet

lock: ## rewrite the locks from pyproject.toml: everything, and what runs in an image (needs uv)
	$(COMPILE) --group dev pyproject.toml -o requirements.lock
	$(COMPILE) --constraint requirements.lock pyproject.toml -o deployments/requirements-runtime.lock

clean: ## remove what the targets can make again; the warehouse and Prefect's databases stay
	rm -rf .venv .tmp test-output .pytest_cache .mypy_cache .ruff_cache .hypothesis
