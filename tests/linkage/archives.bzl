# SPDX-License-Identifier: Apache-2.0
"""The archives that a library is linked from."""

def _archives_impl(ctx):
    archives = []
    for linker_input in ctx.attr.library[CcInfo].linking_context.linker_inputs.to_list():
        if ctx.attr.own_only and linker_input.owner.workspace_name:
            continue
        for library in linker_input.libraries:
            archive = library.static_library or library.pic_static_library
            if archive:
                archives.append(archive)
    return [DefaultInfo(
        files = depset(archives),
        runfiles = ctx.runfiles(files = archives),
    )]

archives = rule(
    implementation = _archives_impl,
    doc = "All static libraries of `library` and what it depends on.",
    attrs = {
        "library": attr.label(mandatory = True, providers = [CcInfo]),
        "own_only": attr.bool(doc = "Without those of other repositories."),
    },
)
