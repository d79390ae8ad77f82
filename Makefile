# Everything that a person or a build server does in this repository. `make help` lists it.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 20

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Keypost needs Python 3.11 or newer. Name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }

# Python compiles what is imported when it is first imported, and that is a small part of what is installed.
PIP_INSTALL := install --quiet --disable-pip-version-check --no-deps --no-compile

.venv/installed: requirements/dev.txt pyproject.toml | python
	@echo "Installing into .venv (once; about half a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip $(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@$(BIN)/pip $(PIP_INSTALL) --no-build-isolation --editable .
	@touch $@

install: .venv/installed  ## install everything into .venv

demo: install  ## start the system here, sell one licence, show the e-mail, then two renewals
	@$(BIN)/keypost local demo

run: install  ## do the same, and stay up with a mailbox page until Ctrl-C
	@$(BIN)/keypost local run

# Programs that some tests ask: a browser, SpamAssassin and others (tests/programs.py). `make test` installs them where
# it is root and has apt-get; it never asks for a password, and otherwise says which tests it leaves out.
PROGRAMS := PYTHONPATH=layers/keypost $(PYTHON) -m tests.programs
programs: python
	@$(PROGRAMS)

debian: python  ## install the programs of Debian or Ubuntu that some tests ask, with sudo
	@$(PROGRAMS) --ask

# One worker per core; one of them has the deployed system (tests/conftest.py). Python keeps what it has compiled, whatever the
# environment says: the emulator starts a process per function, and each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
WORKERS := --numprocesses auto --maxprocesses 4 --dist load

test: install programs  ## all tests but the drills: five minutes on two cores
	@$(BIN)/pytest --quiet $(WORKERS) -m "not drill"

drills: install programs  ## the tests that take long: every language in the browser, 1,000 codes, ten years, odd requests
	@$(BIN)/pytest --quiet $(WORKERS) -m drill

golden: install  ## write the golden files of the mails, the stored order and the calls of AWS again; look at the changes before you commit them
	@$(BIN)/pytest --quiet --update-golden tests/keypost/emails/test_every_mail.py tests/keypost/table/test_versions.py -k golden
	@PYTHONPATH=layers/keypost:functions:. $(BIN)/python -W ignore -m tests.bench.calls

pictures: install programs  ## make the pictures of the README again (needs Chromium); look at them before you commit them
	@KEYPOST_LEAVE_OUT=nothing $(BIN)/pytest --quiet tests/keypost/support_desk/pictures.py

simulate: install  ## play ten years of renewals of 1,000 customers (ten minutes on two cores); CUSTOMERS=100 plays fewer, SEED=7 others
	@PYTHONHASHSEED=0 PYTHONPATH=layers/keypost:functions:. $(BIN)/python -W ignore -m tests.simulator.years \
	  --customers $(or $(CUSTOMERS),1000) --seed $(or $(SEED),1)

prove: install  ## play 300 shops under faults and check the promises; SEEDS=1000 plays more, SEED=17 one again, with its story
	@PYTHONHASHSEED=0 PYTHONPATH=layers/keypost:functions:. $(BIN)/python -W ignore -m tests.simulator.faults \
	  $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),300) --first $(or $(FIRST),1)) $(addprefix --only ,$(ONLY)) $(addprefix --tree ,$(TREES)) $(PAGE)

prove-pairs: install  ## crash at any two calls of AWS while an order is served (some 15 minutes of a core); STEP=5 plays 1 of 25 pairs, PAGE=--page writes the figures
	@$(if $(PAGE),KEYPOST_FIGURES=yes) KEYPOST_PAIRS_STEP=$(or $(STEP),1) $(BIN)/pytest --quiet --capture=no \
	  tests/simulator/faults/test_pairs_of_crashes.py $(if $(PAGE),tests/simulator/faults/test_single_faults.py)
	@$(if $(PAGE),$(RENEW))

mutants: install  ## put some hundred faults into the protocol, and see that the simulator finds each; FIND= looks for new seeds, UNIT=1 asks the unit tests
	@PYTHONHASHSEED=0 PYTHONPATH=layers/keypost:functions:. $(BIN)/python -W ignore -m tests.simulator.mutants \
	  $(if $(UNIT),--unit,$(if $(filter undefined,$(origin FIND)),--known))

RENEW := PYTHONPATH=layers/keypost:functions:. $(BIN)/python -m tests.simulator.page
fuzz: install  ## send 5,000 odd requests to the support API and the pages; CASES=400 sends 400 per route, PAGE=--page writes the figures
	@$(if $(PAGE),KEYPOST_FIGURES=yes) KEYPOST_FUZZ_CASES=$(or $(CASES),100) $(BIN)/pytest --quiet $(WORKERS) \
	  tests/test_fuzz.py tests/test_fuzz_pages.py
	@$(if $(PAGE),$(RENEW))

