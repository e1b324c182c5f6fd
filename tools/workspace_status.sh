#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What Bazel is told of the checkout at each build: its commit. Only
# //tools:stamped_commit reads it. Outside of git there is nothing to say.
commit="$(git describe --always --dirty --exclude='*' --abbrev=12 2>/dev/null)" || exit 0
printf 'STABLE_VARVE_COMMIT %s\n' "${commit}"
