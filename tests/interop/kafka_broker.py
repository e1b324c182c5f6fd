# SPDX-License-Identifier: Apache-2.0
"""A single-node Kafka broker on the loopback interface, and a client of it."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time

# Few partitions, so that little is written; small segments of committed offsets and
# transactions as the defaults have them.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
log.cleaner.backoff.ms=200
log.initial.task.delay.ms=100
log.flush.start.offset.checkpoint.interval.ms=200
"""
_QUORUM = {
    "3": "controller.quorum.voters=1@127.0.0.1:{controller_port}\n",
    "4": "controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}\n",
}
_CLUSTER = "4b1e2c6a0f3d4e57"
_START_SECONDS = 120
_STOP_SECONDS = 60
_JAVA = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData",
         "-Xlog:disable", "-Xmx512m")


def _free_ports(count):
    """Ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Broker:
    """A broker of the Kafka whose jars are in `jars`, with its log directory in `data`."""

    def __init__(self, jars, work):
        self.jars = jars
        self.version = os.path.basename(jars)
        self.data = os.path.join(work, "data")
        self.port, controller_port = _free_ports(2)
        self._config = os.path.join(work, "server.properties")
        self._log = os.path.join(work, "broker.log")
        self._process = None
        text = _PROPERTIES + _QUORUM[self.version[0]]
        with open(self._config, "w", encoding="utf-8") as config:
            config.write(text.format(
                port=self.port, controller_port=controller_port, data=self.data))
        standalone = ["--standalone"] if self.version[0] == "4" else []
        self._run("kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", self._config,
                  *standalone)

    def _run(self, *arguments):
        subprocess.run([*_JAVA, "-cp", f"{self.jars}/*", *arguments], check=True,
                       stdout=subprocess.DEVNULL)

    def start(self):
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [*_JAVA, "-cp", f"{self.jars}/*", "kafka.Kafka", self._config],
                stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.2)
        self.kill()
        with open(self._log, encoding="utf-8") as log:
            raise AssertionError(f"Kafka {self.version} did not start:\n{log.read()[-4000:]}")

    def stop(self):
        """As an operator does: the broker writes its checkpoints, and that it was stopped."""
        self._process.terminate()
        self._process.wait(_STOP_SECONDS)
        self._process = None

    def copy_as_crashed(self, to):
        """Copies its directory to what a crash of the broker, at this moment, would leave."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            shutil.copytree(self.data, to)
        finally:
            self._process.send_signal(signal.SIGCONT)

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def address(self):
        return f"127.0.0.1:{self.port}"


class Client:
    """BrokerClient.java, compiled into `classes` for the Kafka in `jars`; and ExportClient.java,
    if `programs` has it."""

    def __init__(self, jars, classes, programs=("BrokerClient",)):
        here = os.path.dirname(os.path.abspath(__file__))
        sources = [os.path.join(here, f"{program}.java") for program in programs]
        self._class_path = f"{classes}:{jars}/*"
        subprocess.run(
            ["javac", "-J-XX:-UsePerfData", "-nowarn", "-Xlint:-removal", "-cp", f"{jars}/*", "-d",
             classes, *sources], check=True, stderr=subprocess.DEVNULL)

    def _run(self, broker, *arguments, program="BrokerClient"):
        return subprocess.run(
            [*_JAVA, "-Dfile.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8", "-cp",
             self._class_path, program, broker.address(), *arguments],
            check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout

    def write(self, broker, records):
        """Fills the broker's topics, with so many records in each of them."""
        self._run(broker, "write", str(records))

    def read(self, broker, topic=None, isolation="read_uncommitted"):
        """What a consumer sees of all topics, records, bounds and committed offsets; or of
        one, records and bounds."""
        return [json.loads(line) for line in self._run(
            broker, "read", isolation, *([topic] if topic else [])).splitlines()]

    def at_broker(self, broker, verb, *arguments):
        """A verb of ExportClient; returns the lines that it prints."""
        return self._run(broker, verb, *arguments, program="ExportClient").splitlines()

    def read_settled(self, broker, pause_s):
        """The same, of all topics, when the log cleaner is done with the compacted one: what a
        consumer of each isolation level sees."""
        before = None
        while (now := self.read(broker, "compacted")) != before:
            before = now
            time.sleep(pause_s)
        return {isolation: self.read(broker, isolation=isolation)
                for isolation in ("read_uncommitted", "read_committed")}
