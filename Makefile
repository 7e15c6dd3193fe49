# The set-up and the checks of cln-monitor. Needs git, make and Python 3.11 or newer; `make` lists the targets.
#
#   PYTHON=…  the Python that .venv is made with (the first new enough one, when not given)
#   ARGS=…    passed on: make demo ARGS='--log.level=debug', make test ARGS='-k token'

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# Tests are read in each process of a run, and plugins start a thousand times: without bytecode each pays to compile.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?=
ARGS ?=

venv := .venv
bin := $(venv)/bin
pip := $(bin)/python -m pip --quiet --no-input --disable-pip-version-check
pytest := $(bin)/python -m pytest --dist=loadfile
# Tests that start no programs. More processes than two cores, as some wait.
quick := -m 'not processes' --numprocesses=3

# Scripts in a virtual environment hold its path: one that was moved is set up anew.
ifneq ($(shell cat $(venv)/.made 2>/dev/null),$(CURDIR))
$(venv)/.made: FORCE
endif
# So is one whose Python is gone.
ifeq ($(wildcard $(bin)/python),)
$(venv)/.made: FORCE
endif

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(venv)/.run ## run the exporter over a simulated account: no configuration, no network
	@exec $(bin)/cln-exporter --demo $(ARGS)

.PHONY: check
check: $(venv)/.dev ## for the inner loop: lint, types, all tests that start no programs
	@$(MAKE) --no-print-directory --jobs=2 lint quick

.PHONY: test
test: servers ## everything: lint, types, all tests with their coverage
	@$(MAKE) --no-print-directory --jobs=3 --output-sync lint measured unmeasured

.PHONY: test-pythons
test-pythons: $(venv)/.dev ## the tests of check on each Python from 3.11 on that is here, with the lowest and newest dependencies
	@$(bin)/python -m tools.every_python $(ARGS) -- --dist=loadfile $(quick)

.PHONY: quick
quick: $(venv)/.dev
	@$(pytest) $(quick) $(ARGS)

# All tests, in two runs beside each other: the waiting of one is filled by the other. tests/helpers/processes.py says
# which are measured. A run of which ARGS choose nothing is none that failed.
whole = $(pytest) --numprocesses=$(1) --no-loadscope-reorder $(2) $(ARGS) $(if $(ARGS),|| test $$? = 5)
.PHONY: measured
measured: servers
	@$(call whole,2,-m 'not unmeasured' --cov --cov-report=term)
.PHONY: unmeasured
unmeasured: servers
	@$(call whole,3,-m unmeasured)

.PHONY: bench
bench: $(venv)/.dev ## measure the speed beside the usual way, print the table, write tools/bench/RESULTS.md (ARGS='scrape poll' for parts)
	@command -v nginx /usr/sbin/nginx >/dev/null || tools/apt-install nginx-light || echo 'without nginx' >&2
	@$(bin)/python -m tools.bench $(ARGS)

.PHONY: lint
lint: $(venv)/.dev ## style, the one-way imports, the types
	@$(bin)/ruff check
	@$(bin)/ruff format --check
	@$(bin)/lint-imports --no-logo
	@$(bin)/mypy

.PHONY: format
format: $(venv)/.dev ## put the code in the project's format and mend what ruff can mend
	@$(bin)/ruff check --quiet --fix
	@$(bin)/ruff format

.PHONY: faults
faults: $(venv)/.dev ## do to the exporter and the plugins all that is in docs/faults.md, in full, and write its tables
	@$(bin)/python -m pytest tests/faults --long --update-golden $(ARGS)

.PHONY: soak
soak: $(venv)/.dev ## let an exporter live a month of faults, reloads and changes; SOAK_SEED=N takes the same one again
	@$(bin)/python -m pytest tests/soak --long -rP $(ARGS)

.PHONY: fuzz
fuzz: $(venv)/.dev ## look for answers that break a decoder, FUZZ_SECONDS=60 for each; what reaches more code is kept
	@$(pip) install $$($(bin)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["fuzz"])')
	@for decoder in $$(ls tests/fuzz/corpus); do \
	    $(bin)/python -m tests.fuzz $$decoder -max_total_time=$${FUZZ_SECONDS:-60} $(ARGS) || exit; \
	done

.PHONY: dashboards
dashboards: $(venv)/.dev ## write the JSON of the Grafana dashboards from their Python
	@$(bin)/python -m dashboards.grafana

.PHONY: pictures
pictures: $(venv)/.dev ## take the README's pictures of the demo; needs npm, chromium and prometheus
	@$(bin)/python -m tools.pictures.status_page docs/images
	@$(bin)/python -m tools.pictures $(ARGS)

.PHONY: lock
lock: ## renew both lock files from pyproject.toml, with uv (ARGS=--upgrade takes newer releases)
	@tools/lock $(ARGS)

.PHONY: packages
packages: $(venv)/.dev ## build the .deb and .rpm packages in dist, as root (ARGS='debian12 el9' for these alone)
	@command -v mmdebstrap >/dev/null && command -v rpmbuild >/dev/null || tools/apt-install mmdebstrap rpm
	@$(bin)/python -m tools.packages $(ARGS)

.PHONY: test-packages
test-packages: packages servers ## install, upgrade, remove and purge the packages in root file systems, as root
	@for tool in lintian rpmlint cpio objdump; do \
	    command -v $$tool >/dev/null || { tools/apt-install lintian rpmlint cpio binutils || exit; break; }; \
	done
	@$(bin)/python -m pytest tests/packages

.PHONY: clean
clean: ## remove what make and the tools made, .venv too
	rm -rf $(venv) build dist htmlcov *.egg-info .coverage .coverage.* \
	    .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The real servers that tests/real starts. Without them those tests are skipped; under CI=true the run ends here.
.PHONY: servers
servers: $(venv)/.dev
	@packages=$$($(bin)/python -m tests.helpers.servers) || exit; \
	    test -z "$$packages" || tools/apt-install $$packages || test "$${CI:-}" != true || \
	    { echo "cln-monitor: CI=true, and real servers are missing: apt install $$packages" >&2; exit 1; }

# Stamps: each is made again only when what it was made from changed. The lock files are complete, hence --no-deps: the
# pip of Debian 12 looks for the newest release of whatever another package wants with an extra, and then has no hash.
$(venv)/.made:
	@tools/make-venv $(venv) $(PYTHON)
	@echo '$(CURDIR)' > $@

$(venv)/.run: $(venv)/.made requirements.lock pyproject.toml
	@echo 'Installing what cln-monitor needs to run into $(venv)'
	@$(pip) install --no-deps --require-hashes -r requirements.lock
	@$(pip) install --no-deps -e .
	@touch $@

$(venv)/.dev: $(venv)/.made requirements-dev.lock pyproject.toml
	@echo 'Installing what cln-monitor needs to run and to be tested into $(venv)'
	@$(pip) install --no-deps --require-hashes -r requirements-dev.lock
	@$(pip) install --no-deps -e .
	@touch $@ $(venv)/.run

FORCE:
