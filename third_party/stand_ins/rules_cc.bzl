# SPDX-License-Identifier: Apache-2.0
"""Stands in for @rules_cc//cc:defs.bzl where Debian's Bazel is used.

Debian's own package of rules_cc does not load in Debian's Bazel, whose native
rules are all that is needed.
"""

cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
fdo_profile = native.fdo_profile
objc_import = native.objc_import
objc_library = native.objc_library
