#!/bin/sh
# Prints the newest of Python 3.13, 3.12 and 3.11 that really runs: a pyenv shim exists for
# versions that are not switched on, and some systems ship a Python without venv or ssl.
works() {
    "$1" -c 'import sys, venv, ensurepip, ssl; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}
for version in 3.13 3.12 3.11; do
    for candidate in "python$version" \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python"$version"; do
        if works "$candidate"; then
            command -v "$candidate"
            exit 0
        fi
    done
done
if works python3; then
    command -v python3
    exit 0
fi
echo "PhotoSync needs Python 3.11, 3.12 or 3.13 with venv: install one, or set PYTHON=/path/to/python" >&2
exit 1
