# SPDX-License-Identifier: Apache-2.0
"""The directory in which run.py makes everything, and the commands that it runs."""

import os
import re
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
COMPILER = os.environ.get("CXX", "g++")
OUTPUT_LINES_MAX = 60


class Scratch:
    """The directory of a run, and what is where in it."""

    def use(self, directory):
        self.directory = directory
        self.prefix = self.new("prefix")
        self.build = self.path("build")
        self.libraries = os.path.join(self.prefix, "lib")
        self.headers = os.path.join(self.prefix, "include")

    def path(self, name):
        return os.path.join(self.directory, name)

    def new(self, name):
        """An empty directory of that name, whatever was there."""
        shutil.rmtree(self.path(name), ignore_errors=True)
        os.makedirs(self.path(name))
        return self.path(name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)


SCRATCH = Scratch()


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def attempt(*command):
    """Runs it; its exit status and all that it prints."""
    environment = dict(os.environ, PKG_CONFIG_LIBDIR=os.path.join(SCRATCH.libraries, "pkgconfig"))
    environment.pop("PKG_CONFIG_PATH", None)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=environment, check=False)
    return done.returncode, done.stdout


def run(*command):
    """The same for what has to succeed; only what it prints."""
    status, output = attempt(*command)
    if status != 0:
        end = "\n".join(output.splitlines()[-OUTPUT_LINES_MAX:])
        raise AssertionError(f"{' '.join(command)}: exit status {status}\n{end}")
    return output


def configure(source, build, *variables):
    """CMake's command. It decides all anew; objects of the last run stay."""
    cache = os.path.join(build, "CMakeCache.txt")
    if os.path.exists(cache):
        os.unlink(cache)
    return ("cmake", "-G", "Ninja", "-S", source, "-B", build,
            f"-DCMAKE_CXX_COMPILER={COMPILER}", *(f"-D{variable}" for variable in variables))


def pkg_config(*arguments, package="varve"):
    return run("pkg-config", *arguments, package).split()


def public_headers():
    lines = read(os.path.join(ROOT, "tests/lint/public_headers.txt")).splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def libraries_of(program):
    """The shared libraries that a program names, of those that a codec can need."""
    dynamic = run("readelf", "--dynamic", "--wide", program)
    return sorted(set(re.findall(r"\[lib(z|snappy|lz4|zstd)\.so", dynamic)))


def version():
    numbers = re.findall(r"^#define VARVE_VERSION_\w+ (\d+)$",
                         read(os.path.join(ROOT, "api/version.h")), re.MULTILINE)
    return ".".join(numbers)
