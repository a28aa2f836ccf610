#!/usr/bin/env bash
# Install Chromium for the browser tests, unless it is there or CHROMIUM names one.
set -euo pipefail

if [ -n "${CHROMIUM:-}" ] || command -v chromium > /dev/null; then
    exit
fi
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    echo "Installing Chromium ..."
    apt-get update --quiet=2 && apt-get install --quiet=2 --yes chromium > /dev/null && exit
fi
echo "No Chromium found. Debian, Ubuntu: sudo apt-get install chromium; or name one in CHROMIUM." >&2
exit 1
