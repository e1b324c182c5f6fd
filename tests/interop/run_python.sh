#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs a Python test. Bazel's own py_test wants a program named `python`, which
# Debian has not.
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$@"
