# SPDX-License-Identifier: Apache-2.0
"""A registry of modules for a Bazel that can download nothing.

The libraries are those that third_party/setup.sh unpacked, and the rules those of the
packages that Debian's Bazel depends on. Each is taken in whatever version is asked for.
What is asked for and is not there becomes a module with nothing in it, which is enough
unless a build needs something of it; that build says so.
"""

import ast
import glob
import json
import os
import re

# Module: its place in the directory of setup.sh. Each has to be there.
_LIBRARIES = {
    "abseil-cpp": "com_google_absl",
    "cli11": "cli11",
    "google_benchmark": "com_github_google_benchmark",
    "googletest": "com_google_googletest",
    "lz4": "lz4",
    "nlohmann_json": "nlohmann_json",
    "snappy": "snappy",
    "zlib": "zlib",
    "zstd": "zstd",
}
_DEBIAN = "/usr/share/bazel"
# What a library whose sources have no MODULE.bazel asks for.
_PLATFORMS = 'bazel_dep(name = "platforms", version = "0.0.10")\n'
# Bazel's own module has it make a repository, which `bazel mod` evaluates.
_NOT_QUITE_EMPTY = {"buildozer": {"buildozer_binary.bzl": """
def _empty_impl(context):
    context.file("BUILD.bazel")

_empty = repository_rule(implementation = _empty_impl)

def _binary_impl(_):
    _empty(name = "buildozer_binary")

buildozer_binary = module_extension(implementation = _binary_impl)
"""}}


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _calls(text, function):
    """Keyword arguments of each call of the function, those that are constants."""
    for node in ast.walk(ast.parse(text)):  # Starlark is Python enough.
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == function:
            yield {keyword.arg: keyword.value.value for keyword in node.keywords
                   if isinstance(keyword.value, ast.Constant)}


def needed():
    """Whether the Bazel here is Debian's."""
    return os.path.isdir(f"{_DEBIAN}/embedded_tools")


def dependencies(text, dev=False):
    """(module, version) of each bazel_dep; those for development alone only if `dev`."""
    return {(call["name"], call["version"]) for call in _calls(text, "bazel_dep")
            if "version" in call and (dev or not call.get("dev_dependency"))}


def trees(repositories):
    """Module -> directory of its sources."""
    found = {}
    for path in glob.glob(f"{_DEBIAN}/rules/*/MODULE.bazel") + glob.glob(
            f"{_DEBIAN}/tools/*/MODULE.bazel"):
        for call in _calls(_read(path), "module"):
            found[call["name"]] = os.path.dirname(path)
    for name, place in _LIBRARIES.items():
        found[name] = os.path.join(repositories, place)
        if not os.path.isdir(found[name]):
            raise FileNotFoundError(f"{found[name]}: third_party/setup.sh makes it")
    return found


def _module_text(name, version, tree):
    """What its MODULE.bazel says. Of a library there is one version; of another one it is
    not known here what that asks for."""
    path = os.path.join(tree, "MODULE.bazel")
    if not os.path.exists(path):
        text = f'module(name = "{name}", version = "{version}")\n'
        return text + (_PLATFORMS if name in _LIBRARIES else "")
    text = _read(path)
    own = next(_calls(text, "module"))
    if name in _LIBRARIES and own["version"] != version:
        level = own.get("compatibility_level", 0)
        return f'module(name = "{name}", version = "{version}", compatibility_level = {level})\n'
    return re.sub(r'\bversion = "[^"]*"', f'version = "{version}"', text, count=1)


class Registry:
    """What is written below a directory, and for whom."""

    def __init__(self, directory, repositories):
        self.directory = directory
        self.places = trees(repositories)
        self.empty = []

    def add(self, name, version):
        """Writes the module; returns what it asks for."""
        if name not in self.places:
            self.empty.append(name)
            self.places[name] = os.path.join(self.directory, "empty", name)
            _write(os.path.join(self.places[name], "BUILD.bazel"), "")
            _write(os.path.join(self.places[name], "REPO.bazel"), "")
            for file, text in _NOT_QUITE_EMPTY.get(name, {}).items():
                _write(os.path.join(self.places[name], file), text)
        text = _module_text(name, version, self.places[name])
        place = os.path.join(self.directory, "modules", name, version)
        _write(os.path.join(place, "MODULE.bazel"), text)
        _write(os.path.join(place, "source.json"),
               json.dumps({"type": "local_path", "path": self.places[name]}))
        return dependencies(text)

    def add_all(self, modules):
        """Those modules, and all that they lead to."""
        done, new = set(), set(modules)
        while new:
            done |= new
            new = set().union(*(self.add(*module) for module in new)) - done


def write(directory, repositories, roots):
    """Writes the registry for the MODULE.bazel files `roots`, each of which may ask for
    the others. Returns the names of the modules that are empty."""
    registry = Registry(directory, repositories)
    texts = [_read(path) for path in roots]
    own = {call["name"] for text in texts for call in _calls(text, "module")}
    asked = set().union(*(dependencies(text, dev=True) for text in texts))
    registry.add_all({module for module in asked if module[0] not in own}
                     | dependencies(_read(f"{_DEBIAN}/embedded_tools/MODULE.bazel")))
    return sorted(registry.empty)
