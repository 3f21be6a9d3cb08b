#!/bin/sh
# Runs before azd packs the app: copies the scripts of /docs and /redoc from npm packages into the app.
set -eu

python=$(command -v python3 || command -v python) || python=
if [ -z "$python" ] || ! command -v npm >/dev/null; then
  echo "prepackage: without Python and npm, the pages /docs and /redoc have no scripts; the API works without them" >&2
  exit 0
fi

npm ci --silent --no-audit --no-fund --ignore-scripts
"$python" -m functions.http.pages.assets
