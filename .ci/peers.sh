#!/usr/bin/env bash
# Builds the programs that tests run beside the agent: the peers of test/interop, a collector, and kustomize.
#   .ci/peers.sh [go,node,java,python,collector,kustomize]     all by default; what has not changed is not built again
# They land in $GRPC_DOCTOR_CACHE. Needs Go >= 1.26, a JDK >= 17 with Maven, and Python >= 3.11 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${GRPC_DOCTOR_CACHE:-$HOME/.cache/grpc-doctor}
mkdir -p "$cache"
PROTO=src/proto/order

# changed NAME PATH...: whether one of these files differs from what NAME was built of; `built NAME` says that it is done.
changed() {
  local name=$1
  shift
  find "$@" -type f -print0 | sort -z | xargs -0 sha256sum > "$cache/$name.next"
  ! cmp --silent "$cache/$name.next" "$cache/$name.built"
}
built() { mv "$cache/$1.next" "$cache/$1.built"; }

# Go keeps track of what has changed.
build_go() { go_program go; }
build_collector() { go_program collector; }
go_program() {
  (cd "test/interop/$1" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$cache/bin/$1" .)
}

build_java() {
  changed java .ci/peers.sh test/interop/java "$PROTO" || return 0
  rm -rf "$cache/java"
  mvn --batch-mode --quiet --file test/interop/java "-Dpeer.directory=$cache/java" package
  # The classes of one start, laid out in memory: the next ones take half the processor.
  java -XX:ArchiveClassesAtExit="$cache/java/peer.jsa" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
    -cp "$cache/java/peer.jar:$cache/java/lib/*" peer.Main serve < /dev/null > /dev/null 2>&1
  built java
}

build_python() {
  changed python .ci/peers.sh test/interop/python/requirements.txt "$PROTO" || return 0
  rm -rf "$cache/python"
  python3 -m venv "$cache/python"
  "$cache/python/bin/pip" install --quiet --disable-pip-version-check --requirement test/interop/python/requirements.txt
  local packages
  packages=$("$cache/python/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  "$cache/python/bin/python" -m grpc_tools.protoc -I "$PROTO" --python_out="$packages" --grpc_python_out="$packages" order.proto
  built python
}

KUSTOMIZE=v5.7.1
build_kustomize() {
  [ "$("$cache/bin/kustomize" version 2> /dev/null)" != "$KUSTOMIZE" ] || return 0
  GOBIN="$cache/bin" CGO_ENABLED=0 go install -trimpath -ldflags '-s -w' "sigs.k8s.io/kustomize/kustomize/v5@$KUSTOMIZE"
}

build_node() { :; } # npm ci has brought it.

IFS=, read -ra peers <<< "${1:-go,node,java,python,collector,kustomize}"
for peer in "${peers[@]}"; do "build_$peer"; done
