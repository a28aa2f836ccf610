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
# The plugin is in the wheel, once, and without paths of this machine.
"$bin/jupyter" labextension list > labextensions.txt 2>&1
grep --quiet 'jupyter-blocks v.*enabled.*OK' labextensions.txt || { cat labextensions.txt; exit 1; }
plugin=$("$bin/python" -c 'import sys; print(sys.prefix)')/share/jupyter/labextensions/jupyter-blocks
test "$(find "$plugin" -name 'remoteEntry.*.js' | wc -l)" -eq 1
! grep --quiet --recursive --fixed-strings "$OLDPWD" "$plugin"
"$bin/python" -c 'from jupyter_blocks.demo import SAMPLE; assert len(list(SAMPLE.iterdir())) == 5'
"$bin/jupyter" blocks demo flights < /dev/null > demo.txt 2>&1 || { cat demo.txt; exit 1; }
test -s flights/out/flights.db
test -s flights/out/delays.png
echo "$(basename "$wheel"): installed, its demo ran."
