#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Gets what varve is built with, once. Called by ./dev; safe to call again.
#
#   third_party/setup.sh             the compiler, Bazel and the libraries
#   third_party/setup.sh lint        and clang, clang-format, clang-tidy
#   third_party/setup.sh sanitizers  and clang with its run-times and libFuzzer
#   third_party/setup.sh cost        and valgrind
#   third_party/setup.sh interop     and a JDK, Maven, and Kafka's clients for Python
#   third_party/setup.sh install     and CMake, Ninja, pkg-config, and the codecs' libraries
#   third_party/setup.sh docs        and Doxygen
#   third_party/setup.sh power_loss  and what makes file systems
#   third_party/setup.sh peers       and the libraries that varve is compared with
#   third_party/setup.sh chronicle   and a JDK and Maven, for Chronicle Queue
#
# Where Bazel's downloads can be reached and a recent Bazel (or bazelisk) is
# installed, nothing is fetched here: WORKSPACE names every archive. Elsewhere
# Debian is the source: Bazel is its package `bazel-bootstrap`, the libraries are
# the upstream tarballs of its source packages, verified by apt and unpacked below
# the user's cache, and the git-ignored .bazelrc.local and .cmake.local point Bazel and
# CMake at them. Which server that is comes from this machine's own apt configuration,
# and nothing of that configuration is changed.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
CACHE="${XDG_CACHE_HOME:-${HOME}/.cache}/varve"

# Count up when what is installed, unpacked or written below changes.
GENERATION=3
REPOS="${CACHE}/repos-${GENERATION}"
RC="${ROOT}/.bazelrc.local"
CMAKE="${ROOT}/.cmake.local"
LOG="${CACHE}/setup.log"

# Source packages, by the Debian release that has the version in deps.bzl.
TRIXIE_SOURCES=(abseil googletest cli11 nlohmann-json3 zlib snappy lz4 libzstd)
BOOKWORM_SOURCES=(benchmark)

say() { printf '%s\n' "$*" >&2; }
die() {
  say "varve set-up: $*"
  exit 1
}

# step WHAT COMMAND...: says what it does and how long it took; shows the end of
# the command's output if it fails.
step() {
  local start=${SECONDS}
  printf '  %s ... ' "$1" >&2
  shift
  # In the background, where a failing command inside a function ends it.
  "$@" >"${LOG}" 2>&1 &
  if ! wait $!; then
    say "failed"
    tail -n 20 "${LOG}" >&2
    die "the whole output is in ${LOG}"
  fi
  say "done ($((SECONDS - start)) s)"
}

# --- Packages -----------------------------------------------------------------

PACKAGES=()

