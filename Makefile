# The entry points. `make demo` and `make test` install what is missing first (Debian, with apt-get).

# The tests have one build, in which processes can be made to abort at named places.
TESTED := --locked --features failpoints
comma := ,
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))

.PHONY: demo test bench faults soak attack deny fmt

# Everything in one process tree, with a demo shop; DEV="--edge-listen …" passes settings on.
demo:
	@deploy/install.sh demo
	cargo build --profile demo --locked
	@exec "$(TARGET)/demo/tributary" dev $(DEV)

test:
	@deploy/install.sh test
	cargo fmt --check
	cargo clippy --all-targets $(TESTED) -- -D warnings
	cargo test $(TESTED)
	tests/sepa/validate.sh
	cd tests/browser && npm ci --no-audit --no-fund
	cd tests/browser && TRIBUTARY_BIN="$(TARGET)/debug/tributary" node --test

# All sections, or those named: ONLY=pixel,click,connection,latency,memory,settle,growth,together,year.
bench:
	@deploy/install.sh bench
	cargo bench --locked --bench side_by_side -- $(subst $(comma), ,$(ONLY))

# Every fault once, under load; part of `make test`.
faults:
	@deploy/install.sh test
	cargo test $(TESTED) --test faults -- --nocapture

# Every fault often, and everything killed at random for MINUTES.
soak:
	@deploy/install.sh test
	TRIBUTARY_SOAK_MINUTES=$(or $(MINUTES),10) cargo test $(TESTED) --test faults -- --nocapture --test-threads 1

# Licences, sources and bans of what we depend on (deny.toml). It builds cargo-deny once, which takes minutes.
deny:
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny --offline --all-features check bans licenses sources

# Every attack, or those named: ONLY=api,fuzz,malformed,proofs,slow,smuggling,xss. Each fuzz target for FUZZ_SECONDS.
attack:
	@deploy/install.sh attack
	cargo build $(TESTED)
	@ONLY="$(ONLY)" FUZZ_SECONDS="$(FUZZ_SECONDS)" tests/attack/run

fmt:
	cargo fmt
