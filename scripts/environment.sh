# Sourced by the other scripts: makes .venv in the checkout and keeps it in step with pyproject.toml.
# shellcheck shell=bash

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$root/.venv"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

fail() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

# Prints a Python that is new enough. One that was built with optimizations comes first, since bough answers a fifth faster
# on it: that of a distribution (Debian's does not say so), or one that says so; pyenv builds without.
find_python() {
    local wanted candidate
    for wanted in optimized any; do
        for candidate in ${BOUGH_PYTHON:-python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11}; do
            if command -v "$candidate" >/dev/null 2>&1 && "$candidate" - "$wanted" <<'PY' 2>/dev/null
import ensurepip, sys, sysconfig, venv
optimized = sys._base_executable.startswith("/usr/bin/") or "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS"))
sys.exit(sys.version_info < (3, 11) or (sys.argv[1] == "optimized" and not optimized))
PY
            then
                command -v "$candidate"
                return
            fi
        done
    done
    fail "Python 3.11 or newer with venv is needed: install it (Debian: python3-venv) or name one with BOUGH_PYTHON."
}

# Prints what the environment is made from, so that any change of it leads to a new installation.
fingerprint() {
    "$venv/bin/python" - "$root/pyproject.toml" "$1" <<'PY'
import hashlib, sys
from pathlib import Path
print(hashlib.sha256(f"{sys.version} {sys.prefix} {sys.argv[2]} {Path(sys.argv[1]).read_text()}".encode()).hexdigest())
PY
}

# Prints the requirements of a dependency group: older pips cannot read groups themselves.
requirements_of() {
    "$venv/bin/python" - "$root/pyproject.toml" "$1" <<'PY'
import sys, tomllib
from pathlib import Path
print("\n".join(tomllib.loads(Path(sys.argv[1]).read_text())["dependency-groups"][sys.argv[2]]))
PY
}

# ensure_environment run: what bough needs; ensure_environment test: also what its tests and checks need.
ensure_environment() {
    local kind="$1" python stamp wanted
    # A moved checkout leaves scripts with dead paths behind: make the environment anew.
    if ! "$venv/bin/python" -c "import sys; sys.exit(sys.prefix != '$venv')" 2>/dev/null; then
        python="$(find_python)"
        rm -rf "$venv"
        "$python" -m venv "$venv" || fail "$python cannot make a virtual environment."
    fi
    stamp="$venv/.bough-$kind"
    wanted="$(fingerprint "$kind")"
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    printf 'Installing bough into .venv (once) ...\n' >&2
    "$venv/bin/python" -m pip install --quiet --quiet --editable "$root" || fail "pip could not install bough; its message is above."
    if [ "$kind" = test ]; then
        requirements_of test >"$venv/test-requirements.txt"
        "$venv/bin/python" -m pip install --quiet --quiet --requirement "$venv/test-requirements.txt" ||
            fail "pip could not install what the tests need; its message is above."
    fi
    printf '%s\n' "$wanted" >"$stamp"
}
