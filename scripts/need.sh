# Sourced by the other scripts: checks that what a build needs is there. As root on Debian it installs
# what is missing; else it says in one line what to run.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The oldest compiler that Cargo.toml accepts.
rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# need PROGRAM PACKAGE: PROGRAM can be run, or PACKAGE brings it.
need() {
    command -v "$1" >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing $2 (for $1)" >&2
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2"; } >/dev/null && return
    fi
    echo "missing: $1; install it with: sudo apt-get install -y $2" >&2
    exit 69
}

# need_rust: a compiler that is new enough.
need_rust() {
    if [ -z "$(command -v cargo)" ] && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH="$HOME/.cargo/bin:$PATH"
    fi
    if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
        echo "missing: rust $rust_wanted; install it with: curl -sSf https://sh.rustup.rs | sh -s -- -y" >&2
        exit 69
    fi
    local have
    have=$(rustc --version | cut -d' ' -f2)
    if [ "$(printf '%s\n%s\n' "$rust_wanted" "${have%%-*}" | sort -V | head -n1)" != "$rust_wanted" ]; then
        echo "rust $have is too old, $rust_wanted is needed; update it with: rustup update stable" \
            "(or install it with: curl -sSf https://sh.rustup.rs | sh -s -- -y)" >&2
        exit 69
    fi
}

need cc build-essential    # SQLite, zstd and librdkafka are built from source
need make make
need perl perl             # OpenSSL's build
need_rust
