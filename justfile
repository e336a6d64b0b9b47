# Short names for the commands of README.md and CONTRIBUTING.md: `just`, or read them off here.

# Pictures of our own in an embedded bucket, on http://127.0.0.1:8080
demo:
    cargo run --release -- demo

# Everything that a change must pass
check:
    cargo fmt --all --check
    cargo clippy --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps
    cargo test

# Rewrite the tables in docs/ and README.md that are made from the code
bless:
    AQUATINT_BLESS=1 cargo test --test it docs
