#!/usr/bin/env python3
"""What an earlier release wrote, this program still reads: tests/golden/<version> holds a data directory and a PostgreSQL dump of
each release (scripts/make-golden), and the exports that the release made of them."""
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve() / "bin/warmline")
POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
RELEASES = sorted(p for p in (ROOT / "tests/golden").iterdir() if p.is_dir())
MESSAGE = "I led a ward in Aleppo for nine years and wrote a triage handbook. May I ask how you found your first ward here?"


def contains(new, old):
    """Whether `new` says everything that `old` says; it may say more."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(k in new and contains(new[k], v) for k, v in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and len(new) == len(old) and all(contains(n, o) for n, o in zip(new, old))
    return new == old


class Server:
    def __init__(self, data, *options):
        self.data = data
        self.process = subprocess.Popen([PROGRAM, "serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", *options],
                                        stderr=subprocess.PIPE, text=True)
        self.log = []
        self.address = None
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"listens on port (\d+) ", line):
                self.address = f"127.0.0.1:{found[1]}"
                break
        if self.address is None:
            raise AssertionError("it does not start:\n" + "".join(self.log))

    def run(self, command, *arguments):
        done = subprocess.run([PROGRAM, command, "--server", self.address, "--data-dir", self.data, "--pool", "rotterdam", *arguments],
                              capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"{command} {arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process.stderr.close()
        return code


class Golden(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = pathlib.Path(self.directory.name)

    def rows(self, text):
        rows = {}
        for line in text.splitlines():
            row = json.loads(line)
            [(kind, record)] = row.items()
            key = record.get("name") or tuple(sorted(v for v in record.values() if isinstance(v, str)))
            rows[kind, key] = record
        return rows

    def check(self, release, export, data, *options):
        """Everything is there, a match and an ask work, what was erased stays erased; and again after a restart."""
        old = self.rows(gzip.open(release / export, "rt").read())
        self.assertGreater(len(old), 1000)
        server = Server(data, *options)
        try:
            new = self.rows(server.run("export"))
            missing = [key for key, record in old.items() if key not in new or not contains(new[key], record)]
            self.assertEqual([], missing[:5], f"{len(missing)} of {len(old)} records are not as {release.name} wrote them")
            self.assertFalse([key for key in new if "gone-for-good" in str(key)])
            matches = json.loads(server.run("match", "--need", "amina-first-job", "--seeker", "amina-haddad", "--audience", "SEEKER", "--output", "json"))["matches"]
            self.assertTrue(matches)
            told = server.run("inbox")
            self.assertIn("amina-haddad", told, "the introduction of the old release is gone")
            server.run("match", "--seeker", "amina-haddad", "--interest", "skill:triage", "--help-kind", "ADVICE")
            (self.path / "one.jsonl").write_text(json.dumps({"member": {"name": "new-here", "kind": "PERSON", "displayName": "New Here", "interests": [{"interest": "skill:triage"}]}}) + "\n")
            self.assertIn("imported 1", server.run("import", str(self.path / "one.jsonl")))
        finally:
            self.assertEqual(0, server.stop())
        server = Server(data, *options)
        try:
            new = self.rows(server.run("export"))
            self.assertIn("new-here", str([key for key in new if "new-here" in str(key)]))
            self.assertEqual(len(old) + 1, len(new))
        finally:
            self.assertEqual(0, server.stop())

    def test_data_directories(self):
        for release in RELEASES:
            with self.subTest(release.name):
                with tarfile.open(release / "data.tar.gz") as archive:
                    archive.extractall(self.path / release.name)
                self.check(release, "data.jsonl.gz", str(self.path / release.name / "data"))

    def test_data_directories_without_their_snapshots(self):
        for release in RELEASES:
            with self.subTest(release.name):
                with tarfile.open(release / "data.tar.gz") as archive:
                    archive.extractall(self.path / release.name)
                shutil.rmtree(self.path / release.name / "data/snapshots", ignore_errors=True)
                self.check(release, "data.jsonl.gz", str(self.path / release.name / "data"))

    def test_postgresql_dumps(self):
        if not (POSTGRES / "initdb").exists():
            self.skipTest("PostgreSQL 15 is not installed: run scripts/install-packages test")
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        os.chmod(self.path, 0o711)
        home = self.path / "postgres"
        home.mkdir()
        if as_postgres:
            shutil.chown(home, "postgres", "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        at = ["-h", "127.0.0.1", "-p", str(port), "-U", "warmline"]
        subprocess.run([*as_postgres, POSTGRES / "initdb", "-D", home / "db", "-U", "warmline", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], check=True, capture_output=True)
        server = subprocess.Popen([*as_postgres, POSTGRES / "postgres", "-D", home / "db", "-k", home, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(200):
                if subprocess.run([POSTGRES / "pg_isready", "-q", *at]).returncode == 0:
                    break
                time.sleep(0.1)
            for release in RELEASES:
                with self.subTest(release.name):
                    name = "golden_" + release.name.replace(".", "_")
                    subprocess.run([POSTGRES / "createdb", *at, name], check=True)
                    dump = gzip.open(release / "postgres.sql.gz").read()
                    subprocess.run([POSTGRES / "psql", "-q", "-v", "ON_ERROR_STOP=1", *at, name], input=dump, check=True, stdout=subprocess.DEVNULL)
                    self.check(release, "postgres.jsonl.gz", str(self.path / ("cluster-" + release.name)), "--postgres", f"host=127.0.0.1 port={port} user=warmline dbname={name}")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


if __name__ == "__main__":
    unittest.main(verbosity=2)
