# Set-up and checks of cln-monitor. Needs git, make and Python 3.11 or newer; `make` lists the targets.
#
#   PYTHON=…  the Python of .venv (default: the first one that is new enough)
#   ARGS=…    further arguments: make demo ARGS='--log.level=debug', make test ARGS='-k token'

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# Each test process imports the tests, and plugins start a thousand times: without bytecode each of them compiles again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?=
ARGS ?=

venv := .venv
bin := $(venv)/bin
pip := $(bin)/python -m pip --quiet --no-input --disable-pip-version-check
pytest := $(bin)/python -m pytest --dist=loadfile
# Installs a dependency group that only one target needs and that the lock files leave out.
install-group = $(pip) install $$($(bin)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["$(1)"])')
# Tests that start no programs. Four processes on two cores, because many tests wait.
few_processes := --numprocesses=4

# Scripts in a virtual environment contain its path: recreate an environment that was moved.
ifneq ($(shell cat $(venv)/.made 2>/dev/null),$(CURDIR))
$(venv)/.made: FORCE
endif
# Recreate an environment whose Python no longer exists, too.
ifeq ($(wildcard $(bin)/python),)
$(venv)/.made: FORCE
endif

.PHONY: help
help: ## list all targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(venv)/.run ## run the exporter with a simulated account: no configuration, no network
	@exec $(bin)/cln-exporter --demo $(ARGS)

.PHONY: check
check: $(venv)/.dev ## while you work: lint, types, the tests that start no programs and do not try many inputs
	@$(MAKE) --no-print-directory --jobs=2 lint quick

.PHONY: test
test: servers ## before a commit: lint, types, all tests with coverage
	@$(MAKE) --no-print-directory --jobs=3 --output-sync lint measured unmeasured

.PHONY: test-pythons
test-pythons: $(venv)/.dev ## the tests of check with each installed Python 3.11 or newer, and the lowest and newest dependencies
	@$(bin)/python -m tools.every_python $(ARGS) -- --dist=loadfile $(few_processes)

# The first time, each of up to six processes would compile all tests.
$(venv)/.compiled: $(venv)/.dev
	@$(bin)/python -m pytest --collect-only --quiet >/dev/null 2>&1 || true # errors are those of the runs that follow
	@touch $@

# `make test` runs each test of the shipped rules with only the rules that it is about; here they are as users run them.
.PHONY: test-rules
test-rules: servers ## the tests of the alert rules as they are shipped, with promtool
	@$(bin)/python -m pytest --long tests/real/test_rules.py -k test_the_tests_of_the_rules_pass

.PHONY: quick
quick: $(venv)/.compiled
	@$(pytest) -m 'not processes and not many_inputs' $(few_processes) $(ARGS)

# All tests, in two parallel runs: one uses the CPU while the other waits, which therefore comes first when it has
# something to do. tests/helpers/processes.py decides which tests are measured. A run in which ARGS select no test has not
# failed.
whole = $(pytest) --numprocesses=$(1) --no-loadscope-reorder $(2) $(ARGS) $(if $(ARGS),|| test $$? = 5)
.PHONY: measured
measured: servers $(venv)/.compiled
	@nice $(call whole,2,-m 'not unmeasured' --cov --cov-report=term)
.PHONY: unmeasured
unmeasured: servers $(venv)/.compiled
	@$(call whole,5,-m unmeasured)

.PHONY: bench
bench: $(venv)/.dev ## compare the speed with the usual implementation, write tools/bench/RESULTS.md (ARGS='scrape poll' for parts)
	@command -v nginx /usr/sbin/nginx >/dev/null || tools/apt-install nginx-light || echo 'without nginx' >&2
	@$(bin)/python -m tools.bench $(ARGS)

.PHONY: lint
lint: $(venv)/.dev ## style, import contracts, types, spelling
	@$(bin)/ruff check
	@$(bin)/ruff format --check
	@$(bin)/lint-imports --no-logo
	@$(bin)/mypy
	@$(bin)/codespell

.PHONY: format
format: $(venv)/.dev ## format the code, and fix what ruff can fix
	@$(bin)/ruff check --quiet --fix
	@$(bin)/ruff format