# want PACKAGE FILE ...: adds every package whose file is missing.
want() {
  while (($#)); do
    [[ -e "$2" ]] || PACKAGES+=("$1")
    shift 2
  done
}

as_root() {
  if [[ "$(id -u)" == 0 ]]; then
    "$@"
  else
    sudo --non-interactive "$@"
  fi
}

install_packages() {
  ((${#PACKAGES[@]})) || return 0
  command -v apt-get >/dev/null ||
    die "this is no Debian machine; install bazelisk, g++ 12 or newer, python3: ${PACKAGES[*]}"
  if [[ "$(id -u)" != 0 ]]; then
    command -v sudo >/dev/null ||
      die "neither root nor sudo; have installed: apt-get install ${PACKAGES[*]}"
    sudo --validate  # Asks for the password here, not behind a redirection.
  fi
  # Some other archive of this machine that cannot be reached is no reason to
  # stop; a package that cannot be had is.
  step "apt-get update" bash -c "$(declare -f as_root); as_root apt-get update || true"
  step "apt-get install ${PACKAGES[*]}" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends "${PACKAGES[@]}"
  PACKAGES=()
}

# --- Sources ------------------------------------------------------------------

# Prints the address of the Debian archive that this machine's apt uses.
debian_archive() {
  apt-get --print-uris update 2>/dev/null |
    sed -nE "s#^'([^']+)/dists/(bookworm|trixie|oldstable|stable|testing|sid|unstable)/.*#\1#p" |
    sed -n 1p
}

# apt-get with sources, lists and archives of its own; needs no root.
private_apt() {
  apt-get -o "Dir::Etc::sourcelist=${CACHE}/apt/sources.list" -o Dir::Etc::sourceparts=- \
    -o "Dir::State::Lists=${CACHE}/apt/lists" -o "Dir::Cache=${CACHE}/apt/cache" \
    -o APT::Sandbox::User= "$@"
}

fetch_sources() {
  local archive suite keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  archive="$(debian_archive)"
  [[ -n "${archive}" ]] || die "apt has no Debian archive here; install bazelisk instead"
  mkdir -p "${CACHE}"/apt/{src,lists/partial,cache/archives/partial}
  for suite in trixie bookworm; do
    printf 'deb-src [signed-by=%s] %s %s main\n' "${keyring}" "${archive}" "${suite}"
  done >"${CACHE}/apt/sources.list"
  private_apt update
  cd "${CACHE}/apt/src"
  private_apt source --download-only --tar-only --only-source \
    "${TRIXIE_SOURCES[@]/%//trixie}" "${BOOKWORM_SOURCES[@]/%//bookworm}"
}

# unpack REPOSITORY PACKAGE PATTERN...: those files of the upstream tarball.
unpack() {
  local to="${REPOS}.new/$1" name="$1" tarball
  tarball="$(compgen -G "${CACHE}/apt/src/$2_*.orig.tar.*")"
  shift 2
  mkdir -p "${to}"
  tar --extract --file "${tarball}" --directory "${to}" --strip-components 1 \
    --no-same-owner --wildcards "$@"
  [[ -e "${to}/WORKSPACE" ]] || printf 'workspace(name = "%s")\n' "${name}" >"${to}/WORKSPACE"
}

# Repositories that Debian's Bazel asks for and Debian has not, or has too old.
stand_ins() {
  local from="${ROOT}/third_party" to="${REPOS}.new" name
  for name in rules_cc remote_coverage_tools; do
    mkdir -p "${to}/${name}"
    printf 'workspace(name = "%s")\n' "${name}" >"${to}/${name}/WORKSPACE"
  done
  mkdir "${to}/rules_cc/cc"
  touch "${to}/rules_cc/BUILD" "${to}/rules_cc/cc/BUILD"
  cp "${from}/stand_ins/rules_cc.bzl" "${to}/rules_cc/cc/defs.bzl"
  cp "${from}/stand_ins/remote_coverage_tools.BUILD" "${to}/remote_coverage_tools/BUILD"
  cp -r /usr/share/bazel/platforms "${to}/platforms"
  for name in cpu os; do
    cat "${from}/stand_ins/platforms_${name}.BUILD" >>"${to}/platforms/${name}/BUILD"
  done
  for name in cli11 lz4 nlohmann_json snappy zlib zstd; do
    cp "${from}/${name}.BUILD" "${to}/${name}/BUILD.bazel"
  done
}

unpack_sources() {
  rm -rf "${REPOS}.new"
  unpack com_google_absl abseil '*'
  unpack com_google_googletest googletest '*'
  unpack com_github_google_benchmark benchmark '*'
  unpack cli11 cli11 '*/include/*' '*/LICENSE'
  unpack nlohmann_json nlohmann-json3 '*/include/*' '*/LICENSE.MIT'
  unpack zlib zlib --exclude='*/*/*' '*.c' '*.h' '*/LICENSE'
  unpack snappy snappy --exclude='*/*/*' '*.cc' '*.h' '*.h.in' '*/COPYING'
  unpack lz4 lz4 '*/lib/lz4*.c' '*/lib/xxhash.c' '*/lib/*.h' '*/lib/LICENSE'
  unpack zstd libzstd '*/lib/common/*' '*/lib/compress/*' '*/lib/decompress/*' '*/lib/zstd*.h' \
    'zstd-?.?.?/LICENSE'
  stand_ins
  rm -rf "${REPOS}" "${CACHE}/apt"
  mv "${REPOS}.new" "${REPOS}"
}

# --- What this checkout is told -------------------------------------------------

override() {
  local command
  for command in build query fetch; do
    printf '%s --override_repository=%s=%s\n' "${command}" "$1" "$2"
  done
}

# This machine's processor, and where its repositories are if not downloaded.
write_bazelrc() {
  local path
  {
    printf '# Written by third_party/setup.sh; not for version control.\n'
    # Objects are compiled once for all checkouts; `./dev cache` bounds it.
    printf 'build --disk_cache=%s\n' "${CACHE}/objects"
    case "$(uname -m)" in
      x86_64 | aarch64) printf 'build --config=%s\n' "$(uname -m)" ;;
    esac
    if [[ -d "${REPOS}" ]]; then
      for path in "${REPOS}"/*; do
        override "$(basename "${path}")" "${path}"
      done
      override rules_java /usr/share/bazel/rules/java
      override rules_proto /usr/share/bazel/rules/proto
      override bazel_skylib /usr/share/bazel/tools/skylib
    fi
  } >"${RC}.new"
  mv "${RC}.new" "${RC}"
}

# The same for CMake.
write_cmake() {
  {
    printf '# Written by third_party/setup.sh; not for version control.\n'
    [[ ! -d "${REPOS}" ]] ||
      printf 'set(FETCHCONTENT_SOURCE_DIR_ABSL "%s" CACHE PATH "")\n' "${REPOS}/com_google_absl"
  } >"${CMAKE}.new"
  mv "${CMAKE}.new" "${CMAKE}"
}

write_settings() {
  write_cmake
  write_bazelrc
}

# --- What is asked for ----------------------------------------------------------

# True if a Bazel newer than Debian's is here, and can download.
downloads_work() {
  if ! command -v bazelisk >/dev/null; then
    command -v bazel >/dev/null && [[ ! -e /usr/bin/bazel-4 ]] || return 1
  fi
  if command -v curl >/dev/null; then
    curl --silent --head --location --max-time 10 --output /dev/null https://github.com
  else
    timeout 10 bash -c 'exec 3<>/dev/tcp/github.com/443' 2>/dev/null
  fi
}

set_up_build() {
  if ! downloads_work; then
    want bazel-bootstrap /usr/bin/bazel g++ /usr/bin/g++ python3 /usr/bin/python3 \
      bazel-platforms /usr/share/bazel/platforms bazel-skylib /usr/share/bazel/tools/skylib \
      bazel-rules-java /usr/share/bazel/rules/java bazel-rules-proto /usr/share/bazel/rules/proto
    install_packages
    if [[ ! -d "${REPOS}" ]]; then
      step "fetching the sources of ${TRIXIE_SOURCES[*]} ${BOOKWORM_SOURCES[*]}" fetch_sources
      step "unpacking them into ${REPOS}" unpack_sources
    fi
  fi
  write_settings
}

set_up() {
  case "$1" in
    build) set_up_build ;;
    lint)
      want clang /usr/bin/clang clang-format /usr/bin/clang-format clang-tidy /usr/bin/clang-tidy
      ;;
    sanitizers)
      want clang /usr/bin/clang llvm-14 /usr/bin/llvm-symbolizer-14 \
        libclang-rt-14-dev /usr/lib/llvm-14/lib/clang/14.0.6/include/fuzzer
      ;;
    install)
      want cmake /usr/bin/cmake ninja-build /usr/bin/ninja pkgconf /usr/bin/pkg-config \
        zlib1g-dev /usr/include/zlib.h libsnappy-dev /usr/include/snappy.h \
        liblz4-dev /usr/include/lz4frame.h libzstd-dev /usr/include/zstd.h
      ;;
    cost) want valgrind /usr/bin/valgrind ;;
    docs) want doxygen /usr/bin/doxygen python3 /usr/bin/python3 ;;
    interop)
      local modules=/usr/lib/python3/dist-packages
      want default-jdk-headless /usr/bin/javac maven /usr/bin/mvn \
        python3-kafka "${modules}/kafka/__init__.py" \
        python3-confluent-kafka "${modules}/confluent_kafka/__init__.py" \
        python3-lz4 "${modules}/lz4/__init__.py" \
        python3-snappy "${modules}/snappy/__init__.py" \
        python3-zstandard "${modules}/zstandard/__init__.py"
      ;;
    power_loss) want e2fsprogs /sbin/mkfs.ext4 xfsprogs /sbin/mkfs.xfs ;;
    peers)
      want liblmdb-dev /usr/include/lmdb.h librocksdb-dev /usr/include/rocksdb/db.h \
        libleveldb-dev /usr/include/leveldb/db.h libsqlite3-dev /usr/include/sqlite3.h \
        libzmq3-dev /usr/include/zmq.h
      ;;
    chronicle) want default-jdk-headless /usr/bin/javac maven /usr/bin/mvn ;;
    *)
      die "no such tier: $1 (build, lint, sanitizers, cost, interop, install, docs, power_loss," \
        "peers, chronicle)"
      ;;
  esac
  install_packages
}

main() {
  local tier="${1:-build}"
  local stamp="${CACHE}/${tier}-${GENERATION}.stamp"
  if [[ ! -e "${stamp}" ]]; then
    mkdir -p "${CACHE}"
    exec 9>"${CACHE}/lock"
    flock 9
    if [[ ! -e "${stamp}" ]]; then
      say "Setting up (${tier}); once."
      set_up "${tier}"
      touch "${stamp}"
    fi
  fi
  # A checkout may be newer than the set-up of its machine, and this script newer
  # than what it wrote.
  if [[ "${tier}" == build ]] &&
    [[ ! "${RC}" -nt "${stamp}" || "${BASH_SOURCE[0]}" -nt "${RC}" ]]; then
    write_settings
  fi
}

main "$@"
