#!/bin/sh
# Runs before azd packs the app: compiles its modules, and copies the scripts of /docs and /redoc from npm packages into it.
set -eu

python=$(command -v python3.13 || command -v python3 || command -v python) || python=

# A new instance would compile each module again, while a user waits. The bytecode is valid whatever times the files get,
# and a module that is changed later is compiled again.
if [ -n "$python" ] && "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))'; then
  "$python" -m compileall -q -f --invalidation-mode checked-hash functions pixcrawler_sources shared
else
  echo "prepackage: without Python 3.13, the app has no bytecode and starts more slowly" >&2
fi

if [ -z "$python" ] || ! command -v npm >/dev/null; then
  echo "prepackage: without Python and npm, the pages /docs and /redoc have no scripts; the API works without them" >&2
  exit 0
fi

npm ci --silent --no-audit --no-fund --ignore-scripts
"$python" -m functions.http.pages.assets
