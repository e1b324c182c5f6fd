#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Gets Kafka's own tools, which the interoperability tests run, from Maven's
# central repository, once. Safe to call again.
#
#   third_party/kafka.sh             the versions that varve is checked against
#   third_party/kafka.sh VERSION…    others
#
# The last line it prints is the directory that has them, a directory a version,
# below the user's cache. Where a JDK or Maven is missing, apt installs it.
set -euo pipefail

# Files must suit both: the newest that Debian 12's Java (17) runs, and the last
# of the line before 4.0.
VERSIONS=(4.2.0 3.9.2)
(($#)) && VERSIONS=("$@")

CACHE="${XDG_CACHE_HOME:-${HOME}/.cache}/varve"
HOME_OF_KAFKA="${CACHE}/kafka"
LOG="${CACHE}/kafka.log"

say() { printf '%s\n' "$*" >&2; }
die() {
  say "varve, Kafka's tools: $*"
  exit 1
}

as_root() {
  if [[ "$(id -u)" == 0 ]]; then
    "$@"
  else
    sudo --non-interactive "$@"
  fi
}

install_java() {
  local packages=()
  command -v javac >/dev/null || packages+=(default-jdk-headless)
  command -v mvn >/dev/null || packages+=(maven)
  ((${#packages[@]})) || return 0
  command -v apt-get >/dev/null || die "install a JDK (17 or newer) and Maven"
  say "  apt-get install ${packages[*]} ..."
  # An archive of this machine that cannot be reached is no reason to stop.
  as_root apt-get update >"${LOG}" 2>&1 || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes \
    --no-install-recommends "${packages[@]}" >>"${LOG}" 2>&1 ||
    die "apt-get failed; its output is in ${LOG}"
}

# A project that needs Kafka $1, and a logging backend that says nothing.
project_for() {
  cat <<POM
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>varve</groupId>
  <artifactId>kafka-tools</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>$1</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-nop</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
POM
}

fetch() {
  local version="$1" to="${HOME_OF_KAFKA}/$1" start=${SECONDS}
  [[ -d "${to}" ]] && return 0
  install_java
  say "  fetching Kafka ${version} with Maven into ${to} ..."
  rm -rf "${to}.new"
  mkdir -p "${to}.new"
  project_for "${version}" >"${to}.new/pom.xml"
  if ! mvn --quiet --batch-mode --file "${to}.new/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="${to}.new" >"${LOG}" 2>&1; then
    grep -m 2 ERROR "${LOG}" | cut -c 1-300 >&2
    rm -rf "${to}.new"
    die "Maven could not get Kafka ${version}; its output is in ${LOG}"
  fi
  mv "${to}.new" "${to}"
  say "  done ($((SECONDS - start)) s)"
}

main() {
  local version status=0
  mkdir -p "${HOME_OF_KAFKA}"
  exec 9>"${CACHE}/kafka.lock"
  flock 9
  for version in "${VERSIONS[@]}"; do
    # Without one, the tests can still run with the others.
    (fetch "${version}") || status=1
  done
  printf '%s\n' "${HOME_OF_KAFKA}"
  return "${status}"
}

main
