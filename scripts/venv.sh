#!/usr/bin/env bash
# Create the virtual environment FOLDER, unless it is there, with the first Python that fits.
#
#   scripts/venv.sh FOLDER [PYTHON...]     PYTHON: a version such as 3.12, or a command
#
# Without PYTHON: the default Python if it is 3.11 or newer, else any newer one that is installed.
set -euo pipefail

folder=$1
shift
[ $# -gt 0 ] || set -- python3 3.13 3.12 3.11

# The path of a Python that starts; looks into pyenv too, whose commands exist without working.
find_python() {
    local wanted=$1 candidate
    case $wanted in [0-9]*) set -- "python$wanted" ;; esac
    if command -v pyenv > /dev/null && [[ $wanted == [0-9]* ]]; then
        set -- "$1" "$(pyenv root)/versions/$wanted".*/bin/python
    fi
    for candidate in "$@"; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# Debian keeps the module that venv needs in a package of its own.
ensure_venv() {
    local python=$1 package
    "$python" -c 'import ensurepip' 2> /dev/null && return
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        echo "$python cannot make virtual environments: installing $package ..."
        apt-get update --quiet=2 && apt-get install --quiet=2 --yes "$package" && return
    fi
    echo "$python cannot make virtual environments. Debian, Ubuntu: sudo apt-get install $package" >&2
    exit 1
}

if "$folder/bin/python" -m pip --version > /dev/null 2>&1; then
    exit
fi
for wanted in "$@"; do
    if python=$(find_python "$wanted"); then
        ensure_venv "$python"
        echo "Creating $folder with $("$python" --version) ..."
        rm -rf "$folder"
        "$python" -m venv "$folder"
        # Dependency groups need pip 25.1.
        "$folder/bin/python" -m pip install --quiet --upgrade 'pip>=25.1'
        exit
    fi
done
echo "No Python 3.11 or newer found (looked for: $*). Install one, or name it: make PYTHON=/path/to/python" >&2
exit 1
