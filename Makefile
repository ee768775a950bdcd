# The few commands of this project. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup check test integration lab test-long rehearse bench bench-fleet clean lock format

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# sudo passes no variables on.
SEED := $(if $(PAQUET_TEST_SEED),env PAQUET_TEST_SEED=$(PAQUET_TEST_SEED))
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

# Two clones may be set up side by side: one waits for the other's apt.
APT := env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300

# What Debian gives: for the lab, for the documents, for the clients of the tests.
LAB_PACKAGES := mmdebstrap systemd-container slirp4netns iproute2 nftables procps openssh-client debian-archive-keyring
DOCUMENT_PACKAGES := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core
BASE_PACKAGES := $(LAB_PACKAGES) $(DOCUMENT_PACKAGES) python3-venv ca-certificates restic openssl gpgv
TEST_PACKAGES := postgresql knot rclone swaks poppler-utils hledger gpg gpg-agent curl
LONG_PACKAGES := qemu-system-x86

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: $(VENV)/.installed ## Install what is missing: Debian packages and the Python environment

$(VENV)/.installed: requirements.lock pyproject.toml Makefile
	@missing="$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(BASE_PACKAGES) $(TEST_PACKAGES) 2>/dev/null | awk '$$2=="installed"{print $$1}' | sort > .venv-have; printf '%s\n' $(BASE_PACKAGES) $(TEST_PACKAGES) | sort | comm -23 - .venv-have; rm -f .venv-have)"; \
	if [ -n "$$missing" ]; then \
	  $(SUDO) $(APT) update -q && \
	  $(SUDO) $(APT) install -qy --no-install-recommends $$missing; \
	fi
	test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

check: setup ## Lint, types, layers, playbooks, unit tests (under two minutes)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports
	PATH="$(CURDIR)/$(BIN):$$PATH" ANSIBLE_LIBRARY=playbooks/library $(BIN)/ansible-lint --offline --profile production playbooks
	$(BIN)/pytest -q -n auto tests/unit

test: check ## Everything: the checks, the integration tests, the lab machines
	@$(MAKE) --no-print-directory --jobs=2 integration lab

# Side by side: lab tests often wait, and come first.
integration: setup
	$(SUDO) nice $(SEED) $(BIN)/pytest -n 2 --dist loadfile tests/integration

lab: setup
	$(SUDO) $(SEED) $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not network" --ignore=tests/lab/long tests/lab

test-long: setup ## What takes longer, by parts that may be spread over sittings (PART=name, else all)
	@dpkg-query -W $(LONG_PACKAGES) >/dev/null 2>&1 || $(SUDO) $(APT) install -qy --no-install-recommends $(LONG_PACKAGES)
	$(SUDO) $(BIN)/python -m tests.long $(addprefix --part ,$(PART))

rehearse: setup ## Order a bundle on lab machines, from nothing to the phone kit
	$(SUDO) $(BIN)/paquet rehearse --yes

bench: setup ## Measure, side by side in one run
	$(BIN)/python -m tests.bench.starts
	$(BIN)/python -m tests.bench.money
	$(SUDO) $(BIN)/python -m tests.bench.bench

bench-fleet: setup ## Live a night of 100, 1,000 and 10,000 bundles on a clock put forward (ANCHOR=1 measures first)
	$(if $(ANCHOR),$(SUDO) $(BIN)/python -m tests.bench.anchor)
	$(BIN)/python -m tests.bench.fleet

clean: ## Take the lab down and remove what was made here, but results of long tests
	if [ -x $(BIN)/paquet ]; then $(SUDO) $(BIN)/paquet rehearse --clean --yes; fi
	if [ -d var ]; then $(SUDO) find var -mindepth 1 -maxdepth 1 ! -name test-long -exec rm -rf {} +; fi
	$(SUDO) rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

format: setup ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: ## Pin every dependency anew (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	  --python-version 3.11 --group dev pyproject.toml -o requirements.lock
