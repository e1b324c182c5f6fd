#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What ./dev lint runs: the checks that need clang, and then the rules. With
# `format`, what ./dev format runs: applies the formatting.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
ROOMS=()
for room in index log codec api tools bench tests examples; do
  [[ ! -d "${room}" ]] || ROOMS+=("${room}")
done

passed=0
failed=0

# check WHAT COMMAND...: one check; what it prints is shown if it fails.
check() {
  local what="$1" start=${SECONDS} output
  shift
  printf '%s ... ' "${what}"
  if output="$("$@" 2>&1)"; then
    printf 'ok (%s s)\n' "$((SECONDS - start))"
    passed=$((passed + 1))
  else
    printf 'FAILED\n%s\n' "${output}"
    failed=$((failed + 1))
  fi
}

# sources SUFFIX: our files of that kind, one a line.
sources() { find "${ROOMS[@]}" -name "*$1" | sort; }

# Runs a command for every line of its input, on all processors, to the end.
for_each() { xargs --no-run-if-empty --max-procs="$(nproc)" "$@"; }

formatted() {
  { sources .h && sources .cc; } | for_each -I{} bash -c \
    'clang-format "{}" | cmp --silent - "{}" || { echo "{}: not formatted" && exit 1; }'
}

# The compiler's arguments outside Bazel: one a line.
flags() {
  local external
  external="$(./dev bazel info output_base 2>/dev/null)/external"
  printf '%s\n' -std=c++20 -I. -Wall -Wextra -Werror -Wthread-safety -Wno-unused-function \
    -isystem "${external}/com_google_absl" \
    -isystem "${external}/com_google_googletest/googletest/include" \
    -isystem "${external}/com_google_googletest/googlemock/include" \
    -isystem "${external}/com_github_google_benchmark/include" \
    -isystem "${external}/cli11/include" -isystem "${external}/nlohmann_json/include"
}

# A header that its own source includes first (a rule of tests/lint) has been
# compiled alone already.
headers_alone() {
  sources .h | while read -r header; do
    [[ -e "${header%.h}.cc" ]] || printf '%s\n' "${header}"
  done | for_each -n 1 clang++ -fsyntax-only -xc++ "${FLAGS[@]}"
}

tidy() {
  local warnings=(-Wshadow -Wconversion -Wsign-conversion)
  { sources .cc | grep -v -e ^tests/ -e ^bench/ || true; } |
    for_each -I{} clang-tidy --quiet {} -- "${FLAGS[@]}" "${warnings[@]}" \
      2> >(grep -v "warnings generated" >&2)
}

rules() {
  local output
  output="$(./dev test //tests/lint/... 2>&1)" || { printf '%s\n' "${output}" && return 1; }
}

if [[ "${1:-}" == format ]]; then
  { sources .h && sources .cc; } | for_each -n 8 clang-format -i
  exit
fi

check "formatting (./dev format applies it)" formatted
check "the rules of tests/lint" rules
check "clang: every target, thread-safety and layering" \
  ./dev bazel build --config=clang --keep_going //...
mapfile -t FLAGS < <(flags)
check "every header compiles alone" headers_alone
check "clang-tidy" tidy

printf '\n%d passed, %d failed\n' "${passed}" "${failed}"
((failed == 0))
