# make demo     the main job, on a fresh machine     make test      everything CI checks
# make start    the local cloud, until Ctrl-C        make check     what needs no server
# make soak     changes under faults and crashes     make lint      style and types only
# make bench    figures beside their goals           make lock      requirements.in -> requirements.txt
# make package  the zip that is deployed             make licences  of every package
# make simulate a tenant's days, thousands of them   make e2e       the whole, from end to end
# make contract what a tenant must answer, too       make clean     all of it gone again
# PYTHON=/path/to/python3.12 chooses the interpreter; VENV=.venv-3.12 keeps a second one apart.
# HOST=func has `start` and `e2e` run the app in Azure Functions Core Tools in place of our own host;
# any other command has to take the command line of `python -m local.host`.
.PHONY: demo start test e2e check lint contract soak simulate bench lock package licences clean
.DEFAULT_GOAL := demo

VENV ?= .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
PIP := $(PY) -m pip install --quiet --quiet --disable-pip-version-check
# Not from the environment, where HOST is the machine's name (tcsh) or a compiler's target (conda);
# exported and not quoted, since it may have quotation marks of its own.
ifeq ($(origin HOST),command line)
start e2e: export LOCAL_HOST_COMMAND := $(HOST)
endif

$(INSTALLED): $(wildcard requirements*.txt) tools/find_python.sh
	@python="$(PYTHON)"; [ -n "$$python" ] || python=$$(sh tools/find_python.sh) || exit 1; \
	echo "Installing into $(VENV) with $$("$$python" --version 2>&1); a minute or two, once"; \
	"$$python" -m venv --clear $(VENV)
	@$(PIP) -r requirements-dev.txt
	@$(PIP) --no-deps --ignore-requires-python -r requirements-engine.txt
	@touch $@

demo: $(INSTALLED)
	@$(PY) -m local demo

# Such as ARGS="--set DRY_RUN=true", which rehearses, or ARGS=--sign-in: people sign in to the console,
# or ARGS="--cloud usgov": Microsoft's own host names, for the programs of others too
start: $(INSTALLED)
	@$(PY) -m local up $(ARGS)

lint: $(INSTALLED)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m tools.javascript

check: lint
	$(PY) -m pytest -q -n 2 --dist worksteal -m "not server and not long"

# A file of tests shares what it has started, so it stays together. Three at a time, as many wait.
test: lint
	$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-fail-under=95

# One after another, since a host that is not ours may download something when it first starts.
e2e: $(INSTALLED)
	$(PY) -m pytest tests/e2e $(ARGS)

# What simulator and tenant must answer alike; TENANT=FILE asks a tenant too, and only reads there
contract: export CONTRACT_TENANT := $(TENANT)
contract: $(INSTALLED)
	@$(PY) -m pytest tests/contract

# Such as ARGS="--seed 7 --minutes 1"
soak: $(INSTALLED)
	@$(PY) -m local soak $(ARGS)

# Days of a tenant in milliseconds each, such as ARGS="--seed 7 --days 500"
simulate: $(INSTALLED)
	@$(PY) -m tests.machine $(ARGS)

# ONLY=sweep measures one row
bench: $(INSTALLED)
	@$(PY) -m local bench $(if $(ONLY),--only $(ONLY))

# Keeps every version that still fits; ARGS=--upgrade takes the newest, ARGS="-P msal" one of them
lock: $(INSTALLED)
	@$(PY) -m uv pip compile --quiet --universal --python-version 3.11 \
		--custom-compile-command "make lock" --output-file requirements.txt requirements.in $(ARGS)

package: $(INSTALLED)
	@$(PY) -m tools.package

# Fails on a licence that nobody has agreed to yet
licences: $(INSTALLED)
	@$(PY) -m tools.licences

clean:
	rm -rf $(VENV) .local demo.png
	find local tests tools -name node_modules -prune -exec rm -rf {} +
