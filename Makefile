# Everything a person runs. The first target that runs on a machine sets it up (tools/set_up.py).

PYTHON ?= python3
JOBS ?= 4
BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' $(ARGS)

.PHONY: setup demo test bench bench-rivals fuzz fuzz-wire scenarios sms-campaign power-campaign order-campaign units-test \
	tests image image-fetched image-short image-test lock clean

setup:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing. Next: apt-get install python3, then make setup."; exit 1; }
	@$(PYTHON) tools/set_up.py

demo: setup  # ARGS='...' goes to the demo
	@exec $(BIN)/siaga demo $(ARGS)

test: setup  # ARGS='-k modem' goes to pytest; without, an image is built and started behind the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/check_layers.py
	$(BIN)/python tools/check_tree.py
	@$(MAKE) --no-print-directory -j2 tests $(if $(ARGS),,image-fetched)
	$(if $(ARGS),,@$(MAKE) --no-print-directory image-short)

tests:
	$(BIN)/pytest -q -n $(JOBS) --dist worksteal $(ARGS)

image-fetched:  # what the short form needs of Debian, in the time that tests leave over; what is wrong it says itself later
	@timeout 900 chrt --idle 0 $(BIN)/python image-build/build.py --profile virt-amd64 --fetch-only >/dev/null 2>&1 || true

bench: setup
	@exec $(BIN)/python -m tests.bench $(ARGS)

bench-rivals: setup  # installs Node-RED and other codecs below build/rivals, and measures them here
	@exec $(BIN)/python -m tests.bench.rivals $(ARGS)

fuzz: setup  # 20 million octets into the AT engine and the codec; ARGS='--bytes 200000 --seed 7'
	@exec $(BIN)/python -m tests.fuzz.campaign $(ARGS)

fuzz-wire: setup  # 400,000 bent, noisy and wrongly signed messages into the decoders of orders; ARGS='--inputs 20000 --seed 7'
	@exec $(BIN)/python -m tests.fuzz.wire $(ARGS)

scenarios: setup  # every story, one after another, as a person plays them; half an hour. ARGS='--speed 3'
	@exec $(BIN)/siaga scenario $(ARGS) tests/scenarios/*.toml

sms-campaign: setup  # 10,000 messages, modems that misbehave, 50 x kill -9; ARGS='--messages 500 --kills 5 --seed 7'
	@exec $(BIN)/python -m tests.campaign.sms $(ARGS)

power-campaign: setup  # 30 days of outages and flickers on a bus with 1 % bad frames, in virtual time; ARGS='--days 2 --seed 7'
	@exec $(BIN)/python -m tests.campaign.power $(ARGS)

order-campaign: setup  # 1,000 stories of orders, faults and restarts, in virtual time; ARGS='--examples 5000 --seed 7', '--only 17'
	@exec $(BIN)/python -m tests.campaign.orders $(ARGS)

units-test: setup  # the real units under a real systemd in a container; needs root and systemd-nspawn
	$(BIN)/pytest -q tests/integration/test_units.py tests/integration/test_units_boot.py tests/image/units_falls.py $(ARGS)

# Files to write a card with, below build/image. PROFILE=virt for tests, ARGS=--no-compress. As root: docs/image.md.
PROFILE ?= pi4
image: setup
	@$(if $(filter 0,$(shell id -u)),,sudo --preserve-env=SIAGA_MIRROR,SIAGA_SIGNING) $(BIN)/python image-build/build.py --profile $(PROFILE) $(ARGS)

# The images that are built, in QEMU: an hour and more; what cannot run here says why. Console logs: build/image-test.
# ARGS='-k updates' runs a part; SIAGA_CUTS=3 fewer power cuts.
image-test: setup
	@exec $(BIN)/python -m pytest -q -rs -s -p no:cacheprovider -o faulthandler_timeout=7200 tests/image/image_boots.py \
		tests/image/image_updates.py tests/image/image_dead_card.py tests/image/image_raspi.py \
		tests/image/image_power_cuts.py $(ARGS)

image-short: setup  # builds a PC's image, starts it, sounds its siren: five minutes on a quiet machine; as root
	@exec $(BIN)/python -m pytest -q -rs -s -p no:cacheprovider -o faulthandler_timeout=1800 tests/image/image_short.py $(ARGS)

# After a change of dependencies in pyproject.toml or package.json. ARGS=--upgrade takes newer Python packages.
lock: setup
	$(COMPILE) --group build -o requirements-build.lock
	$(COMPILE) pyproject.toml -c requirements-build.lock -o requirements.lock
	$(COMPILE) pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock
	npm install --package-lock-only --silent
	@$(PYTHON) tools/set_up.py

clean:
	rm -rf .venv node_modules build web/static/vendor *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
