#!/usr/bin/env bash
# Pins requirements.txt and requirements-dev.txt from pyproject.toml, for every platform and Python from 3.11 on.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
    uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "docs/pin.sh" "$@"
}
compile --output-file requirements.txt
compile --extra dev --constraint requirements.txt --output-file requirements-dev.txt
