#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What ./dev lint runs: the rules, and the checks that need clang. What it compiles
# is what ./dev asan compiles, and comes from there.
#
#   lint.sh          clang-tidy looks at what changed since base_commit below
#   lint.sh --all    clang-tidy looks at everything
#   lint.sh format   what ./dev format runs: applies the formatting
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

# A build with clang, for what its compiler says.
clang_build() {
  ./dev bazel build --config=asan-ubsan --keep_going "--build_event_json_file=${EVENTS}" "$@" //...
}

headers_alone() {
  clang_build --aspects=//tests/lint:headers_alone.bzl%headers_alone --output_groups=headers_alone
}

# The commit that changes are counted from: $VARVE_LINT_BASE, or where this branch
# left origin/main; on main itself, where it was six hours before its newest commit.
base_commit() {
  local head base before
  head="$(git rev-parse HEAD)"
  base="${VARVE_LINT_BASE:-$(git merge-base HEAD origin/main 2>/dev/null || true)}"
  if [[ -z "${base}" || "${base}" == "${head}" ]]; then
    before="$(($(git log -1 --format=%ct) - 6 * 60 * 60))"
    base="$(git rev-list -1 --before="${before}" HEAD)"
  fi
  printf '%s' "${base}"
}

# The sources of the rooms' libraries and programs.
tidy_sources() { sources .cc | grep -v -e ^tests/ -e ^bench/ || true; }

# Those of them that changed, or the header of which did. A header without a source
# of its own is seen where it is included first.
changed_sources() {
  local base
  base="$(base_commit 2>/dev/null)" || true
  [[ -n "${base}" ]] || { tidy_sources && return; }
  { git diff --name-only "${base}" && git ls-files --others --exclude-standard; } |
    sort -u | while read -r path; do
      case "${path}" in
        .clang-tidy) tidy_sources ;;
        *.cc) printf '%s\n' "${path}" ;;
        *.h)
          if [[ -e "${path%.h}.cc" ]]; then
            printf '%s\n' "${path%.h}.cc"
          else
            tidy_sources | xargs grep --files-with-matches --fixed-strings \
              "#include \"varve/${path}\"" | sed -n 1p
          fi
          ;;
      esac
    done | sort -u | comm -12 - <(tidy_sources)
}

# tidy SOURCES: a verb above, or "all". What was found sound comes from the cache of
# objects, as long as the source, its headers and .clang-tidy are as they were.
tidy() {
  local groups=clang_tidy
  [[ "$1" == all ]] || groups="$("$1" | tr -c '[:alnum:]\n' _ | sed s/^/clang_tidy_/ | paste -sd,)"
  [[ -z "${groups}" ]] || clang_build \
    --aspects=//tests/lint:clang_tidy.bzl%clang_tidy "--output_groups=${groups}"
}

rules() {
  local output
  output="$(./dev test //tests/lint/... 2>&1)" || { printf '%s\n' "${output}" && return 1; }
}

if [[ "${1:-}" == format ]]; then
  { sources .h && sources .cc; } | for_each -n 8 clang-format -i
  exit
fi

EVENTS="$(mktemp)"
trap 'rm -f "${EVENTS}"' EXIT

check "formatting (./dev format applies it)" formatted
check "the rules of tests/lint" rules
check "clang: every target, thread-safety and layering" clang_build
python3 tests/lint/test_summary.py --only-actions "${EVENTS}"
check "clang: every header compiles alone" headers_alone
python3 tests/lint/test_summary.py --only-actions "${EVENTS}"
if [[ "${1:-}" == --all ]]; then
  check "clang-tidy: everything" tidy all
else
  check "clang-tidy: $(changed_sources | wc -l) sources that changed" tidy changed_sources
fi
python3 tests/lint/test_summary.py --only-actions "${EVENTS}"

printf '\n%d passed, %d failed\n' "${passed}" "${failed}"
((failed == 0))
