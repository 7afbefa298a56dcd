# Each target is a command of run.py, which says what it does: python3 run.py --help
# ARGS are its arguments, such as make start ARGS="--set DRY_RUN=true". PYTHON=/path/to/python3.12
# chooses the interpreter; VENV=.venv-3.12 keeps a second one apart.
# HOST=func has `start` and `e2e` run the app in Azure Functions Core Tools in place of our own host;
# any other command must accept the command line of `python -m local.host`. With TENANT=FILE,
# `contract` also tests a tenant, where it only reads. ONLY=sweep measures one subject of `bench`.
.PHONY: demo start test e2e check lint contract soak simulate bench lock package licences clean
.DEFAULT_GOAL := demo

# The first Python that runs: it only starts run.py, which finds the one that it needs.
ANY := $(shell for p in python3 python python3.13 python3.12 python3.11 python3.14; do \
	"$$p" -c "" 2>/dev/null && echo "$$p" && break; done)

# Not from the environment, where HOST is the machine's name (tcsh) or a compiler's target (conda);
# exported, not quoted, because it may contain quotation marks.
ifeq ($(origin HOST),command line)
start e2e: export LOCAL_HOST_COMMAND := $(HOST)
endif
contract: export CONTRACT_TENANT := $(TENANT)
bench: ARGS += $(if $(ONLY),--only $(ONLY))

demo start test e2e check lint contract soak simulate bench lock package licences clean:
	@$(or $(ANY),python3) run.py $@ $(ARGS)
