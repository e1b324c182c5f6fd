#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# smoke_test.sh PROGRAM: every benchmark of the program runs once, small, shows
# a line with its name, and leaves no file behind.
set -euo pipefail

program="$1"
scratch="$(mktemp -d "${TEST_TMPDIR:-/tmp}/smoke-XXXXXX")"
trap 'rm -rf "${scratch}"*' EXIT

fail() { printf '%s: %s\n' "${program}" "$*" >&2 && exit 1; }

"${program}" --smoke "--scratch=${scratch}" >"${scratch}.out" 2>"${scratch}.err" ||
  { cat "${scratch}.out" "${scratch}.err" >&2 && fail "failed"; }
mapfile -t names < <("${program}" --smoke "--scratch=${scratch}" --benchmark_list_tests)
((${#names[@]} > 0)) || fail "has no benchmark"
for name in "${names[@]}"; do
  grep -qF "${name} " "${scratch}.out" || fail "${name} did not run"
done
! grep -q "ERROR OCCURRED" "${scratch}.out" || fail "a benchmark reports an error"
grep -q "^Ratios of medians" "${scratch}.out" || fail "shows no ratios"
grep -q "core_ping" "${scratch}.err" || fail "does not say what machine it ran on"
left="$(ls -A "${scratch}")"
[[ -z "${left}" ]] || fail "left ${left}"
echo "${#names[@]} benchmarks ran"
