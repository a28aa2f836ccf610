#!/usr/bin/env bash
# Build the wheel, install it into an environment of its own, and run the demo with it from elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf build/wheel
.venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir build/wheel .
wheel=$(ls build/wheel/*.whl)

scripts/venv.sh .venv-wheel "$PWD/.venv/bin/python"
.venv-wheel/bin/python -m pip install --quiet "$wheel[demo]"
# The version stays the same while the code changes: what was just built goes in, whatever was there.
.venv-wheel/bin/python -m pip install --quiet --no-deps --force-reinstall "$wheel"

bin=$PWD/.venv-wheel/bin
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
cd "$elsewhere"
"$bin/jupyter" blocks --help > help.txt
grep --quiet 'run' help.txt
"$bin/python" -c 'from jupyter_blocks.demo import SAMPLE; assert len(list(SAMPLE.iterdir())) == 5'
"$bin/jupyter" blocks demo flights < /dev/null > demo.txt 2>&1 || { cat demo.txt; exit 1; }
test -s flights/out/flights.db
test -s flights/out/delays.png
echo "$(basename "$wheel"): installed, its demo ran."
