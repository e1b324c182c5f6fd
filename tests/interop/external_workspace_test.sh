#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A Bazel workspace of its own embeds varve, with an Abseil that it declares
# itself: examples/external_workspace is built and run. It compiles Abseil again,
# with its own flags, so the first run takes minutes; after it the objects come from
# the machine's cache of them.
set -euo pipefail

readonly ROOT="$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")"
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
readonly OUTPUT="${VARVE_EXTERNAL_OUTPUT:-${XDG_CACHE_HOME:-${HOME}/.cache}/varve/external}"
readonly DATA="$(mktemp -d "${TEST_TMPDIR:-/tmp}/journal-XXXXXX")"
trap 'rm -rf "${DATA}"' EXIT

bazel=bazel
if command -v bazelisk >/dev/null; then
  bazel=bazelisk
elif [[ -e /usr/bin/bazel-4 ]]; then
  export USE_BAZEL_VERSION="${USE_BAZEL_VERSION:-4}"
fi
# The cache of objects, and where Bazel cannot download, the archives: as ./dev set
# them up.
settings=()
if [[ -e "${ROOT}/.bazelrc.local" ]]; then
  mapfile -t settings < <(sed -n "${ROOT}/.bazelrc.local" \
    -e 's/^build \(--override_repository=\|--config=\|--disk_cache=\)/\1/p')
fi

cd "${ROOT}/examples/external_workspace"
"${bazel}" "--output_user_root=${OUTPUT}" --max_idle_secs=15 build \
  --experimental_convenience_symlinks=ignore --jobs="${VARVE_EXTERNAL_JOBS:-2}" \
  --noshow_progress "${settings[@]}" //:journal
bin="$("${bazel}" "--output_user_root=${OUTPUT}" --max_idle_secs=15 info \
  "${settings[@]}" bazel-bin 2>/dev/null)"

expect() {
  local expected="$1"
  shift
  local got
  got="$("$@")"
  [[ "${got}" == "${expected}" ]] && return
  printf 'FAILED: %s\nexpected: %s\ngot: %s\n' "$*" "${expected}" "${got}" >&2
  exit 1
}
expect $'0 one\n1 two' "${bin}/journal" "${DATA}/store" one two
expect $'0 one\n1 two\n2 three' "${bin}/journal" "${DATA}/store" three
echo "PASSED"
