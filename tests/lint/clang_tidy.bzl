# SPDX-License-Identifier: Apache-2.0
"""clang-tidy, as actions: what it found sound stays in the cache of objects.

An aspect: for each source of this repository's libraries and programs, but for those
of tests/ and bench/, an action that runs clang-tidy with the include paths of the
target. Each source has an output group: its path, with `_` for what is no letter or
digit. The group `clang_tidy` has them all.

    bazel build --aspects=//tests/lint:clang_tidy.bzl%clang_tidy \\
        --output_groups=clang_tidy_log_segment_cc //...
"""

_KINDS = ("cc_library", "cc_binary")
_NOT_IN = ("tests", "bench", "third_party")
_FLAGS = [
    "-std=c++20",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wthread-safety",
    "-Wno-unused-function",
    "-Wshadow",
    "-Wconversion",
    "-Wsign-conversion",
]

def _group_of(source):
    letters = [c if c.isalnum() else "_" for c in source.short_path.elems()]
    return "clang_tidy_" + "".join(letters)

def _is_external(path):
    return path.startswith("external/") or "/external/" in path

# Other repositories' headers are a system's: nothing is said about them.
def _include_flags(context):
    flags = []
    for path in context.quote_includes.to_list() + context.includes.to_list():
        flags += ["-isystem" if _is_external(path) else "-iquote", path]
    for path in context.system_includes.to_list():
        flags += ["-isystem", path]
    return flags

def _check(ctx, source, headers, context):
    stamp = ctx.actions.declare_file("clang_tidy/%s/%s.ok" % (ctx.label.name, source.basename))
    arguments = ctx.actions.args()
    arguments.add(stamp)
    arguments.add(source)
    arguments.add_all(_FLAGS + _include_flags(context))
    ctx.actions.run_shell(
        # The stamp is there only when nothing was found.
        command = 'stamp="$1" source="$2"; shift 2; ' +
                  'clang-tidy --quiet "${source}" -- "$@" 2>"${stamp}.log" || ' +
                  '{ cat "${stamp}.log"; exit 1; } && : >"${stamp}"',
        arguments = [arguments],
        inputs = depset([source, ctx.file._config], transitive = [headers]),
        outputs = [stamp],
        mnemonic = "ClangTidy",
        progress_message = "clang-tidy %s" % source.short_path,
        use_default_shell_env = True,
    )
    return stamp

def _clang_tidy_impl(target, ctx):
    room = target.label.package.split("/")[0]
    if target.label.workspace_name or room in _NOT_IN or ctx.rule.kind not in _KINDS:
        return []
    own = ctx.rule.files.srcs + getattr(ctx.rule.files, "hdrs", [])
    # A library's own headers are found by their prefix, which it makes; a program has none.
    libraries = ctx.rule.attr.deps + ([target] if ctx.rule.kind == "cc_library" else [])
    info = cc_common.merge_cc_infos(cc_infos = [library[CcInfo] for library in libraries])
    context = info.compilation_context
    headers = depset([f for f in own if f.extension == "h"], transitive = [context.headers])
    groups = {}
    for source in own:
        if source.extension == "cc":
            groups[_group_of(source)] = depset([_check(ctx, source, headers, context)])
    return [OutputGroupInfo(clang_tidy = depset(transitive = groups.values()), **groups)]

clang_tidy = aspect(
    implementation = _clang_tidy_impl,
    attrs = {
        "_config": attr.label(default = "//:.clang-tidy", allow_single_file = True),
    },
)
