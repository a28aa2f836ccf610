#!/usr/bin/env bash
# Run the tests on each of the given Python versions that this machine has.
set -euo pipefail
cd "$(dirname "$0")/.."

for version in "$@"; do
    environment=.venv-$version
    if ! scripts/venv.sh "$environment" "$version"; then
        echo "== Python $version: not on this machine, not tested"
        continue
    fi
    echo "== tests, Python $version"
    if [ ! "$environment/.test" -nt pyproject.toml ]; then
        "$environment/bin/python" -m pip install --quiet --editable '.[demo]' --group test --group newest
        touch "$environment/.test"
    fi
    "$environment/bin/pytest" -q -n "${WORKERS:-2}"
done
