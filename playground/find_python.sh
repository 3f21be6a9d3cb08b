#!/bin/sh
# Prints the path of a Python 3.13 from PATH, from the versions of pyenv, or from uv. A shim that fails does not count.
is_313() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1; }

for candidate in python3.13 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 python3 python; do
  if is_313 "$candidate"; then command -v "$candidate"; exit 0; fi
done
if command -v uv >/dev/null 2>&1; then
  found=$(uv python find 3.13 2>/dev/null || { uv python install --quiet 3.13 && uv python find 3.13; }) || found=
  if [ -n "$found" ] && is_313 "$found"; then echo "$found"; exit 0; fi
fi
echo "Python 3.13 was not found on PATH, in the versions of pyenv, or by uv." >&2
echo "Install it from https://www.python.org/downloads/, with 'pyenv install 3.13' or 'uv python install 3.13'." >&2
exit 1
