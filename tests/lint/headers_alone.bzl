# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone.

An aspect: for each header of this repository's libraries it compiles a source that
includes nothing else. A header that its own source includes first (a rule of
tests/lint) has been compiled alone already.

    bazel build --aspects=//tests/lint:headers_alone.bzl%headers_alone \\
        --output_groups=headers_alone //...
"""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

_KINDS = ("cc_library", "cc_binary", "cc_test")
_PLAIN = ("tests", "bench")
_FLAGS = ["-Wall", "-Wextra", "-Werror", "-Wthread-safety"]

def _stem(file):
    return file.short_path[:-len(file.extension) - 1]

def _headers_of(rule):
    """The headers that no source of the same name includes."""
    files = list(getattr(rule.files, "srcs", [])) + list(getattr(rule.files, "hdrs", []))
    with_source = {_stem(f): True for f in files if f.extension == "cc"}
    return [f for f in files if f.extension == "h" and f.is_source and _stem(f) not in with_source]

def _headers_alone_impl(target, ctx):
    is_ours = not target.label.workspace_name
    if not is_ours or ctx.rule.kind not in _KINDS:
        return [OutputGroupInfo(headers_alone = depset())]
    sources = []
    for header in _headers_of(ctx.rule):
        source = ctx.actions.declare_file("alone/%s/%s.cc" % (target.label.name, header.basename))
        prefix = "" if header.short_path.split("/")[0] in _PLAIN else "varve/"
        ctx.actions.write(source, '#include "%s%s"\n' % (prefix, header.short_path))
        sources.append(source)
    if not sources:
        return [OutputGroupInfo(headers_alone = depset())]

    toolchain = find_cpp_toolchain(ctx)
    _, outputs = cc_common.compile(
        actions = ctx.actions,
        feature_configuration = cc_common.configure_features(
            ctx = ctx,
            cc_toolchain = toolchain,
            requested_features = ctx.features,
            # Whose header it may include is checked where the target itself is built.
            unsupported_features = ctx.disabled_features + ["layering_check", "module_maps"],
        ),
        cc_toolchain = toolchain,
        name = target.label.name + "_alone",
        srcs = sources,
        compilation_contexts = [target[CcInfo].compilation_context],
        user_compile_flags = _FLAGS,
    )
    return [OutputGroupInfo(headers_alone = depset(outputs.objects + outputs.pic_objects))]

headers_alone = aspect(
    implementation = _headers_alone_impl,
    attrs = {
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
