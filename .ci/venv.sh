#!/bin/sh
# Make .venv with the newest working Python of 3.11-3.13 at hand, and put exactly requirements.lock into it.
# A Python on PATH may be a shim with nothing behind it, and Debian's comes without ensurepip: a candidate
# counts only when it starts and has what a virtual environment needs.
set -eu
cd "$(dirname "$0")/.."
export UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1

newest() {
    for version in 3.13 3.12 3.11; do
        for python in $(which -a "python$version" python3 || true) "/usr/bin/python$version" \
            "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
            if "$python" -c "import ensurepip, ssl, sqlite3, sys, venv
sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
                echo "$python"
                return
            fi
        done
    done
    return 1
}

install_debian_venv() {
    command -v apt-get >/dev/null || return 1
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "Installing Debian's python3-venv"
    $sudo apt-get update -qq >/dev/null
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv >/dev/null
}

if ! .venv/bin/uv --version >/dev/null 2>&1 || ! .venv/bin/python --version >/dev/null 2>&1; then
    python=$(newest) || { install_debian_venv && python=$(newest); } || {
        echo "No Python 3.11, 3.12 or 3.13 with venv and ensurepip was found on PATH, in /usr/bin or in pyenv." >&2
        echo "Install one, on Debian 12 with: apt-get install python3 python3-venv" >&2
        exit 1
    }
    echo "Making .venv with $("$python" --version) ($python)"
    "$python" -m venv --clear .venv
    .venv/bin/pip install --quiet "$(grep '^uv==' requirements.lock)"
fi
# Compiling now halves Airflow's first start.
.venv/bin/uv pip sync --quiet --python .venv/bin/python --compile-bytecode requirements.lock
