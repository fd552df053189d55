# What a person does here. `make run` needs a Rust toolchain and a C compiler, nothing else.
CARGO ?= cargo
# Seconds for each fuzz target; CI takes few, a night many.
FUZZ_SECONDS ?= 60

.PHONY: help build run demo test test-tools test-clients bench package fmt lint deny fuzz coverage

help:
	@echo "make build   the release binary, target/release/bailiwick"
	@echo "make run     build it and serve on 127.0.0.1:7650 from ./data"
	@echo "make demo    the main job, step by step, with the real aws-cli"
	@echo "make test    everything: unit, table, property and end-to-end tests with real clients"
	@echo "make test-clients   large tools against a seeded account: Ansible, Cloud Custodian, Cloudsplaining, awsume, the JavaScript SDK"
	@echo "make test-tools  git, OpenSSH and openssl by apt, where the tests would miss them; make test does it too"
	@echo "make coverage   which of AWS's operations answer, and which members of their answers and which of their errors the tests ever saw"
	@echo "make bench   how fast it is, beside its peers, as ratios of one run"
	@echo "make package manual pages and completions in target/packaging, and a .deb where cargo-deb is installed"
	@echo "make fmt     format the code"
	@echo "make lint    formatting and clippy, warnings denied"
	@echo "make deny    licences, bans and sources, where cargo-deny is installed"
	@echo "make fuzz    every fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS) each"

build:
	$(CARGO) build --release

run: build
	exec target/release/bailiwick serve

demo: build
	tests/venv.sh .venv tests/requirements.txt
	examples/demo.sh

test:
	@tests/run.sh

test-clients:
	@tests/clients/run.sh

test-tools:
	tests/tools.sh

# The end-to-end tests note what they are answered; what they found is said whether or not all of them passed.
coverage: export COVERAGE_FILE = $(CURDIR)/target/seen.txt
coverage: build
	tests/venv.sh .venv tests/requirements.txt
	rm -f $(COVERAGE_FILE) && touch $(COVERAGE_FILE)
	-.venv/bin/python -m pytest -q tests
	.venv/bin/python tests/coverage_report.py $(COVERAGE_FILE)

bench: build
	tests/venv.sh benches/.venv benches/requirements.txt
	cd benches && $(CARGO) build --release --locked && target/release/bench

package: build
	packaging/generate.sh target/release/bailiwick target/packaging
	@if $(CARGO) deb --version >/dev/null 2>&1; then $(CARGO) deb --package bailiwick --no-build; else echo "cargo-deb is not installed: no .deb"; fi

fmt:
	$(CARGO) fmt --all

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

deny:
	$(CARGO) deny --all-features check bans licenses sources

# The time is each target's; the count of tries that a target sets for CI is lifted.
fuzz: export BOLERO_RANDOM_TEST_TIME_MS = $(FUZZ_SECONDS)000
fuzz: export BOLERO_RANDOM_ITERATIONS = 1000000000000
fuzz:
	$(CARGO) test --release -p arn --lib reading_any_bytes -- --test-threads=1
	$(CARGO) test --release -p arn --test fuzz -- --test-threads=1
	$(CARGO) test --release -p identities --lib reading_any_key -- --test-threads=1
	$(CARGO) test --release -p identities --lib fuzz_ -- --test-threads=1
	$(CARGO) test --release -p policy --test fuzz -- --test-threads=1
	$(CARGO) test --release -p policy --lib fuzz_ -- --test-threads=1
	$(CARGO) test --release -p policy-tests --lib fuzz:: -- --test-threads=1
	$(CARGO) test --release -p sigv4 --test fuzz -- --test-threads=1
	$(CARGO) test --release -p wire --test wire fuzz:: -- --test-threads=1
	$(CARGO) test --release -p iam --lib fuzz_ -- --test-threads=1
	$(CARGO) test --release -p access --lib fuzz_ -- --test-threads=1