.PHONY: faults
faults: $(venv)/.dev ## run all faults of docs/faults.md in full, and write its tables
	@$(bin)/python -m pytest tests/faults --long --update-golden $(ARGS)

.PHONY: soak
soak: $(venv)/.dev ## run an exporter through a month of faults, reloads and changes; SOAK_SEED=N repeats one
	@$(bin)/python -m pytest tests/soak --long -rP $(ARGS)

.PHONY: fuzz
fuzz: $(venv)/.dev ## search for responses that break a decoder, FUZZ_SECONDS=60 for each; inputs that reach more code are kept
	@$(call install-group,fuzz)
	@for decoder in $$(ls tests/fuzz/corpus); do \
	    $(bin)/python -m tests.fuzz $$decoder -max_total_time=$${FUZZ_SECONDS:-60} $(ARGS) || exit; \
	done

.PHONY: docs
docs: $(venv)/.dev ## build the documentation as a web site in build/docs, with Sphinx; warnings are errors
	@$(call install-group,docs)
	@$(bin)/sphinx-build --fresh-env --fail-on-warning --keep-going --quiet docs build/docs $(ARGS)
	@! grep -lE '<(script|img|source)[^>]* src(set)?="(https?:)?//|<link[^>]* href="(https?:)?//' build/docs/*.html || \
	    { echo 'cln-monitor: these pages load files from other hosts' >&2; exit 1; }
	@echo 'The documentation is in build/docs/index.html'

.PHONY: dashboards
dashboards: $(venv)/.dev ## write the JSON of the Grafana dashboards from the Python modules, and the files of the Helm chart
	@$(bin)/python -m dashboards.grafana
	@$(bin)/python -m tools.kubernetes_chart

.PHONY: pictures
pictures: $(venv)/.dev ## take the pictures of the demo in docs/images; needs npm, chromium and prometheus
	@$(bin)/python -m tools.pictures.status_page docs/images
	@$(bin)/python -m tools.pictures $(ARGS)

.PHONY: lock
lock: ## write both lock files from pyproject.toml, with uv (ARGS=--upgrade selects newer releases)
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
	@command -v buildah >/dev/null || tools/apt-install buildah
	@$(call install-group,chart)
	@$(pytest) tests/packages --numprocesses=3 --no-loadscope-reorder

.PHONY: clean
clean: ## remove everything that make created, including .venv
	rm -rf $(venv) build dist htmlcov *.egg-info .coverage .coverage.* \
	    .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The servers that tests/real needs. Without them those tests are skipped; with CI=true the run fails here.
.PHONY: servers
servers: $(venv)/.dev
	@packages=$$($(bin)/python -m tests.helpers.servers) || exit; \
	    test -z "$$packages" || tools/apt-install $$packages || test "$${CI:-}" != true || \
	    { echo "cln-monitor: CI=true, but servers are missing: apt install $$packages" >&2; exit 1; }

# Stamp files: each target runs again only if its inputs changed. The lock files are complete, hence --no-deps: the pip of
# Debian 12 otherwise selects the newest release of a package that is required with an extra, which then has no hash.
$(venv)/.made:
	@tools/make-venv $(venv) $(PYTHON)
	@echo '$(CURDIR)' > $@

$(venv)/.run: $(venv)/.made requirements.lock pyproject.toml
	@echo 'Installing cln-monitor and its dependencies into $(venv)'
	@$(pip) install --no-deps --require-hashes -r requirements.lock
	@$(pip) install --no-deps -e .
	@touch $@

# With uv, which takes 2 s instead of 15 s. It does not read the configuration of pip, so pip does it where uv cannot.
$(venv)/.dev: $(venv)/.made requirements-dev.lock pyproject.toml
	@echo 'Installing cln-monitor, its dependencies and its development dependencies into $(venv)'
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.lock > $(venv)/uv.lock
	@$(pip) install --no-deps --require-hashes -r $(venv)/uv.lock
	@$(bin)/uv pip install --quiet --python $(bin)/python --no-deps --require-hashes -r requirements-dev.lock 2>/dev/null || \
	    $(pip) install --no-deps --require-hashes -r requirements-dev.lock
	@$(pip) install --no-deps --no-build-isolation -e . # with the setuptools of the lock file
	@touch $@ $(venv)/.run

FORCE:
