"""Starts the program, and the front proxy with the configuration that is shipped, on free ports of loopback; and watches their memory."""
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FRONT = ROOT / "deploy/front/haproxy.cfg"
STARTS_WITHIN_S = 120
STOPS_WITHIN_S = 30
PR_SET_PDEATHSIG = 1
# What is measured goes before everything else that the machine does.
MEASURED_NICE = -20
# The chart asks for a fifth of the server's CPU for the front; 1.25^7 is about 5.
FRONT_NICE = MEASURED_NICE + 7


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def placed(cpu, nice):
    """Puts this process on a core; a priority that only root may ask for is left out for others."""
    os.sched_setaffinity(0, {cpu})
    if nice >= 0 or os.geteuid() == 0:
        os.nice(nice)


def child_of_this(cpu, nice):
    """In a child, before its program begins: it ends when this process does, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if cpu is not None:
        placed(cpu, nice)


def rss_bytes(pid):
    """Resident memory of a process; 0 when it is gone."""
    try:
        return int(re.search(r"^VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]) * 1024
    except (OSError, TypeError):
        return 0


class Started:
    """A process of ours, with its log in a file."""

    def __init__(self, command, log, cpu=None, env=None, nice=MEASURED_NICE):
        self.log = pathlib.Path(log)
        with self.log.open("wb") as out:
            self.process = subprocess.Popen([str(c) for c in command], stdout=out, stderr=out, env={**os.environ, **(env or {})},
                                            preexec_fn=lambda: child_of_this(cpu, nice))
        self.pid = self.process.pid

    @property
    def alive(self):
        return self.process.poll() is None

    def stop(self, how=signal.SIGINT):
        if self.alive:
            self.process.send_signal(how)
            try:
                self.process.wait(STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def text(self):
        return self.log.read_text(errors="replace")


class Server(Started):
    """`warmline serve` on the data directory; `wait()` returns once it listens."""

    def __init__(self, program, data, *arguments, cpu=None, env=None, log=None):
        self.data = pathlib.Path(data)
        super().__init__([program, "serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", *arguments],
                         log or self.data / "serve.log", cpu, env)
        end = time.monotonic() + STARTS_WITHIN_S
        while not (found := re.search(r"listens on port (\d+) \(gRPC\) and (\d+)", self.text())):
            if not self.alive or time.monotonic() > end:
                raise RuntimeError(f"{program} did not start:\n{self.text()}")
            time.sleep(0.05)
        self.port, self.ops_port = int(found[1]), int(found[2])
        self.address, self.ops_address = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.ops_port}"

    @property
    def token(self):
        return (self.data / "operator.token").read_text().strip()

    def page(self, path, timeout_s=10):
        """(status, text) of the operations port; (0, why) when it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{self.ops_address}{path}", timeout=timeout_s) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)


class Front(Started):
    """The front proxy before a server, with the configuration that is shipped; `env` changes its limits."""

    def __init__(self, server_address, folder, cpu=None, env=None, config=FRONT, haproxy=None):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        host, _, port = server_address.rpartition(":")
        values = {"WARMLINE_FRONT_LISTEN": self.address, "WARMLINE_FRONT_SERVER": f"{host}:{port}", "WARMLINE_FRONT_STATUS_LISTEN": f"127.0.0.1:{free_port()}", **(env or {})}
        self.status_address = values["WARMLINE_FRONT_STATUS_LISTEN"]
        super().__init__([haproxy or os.environ.get("HAPROXY", "haproxy"), "-f", config], pathlib.Path(folder) / "front.log", cpu, values, FRONT_NICE)
        end = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if not self.alive or time.monotonic() > end:
                    raise RuntimeError(f"the front did not start:\n{self.text()}") from None
                time.sleep(0.02)


class Memory:
    """Samples the memory of processes together until `stop`: what they had at first, and the most since."""

    EVERY_S = 0.02

    def __init__(self, *pids):
        self.pids, self.stopped = pids, threading.Event()
        self.idle = self.peak = self.now()
        self.thread = threading.Thread(target=self.sample, daemon=True)
        self.thread.start()

    def now(self):
        return sum(rss_bytes(pid) for pid in self.pids)

    def sample(self):
        while not self.stopped.wait(self.EVERY_S):
            self.peak = max(self.peak, self.now())

    def stop(self):
        self.stopped.set()
        self.thread.join()
        return self.peak - self.idle


def copy_of(data):
    """A data directory to change, as the one given."""
    target = pathlib.Path(tempfile.mkdtemp(prefix="warmline-"))
    shutil.copytree(data, target / "data", ignore=shutil.ignore_patterns("*.log", "lock"))
    return target / "data"