hostile: install  ## send 100,000 hostile callbacks to the door of every provider; CASES=6000 sends fewer, SEED=2 others, PAGE=--page writes the figures
	@$(if $(PAGE),KEYPOST_FIGURES=yes) KEYPOST_HOSTILE_CASES=$(or $(CASES),100000) KEYPOST_HOSTILE_SEED=$(or $(SEED),1) \
	  $(BIN)/pytest --quiet $(WORKERS) -p no:logging --show-capture=no tests/hostile/test_hostile.py
	@$(if $(PAGE),$(RENEW))

bench: install programs  ## measure what Keypost costs, compare it with its goals, and write docs/performance.md
	@PYTHONPATH=layers/keypost:functions:. $(BIN)/python -W ignore -m tests.bench $(addprefix --areas ,$(AREAS)) $(QUICK) $(ACCEPT)

openapi: install  ## write docs/openapi.json again, the description of the support API
	@$(BIN)/python -m cli.openapi > docs/openapi.json

coverage: install programs  ## all tests and drills, and which branches none of them takes
	@$(BIN)/pytest --quiet $(WORKERS) --cov --cov-report=term-missing:skip-covered

check: install .venv-scan/installed  ## check lint, types, import contracts, template and runbook, and scan for weaknesses and secrets
	$(BIN)/pip check --disable-pip-version-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PYTHONPATH=layers/keypost $(BIN)/lint-imports
	$(BIN)/python -m cli.languages
	$(BIN)/cfn-lint template.yaml
	$(BIN)/pytest --quiet tests/test_template.py tests/scanners.py
	$(BIN)/pytest --quiet -m "not journey" tests/test_runbook.py tests/test_dashboard.py

.venv-scan/installed: requirements/scan.txt | python
	@$(PYTHON) -m venv .venv-scan
	@.venv-scan/bin/pip $(PIP_INSTALL) --require-hashes -r requirements/scan.txt
	@touch $@

.venv-sam/installed: requirements/sam.txt | python
	@$(PYTHON) -m venv .venv-sam
	@.venv-sam/bin/pip $(PIP_INSTALL) --require-hashes -r requirements/sam.txt
	@touch $@

build: .venv-sam/installed  ## validate the template and build what `sam deploy` uploads
	.venv-sam/bin/sam validate --lint
	.venv-sam/bin/sam build

release: install  ## build a release from the last commit into dist/: docs/releasing.md
	@rm -rf dist
	@$(BIN)/python -m cli.release dist

LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
       --no-emit-index-url --custom-compile-command "make lock"
LOCKS = $(wildcard requirements/*.txt layers/*/requirements.txt)
lock:  ## pin all dependencies again (needs uv; UPGRADE=--upgrade for newer versions)
	@# uv keeps the hashes of a lock that is there, also when it has too few; without them it asks for all.
	sed -i.before -e '/--hash=/d' -e 's/ \\$$//' $(LOCKS) && rm $(LOCKS:=.before)
	$(LOCK) $(UPGRADE) pyproject.toml --group dev --output-file requirements/dev.txt
	$(LOCK) $(UPGRADE) pyproject.toml --constraint requirements/dev.txt --output-file requirements/command.txt
	$(LOCK) $(UPGRADE) pyproject.toml --constraint requirements/dev.txt --no-emit-package click --no-emit-package colorama \
	  --output-file layers/dependencies/requirements.txt
	$(LOCK) $(UPGRADE) --group tokens --constraint requirements/dev.txt --output-file layers/tokens/requirements.txt
	echo "aws-sam-cli>=1.170" | $(LOCK) $(UPGRADE) - --output-file requirements/sam.txt
	printf '%s\n' "check-jsonschema>=0.39" "checkov>=3.3" "detect-secrets>=1.5" "zizmor>=1.32" | \
	  $(LOCK) $(UPGRADE) - --output-file requirements/scan.txt

aws-smoke: install .venv-sam/installed  ## in your own AWS account: make a stack, look at what only AWS can tell, remove it; ADDRESS=you@example.nl
	@PYTHONPATH=layers/keypost:. $(BIN)/python -W ignore -m cli.aws_smoke --address "$(ADDRESS)" $(if $(REGION),--region $(REGION))

format: install  ## format the code
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

.PHONY: help python install demo run programs debian test drills golden pictures simulate prove prove-pairs mutants fuzz hostile bench openapi coverage check build release lock format aws-smoke
