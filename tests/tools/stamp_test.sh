#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The program that is stamped says its commit, or none where there is no git.
set -euo pipefail

readonly SAID="$(tools/varve_stamped --version)"
if [[ ! "${SAID}" =~ ^varve\ [0-9]+\.[0-9]+\.[0-9]+(\ \([0-9a-f]{12,40}(-dirty)?\))?$ ]]; then
  printf 'FAILED: %s\n' "${SAID}" >&2
  exit 1
fi
echo "PASSED: ${SAID}"
