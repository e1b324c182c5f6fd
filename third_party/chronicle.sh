#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Gets Chronicle Queue, which `./dev bench compare` measures beside varve, and
# what it needs at run time, from Maven's central repository, once: each archive
# must have the SHA-256 that third_party/chronicle.sha256 says. Safe to call
# again. The last line it prints is the directory that has them, below the
# user's cache. `third_party/setup.sh chronicle` installs the JDK and Maven.
set -euo pipefail

VERSION=2026.4
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
PINS="${ROOT}/third_party/chronicle.sha256"
CACHE="${XDG_CACHE_HOME:-${HOME}/.cache}/varve"
TO="${CACHE}/chronicle/${VERSION}"
LOG="${CACHE}/chronicle.log"

say() { printf '%s\n' "$*" >&2; }
die() {
  say "varve, Chronicle Queue: $*"
  exit 1
}

# Without what reports to its maker that the library is used, and with a logging
# backend that says nothing.
project() {
  cat <<POM
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>varve</groupId>
  <artifactId>chronicle</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>net.openhft</groupId>
      <artifactId>chronicle-queue</artifactId>
      <version>${VERSION}</version>
      <exclusions>
        <exclusion>
          <groupId>net.openhft</groupId>
          <artifactId>chronicle-analytics</artifactId>
        </exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-nop</artifactId>
      <version>2.0.17</version>
    </dependency>
  </dependencies>
</project>
POM
}

# Those that are pinned, each with its bytes, and no other.
check() {
  (cd "$1" && sha256sum --check --strict --quiet "${PINS}") >>"${LOG}" 2>&1 &&
    [[ "$(cd "$1" && printf '%s\n' *.jar | wc -l)" == "$(wc -l <"${PINS}")" ]]
}

fetch() {
  local start=${SECONDS}
  command -v mvn >/dev/null || die "there is no Maven; third_party/setup.sh chronicle installs it"
  say "  fetching Chronicle Queue ${VERSION} with Maven into ${TO} ..."
  rm -rf "${TO}.new"
  mkdir -p "${TO}.new"
  project >"${TO}.new/pom.xml"
  if ! mvn --quiet --batch-mode --file "${TO}.new/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="${TO}.new" >"${LOG}" 2>&1; then
    grep -m 2 ERROR "${LOG}" | cut -c 1-300 >&2
    rm -rf "${TO}.new"
    die "Maven could not get it; its output is in ${LOG}"
  fi
  if ! check "${TO}.new"; then
    rm -rf "${TO}.new"
    die "what came is not what ${PINS} says; ${LOG} has more"
  fi
  mv "${TO}.new" "${TO}"
  say "  done ($((SECONDS - start)) s)"
}

main() {
  mkdir -p "${CACHE}/chronicle"
  exec 9>"${CACHE}/chronicle.lock"
  flock 9
  [[ -d "${TO}" ]] || fetch
  printf '%s\n' "${TO}"
}

main
