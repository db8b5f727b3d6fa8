#!/usr/bin/env bash
# What a change of src/proto/ must pass: buf's lint, no break against a commit, and generated code that is up to date.
#   .ci/proto.sh [COMMIT]     compared with HEAD's parent by default; a commit that is not there, or had no src/proto, is not compared
# Needs what `npm ci` has installed.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/node_modules/.bin:$PATH
base=${1:-HEAD^}

buf lint src/proto
if git cat-file -e "$base:src/proto/buf.yaml" 2> /dev/null; then
  before=$(mktemp -d)
  trap 'rm -rf "$before"' EXIT
  git archive "$base" src/proto | tar -x -C "$before"
  buf breaking src/proto --against "$before/src/proto"
else
  echo "nothing to compare with at $base"
fi
npm run --silent generate -- --check
