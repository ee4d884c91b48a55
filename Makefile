# Goodstanding: build, run, test. Needs git, build-essential and Rust; brings the rest itself.
#
# What is brought or compiled once stands in CACHE, outside the clone: the compiled RocksDB,
# libclang where the system has none, the programs of the interoperability tests, and
# cargo's target folder. Another clone uses the same, so that its first build only links.

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/goodstanding
CARGO_DENY_VERSION := 0.20.2
CARGO_FUZZ_VERSION := 0.13.2
CARGO_MUTANTS_VERSION := 27.1.0
ROCKSDB_VERSION := $(shell awk '/^name = "rocksdb"$$/ { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock)

# Arguments passed on: make run ARGS="--data /tmp/demo", make test ARGS="standing -- --nocapture"
ARGS ?=

# The micro benches; every other word that make bench is given names a part of the load driver.
MICRO := badge list allocation services bulk
MICRO_ASKED = $(filter $(MICRO),$(ARGS))
LOAD_ASKED = $(filter-out $(MICRO),$(ARGS))

# Of make fuzz: seconds for each target, and which ones; all, unless named.
SECONDS ?= 60
TARGETS ?=

# Of make mutants: which part of how many (counted from 0), and of which rooms.
SHARD ?= 0/1
ROOMS ?= status store registry

# Every cargo command runs under the same settings, so that none rebuilds what another built.
WITH_ENV := . "$(CACHE)/build.env" &&

WITH_FUZZ := PATH="$(CACHE)/tools/cargo-fuzz-$(CARGO_FUZZ_VERSION)/bin:$$PATH"

# Of make decade and make simulate: how many histories or scripts, or the number of the one that is to
# be told again. Of make simulate also: how many hours instead.
SEEDS ?=
SEED ?=
HOURS ?=
# And how many steps the scripts have of which every one is tried.
LENGTH ?=

# Of make contract: how many requests.
REQUESTS ?=

# Of make new-user and make release: a binary to take instead of building one.
PROGRAM ?=

# Of make powerloss: how many power cuts. SEED is that of the first folder.
CUTS ?= 2000

.DEFAULT_GOAL := help
.PHONY: help run build release test contract decade replicas corruption powerloss simulate bench bench-micro bench-load bench-trust bench-peers nation fuzz fuzz-corpus mutants new-user check fmt clippy doc deny setup env clean-cache

help: ## What there is
	@echo "Goodstanding, the targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 | \2/p' Makefile | awk -F '|' '{ printf "%-20s%s\n", $$1, $$2 }'
	@echo "Cache folder: $(CACHE)"

run: setup ## Builds and serves on http://localhost:8080 in development mode
	@$(WITH_ENV) cargo run --release --locked -- serve --dev $(ARGS)

build: setup ## Builds the release binary and says where it stands
	@$(WITH_ENV) cargo build --release --locked && echo "$$CARGO_TARGET_DIR/release/goodstanding"

release: setup ## Packs a release into OUT=dist: archive, what it is made of, digests (PROGRAM=: of that binary)
	@$(WITH_ENV) $(if $(PROGRAM),,cargo build --release --locked &&) setup/release.sh "$(or $(PROGRAM),$$CARGO_TARGET_DIR/release/goodstanding)" "$(or $(OUT),dist)"

test: setup ## Runs all tests
	@setup/interop.sh "$(CACHE)"
	@$(WITH_ENV) . "$(CACHE)/interop.env" && cargo test --locked $(ARGS)

contract: setup ## 10,000 requests made of /openapi.json, each answer held to it (5 minutes): REQUESTS=, SEED=
	@setup/interop.sh "$(CACHE)"
	@$(WITH_ENV) . "$(CACHE)/interop.env" && GOODSTANDING_REQUIRE_INTEROP=1 GOODSTANDING_CONTRACT_REQUESTS="$(or $(REQUESTS),10000)" GOODSTANDING_CONTRACT_SEED="$(SEED)" GOODSTANDING_CONTRACT_SECONDS=900 cargo test --locked --test it interop::contract -- --nocapture

decade: setup ## Random decades against a naive model: make decade SEEDS=200, or SEED=7 alone
	@$(WITH_ENV) GOODSTANDING_DECADE_SEEDS="$(or $(SEEDS),20)" GOODSTANDING_DECADE_SEED="$(SEED)" cargo test --locked --test it decade -- --nocapture

# Optimised, since it runs for long; what it is linked with is compiled so in any case.
simulate: setup ## Random runs under every fault: make simulate SEEDS=100000, SEED=7 alone, or HOURS=24
	@$(WITH_ENV) CARGO_PROFILE_DEV_OPT_LEVEL=2 GOODSTANDING_SIMULATE_SEEDS="$(if $(SEED)$(HOURS),,$(or $(SEEDS),20000))" GOODSTANDING_SIMULATE_SEED="$(SEED)" GOODSTANDING_SIMULATE_HOURS="$(HOURS)" GOODSTANDING_SIMULATE_LENGTH="$(LENGTH)" cargo test --locked --test it simulation -- --nocapture $(ARGS)

powerloss: setup ## Power cuts on the real program: make powerloss CUTS=2000, or SEED=7 CUTS=20 again
	@$(WITH_ENV) GOODSTANDING_POWERLOSS_CUTS="$(CUTS)" GOODSTANDING_POWERLOSS_SEED="$(SEED)" cargo test --locked --test it powerloss::nothing -- --nocapture

# Optimised, since it is held against what the database does by itself.
replicas: setup ## Replicas on PostgreSQL: a dead primary, one that sleeps 30 s, lag, writes (3 minutes)
	@setup/interop.sh "$(CACHE)"
	@$(WITH_ENV) . "$(CACHE)/interop.env" && CARGO_PROFILE_DEV_OPT_LEVEL=2 GOODSTANDING_REQUIRE_INTEROP=1 GOODSTANDING_REPLICAS_ASLEEP_SECONDS=30 GOODSTANDING_REPLICAS_AT_LEAST=0.5 cargo test --locked --test it replicas -- --nocapture --test-threads=1 $(ARGS)

corruption: setup ## Each file of a store damaged in each way: the whole table (1 minute)
	@rm -f "$(CACHE)/corruption.md"
	@$(WITH_ENV) GOODSTANDING_CORRUPTION=all GOODSTANDING_CORRUPTION_TABLE="$(CACHE)/corruption.md" cargo test --locked --test it corruption
	@echo "The table: $(CACHE)/corruption.md"

bench: setup ## Runs the load driver and the micro benches (15 minutes): make bench ARGS="reads list"
	@setup/load.sh "$(CACHE)"
	@failed=0; \
	$(if $(MICRO_ASKED)$(if $(ARGS),,all),$(MAKE) --no-print-directory bench-micro ARGS="$(MICRO_ASKED)" || failed=1;) \
	$(if $(LOAD_ASKED)$(if $(ARGS),,all),$(MAKE) --no-print-directory bench-load ARGS="$(LOAD_ASKED)" || failed=1;) \
	exit $$failed

bench-micro: setup ## Runs the micro benches alone
	@$(WITH_ENV) cargo bench --locked --bench micro $(if $(ARGS),-- $(ARGS))

bench-load: setup ## Runs the program beside nginx, a bare hyper answer and RocksDB alone (8 minutes)
	@setup/load.sh "$(CACHE)"
	@$(WITH_ENV) . "$(CACHE)/load.env" && cargo bench --locked --bench load $(if $(ARGS),-- $(ARGS))

bench-trust: setup ## A registry with a million endorsements (4 minutes, 2 GB of disk)
	@$(WITH_ENV) cargo bench --locked --bench trust

nation: setup ## A registry with 1.33 billion credentials: make nation DIR=/tmp/nation (5 minutes)
	@$(WITH_ENV) cargo bench --locked --bench nation -- $(DIR) $(ARGS)

bench-peers: setup ## Beside other libraries (compiles them: about 10 minutes the first time)
	@setup/interop.sh "$(CACHE)"
	@$(WITH_ENV) . "$(CACHE)/interop.env" && CARGO_TARGET_DIR="$(CACHE)/peers" cargo run --release --locked --manifest-path benches/peers/Cargo.toml $(if $(ARGS),-- $(ARGS))

fuzz: ## Every parser against made-up inputs: make fuzz SECONDS=600 TARGETS="json credential"
	@setup/fuzz.sh "$(CACHE)" "$(CARGO_FUZZ_VERSION)"
	@$(WITH_FUZZ) tests/fuzz/run.sh run "$(CACHE)" "$(SECONDS)" $(TARGETS)

fuzz-corpus: ## Shrinks what fuzzing found into tests/fuzz/corpus, for make test
	@setup/fuzz.sh "$(CACHE)" "$(CARGO_FUZZ_VERSION)"
	@$(WITH_FUZZ) tests/fuzz/run.sh shrink "$(CACHE)" $(TARGETS)

mutants: setup ## What no test notices when it is changed: make mutants SHARD=0/8 ROOMS=status (hours)
	@$(WITH_ENV) setup/mutants.sh "$(CACHE)" "$(CARGO_MUTANTS_VERSION)" "$(SHARD)" $(ROOMS)

new-user: ## A new user's path in a fresh clone, timed: make run to a credential shown as revoked
	@setup/new-user.sh "$(CURDIR)" $(PROGRAM)

check: fmt clippy doc deny ## Formatting, lints, documentation, licences and advisories

fmt:
	cargo fmt --check

clippy: setup
	@$(WITH_ENV) cargo clippy --locked --all-targets -- -D warnings
	@$(WITH_ENV) cargo clippy --locked --all-targets --no-default-features -- -D warnings

doc: setup
	@$(WITH_ENV) RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

deny: setup
	@setup/deny.sh "$(CACHE)" "$(CARGO_DENY_VERSION)"

setup: ## Brings what building needs and is missing (the first time: 10 to 30 minutes)
	@setup/prepare.sh "$(CACHE)" "$(ROCKSDB_VERSION)"

env: setup ## Prints the settings to call cargo by hand: . the file it names
	@echo ". $(CACHE)/build.env"

clean-cache: ## Removes the cache folder
	rm -rf "$(CACHE)"
