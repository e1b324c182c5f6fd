# SPDX-License-Identifier: Apache-2.0
"""The programs of the peers: which of them this machine can build, building them, and the
command that starts one."""

import glob
import os
import subprocess
import sys

import plan

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
_JAVA_SOURCES = os.path.join(ROOT, "bench/peers/chronicle")

# What Chronicle's libraries need to be open to them in Java 17: `jvm.requiredArgs` in the
# profile java17 of the POM that they all have as a parent, net.openhft:root-parent-pom. And
# they must not report that they are used.
_JAVA_FLAGS = (
    "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.util=ALL-UNNAMED",
    "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
    "--add-exports=jdk.unsupported/sun.misc=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=jdk.compiler/com.sun.tools.javac=ALL-UNNAMED",
    "-Dchronicle.analytics.disable=true",
    "-Dchronicle.announcer.disable=true",
)


def chronicle_archives():
    """The directory that third_party/chronicle.sh made, or None."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    found = sorted(path for path in glob.glob(os.path.join(cache, "varve/chronicle/*"))
                   if os.path.isdir(path) and not path.endswith(".new"))
    return found[-1] if found else None


def _runs(command):
    """Whether a command ends well; what it says goes to where this program's errors go."""
    try:
        return subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode == 0
    except OSError:
        return False


class Programs:
    """What could be built. `left_out` has a sentence for each peer that could not."""

    def __init__(self, peers=plan.PEERS, scratch="/tmp", exists=os.path.exists, runs=_runs):
        self._exists = exists
        self._runs = runs
        self._classes = os.path.join(scratch, "classes")
        self._archives = None
        self.left_out = []
        self.peers = [peer for peer in peers if self._is_here(peer)]
        self._build()

    def _is_here(self, peer):
        if peer.program == plan.CHRONICLE:
            self._archives = chronicle_archives()
            if not self._archives:
                self.left_out.append(
                    "Chronicle Queue: it is not here; ./dev bench compare --chronicle gets it")
            return bool(self._archives)
        if peer.header and not self._exists(peer.header):
            self.left_out.append(f"{peer.name}: {peer.package} is not installed")
            return False
        return True

    def _build(self):
        native = [peer for peer in self.peers if peer.program != plan.CHRONICLE]
        target = "//bench/peers:{}".format
        build = [os.path.join(ROOT, "dev"), "bazel", "build"]
        if native and not self._runs(build + [target(peer.program) for peer in native]):
            # Which of them is it?
            for peer in native:
                if not self._runs(build + [target(peer.program)]):
                    self._leave_out(peer, "it could not be built")
        for peer in self.peers[:]:
            if peer.program == plan.CHRONICLE and not self._compile_java():
                self._leave_out(peer, "it could not be compiled; is there a JDK?")

    def _leave_out(self, peer, why):
        self.peers.remove(peer)
        self.left_out.append(f"{peer.name}: {why}")

    def _compile_java(self):
        sources = sorted(glob.glob(os.path.join(_JAVA_SOURCES, "*.java")))
        return self._runs(["javac", "-nowarn", "-cp", os.path.join(self._archives, "*"),
                           "-d", self._classes, *sources])

    def command(self, run, settings, directory):
        """How a run is started. `settings` has the seconds and the MiB of values."""
        if run.peer.program == plan.CHRONICLE:
            start = ["java", *_JAVA_FLAGS,
                     f"-Dchronicle.version={os.path.basename(self._archives)}",
                     "-cp", f"{self._classes}:{os.path.join(self._archives, '*')}",
                     "ChroniclePeer"]
        else:
            start = [os.path.join(ROOT, "bazel-bin/bench/peers", run.peer.program)]
        return start + flags_of(run, settings, directory)


def flags_of(run, settings, directory):
    """The flags that every program takes."""
    flags = [f"--variant={run.variant.name}", f"--directory={directory}",
             f"--seconds={settings.seconds}"]
    if run.mode in (plan.SPINNING, plan.BLOCKING):
        return flags + [f"--rate={plan.RATE}"]
    return flags + [
        f"--work={'read' if run.mode == plan.READ else 'append'}", f"--record={run.record}",
        f"--batch={run.batch}", f"--records={max(settings.mib * (1 << 20) // run.record, 1)}"]
