#!/usr/bin/env python3
"""A cluster that is watched: three replicas, their Prometheus with the rules, and load. Every rule and every panel of the dashboards has something to
show; each alert has a runbook; names are those that the program exposes."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve() / "bin/warmline")
RULES = ROOT / "deploy/prometheus/rules.yml"
DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
STARTS_WITHIN_S = 120
SHOWS_WITHIN_S = 120
# Says nothing in a cluster where nothing is wrong, and no rate of it can be without a first time.
QUIET = {"warmline:market_newcomers_reached:ratio", "warmline:market_answered_in_time:ratio"}  # need weeks of history


def rules():
    """(kind, name, expression, runbook) of every rule; the file keeps each on lines of its own."""
    found = []
    for block in re.split(r"\n      - ", RULES.read_text())[1:]:
        kind, name = re.match(r"(record|alert): (\S+)", block).groups()
        expression = re.search(r"expr: (\|\n(?:          .*\n?)+|.*)", block)[1].lstrip("|").strip()
        runbook = re.search(r"runbook: (\S+)", block)
        found.append((kind, name, expression, runbook and runbook[1]))
    return found


def panels():
    """(dashboard, panel, expression), as Grafana would send it."""
    for path in DASHBOARDS:
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield board["title"], panel["title"], target["expr"].replace("$__rate_interval", "30s").replace("$pool", ".*")


class Texts(unittest.TestCase):
    def test_every_alert_has_a_runbook_and_every_runbook_an_alert(self):
        named = {r[3] for r in rules() if r[0] == "alert"}
        self.assertNotIn(None, named)
        self.assertEqual(named, {f"deploy/runbooks/{p.name}" for p in (ROOT / "deploy/runbooks").glob("*.md")})
        for path in named:
            text = (ROOT / path).read_text()
            self.assertRegex(text, r"(?s)^# \w+\n.+\n## Look\n- .+\n## Do\n- ", path)

    def test_rules_panels_and_runbooks_name_only_metrics_that_exist(self):
        golden = {re.sub(r"\{.*", "", line) for line in (ROOT / "tests/golden/metrics.txt").read_text().splitlines() if not line.startswith("#")}
        golden |= {re.sub(r"_(bucket|count|sum)$", "", name) for name in golden}
        recorded = {r[1] for r in rules() if r[0] == "record"}
        texts = [(r[1], r[2]) for r in rules()] + [(f"{b}: {p}", e) for b, p, e in panels()] + [(p.name, p.read_text()) for p in (ROOT / "deploy/runbooks").glob("*.md")]
        for where, text in texts:
            for name in re.findall(r"\b(?:warmline|process)_[a-z_]+", re.sub(r"warmline:\w+(?::\w+)*", "", text)):
                self.assertIn(name, golden, where)
            for name in re.findall(r"warmline:\w+(?::\w+)*", text):
                self.assertIn(name, recorded, where)

    def test_dashboards_are_what_their_tables_make(self):
        check = subprocess.run([ROOT / "deploy/grafana/make-dashboards", "--check"], capture_output=True, text=True, check=False)
        self.assertEqual((check.returncode, check.stderr), (0, ""))
        for path in DASHBOARDS:
            board = json.loads(path.read_text())
            self.assertEqual(len({p["id"] for p in board["panels"]}), len(board["panels"]))
            for panel in board["panels"]:
                self.assertLessEqual(panel["gridPos"]["x"] + panel["gridPos"]["w"], 24, panel["title"])

    def test_alerts_fire_where_they_should_and_only_there(self):
        for command in (["check", "rules", str(RULES)], ["test", "rules", str(ROOT / "deploy/prometheus/rules_test.yml")]):
            done = subprocess.run(["promtool", *command], capture_output=True, text=True, timeout=280, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("SUCCESS", done.stdout)
        tested = (ROOT / "deploy/prometheus/rules_test.yml").read_text()
        for kind, name, _, _ in rules():
            if kind == "alert":
                self.assertRegex(tested, rf"alertname: {name}\n        exp_alerts:", f"{name} never fires in rules_test.yml")


class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = subprocess.Popen([ROOT / "scripts/cluster"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                                       env={**os.environ, "WARMLINE_MARKET_INTERVAL_MS": "1000"})
        cls.output = ""
        deadline = time.monotonic() + STARTS_WITHIN_S
        for line in cls.cluster.stdout:
            cls.output += line
            if "The cluster runs" in line or time.monotonic() > deadline:
                break
        ports = re.search(r"replicas +((?:127\.0\.0\.1:\d+ ?)+) +\(--data-dir (\S+) has", cls.output)
        if not ports:
            cls.tearDownClass()
            raise AssertionError(cls.output)
        cls.replicas, cls.data = ports[1].split(), ports[2]
        cls.prometheus = re.search(r"Prometheus at (http://127\.0\.0\.1:\d+)", cls.output)[1]

    @classmethod
    def tearDownClass(cls):
        cls.cluster.send_signal(signal.SIGINT)
        try:
            cls.cluster.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(cls.cluster.pid, signal.SIGKILL)
            cls.cluster.wait()
        cls.cluster.stdout.close()

    def call(self, replica, command, *arguments, pool="rotterdam"):
        return subprocess.run([PROGRAM, command, "--server", self.replicas[replica], "--data-dir", self.data, "--pool", pool, *arguments], capture_output=True, text=True, timeout=60, check=False)

    def query(self, expression):
        url = f"{self.prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(url, timeout=10) as answer:
            return [(r["metric"], r["value"][1]) for r in json.load(answer)["data"]["result"]]

    def load(self, directory):
        """Imports, matches, errors, one whole introduction, and a pool of which enough seekers want the same."""
        story = subprocess.run([ROOT / "scripts/story", PROGRAM, self.replicas[0], self.data], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(story.returncode, 0, story.stdout + story.stderr)
        rows = [json.dumps({"member": {"name": f"pools/jobs/members/s{i}", "kind": "PERSON", "displayName": f"S {i}"}}) for i in range(6)]
        rows += [json.dumps({"need": {"name": f"pools/jobs/needs/n{i}", "seeker": f"pools/jobs/members/s{i}", "helpKinds": ["ADVICE"], "interests": [{"interest": "skill:sql"}]}}) for i in range(6)]
        path = pathlib.Path(directory) / "jobs.jsonl"
        path.write_text("\n".join(rows) + "\n")
        imported = self.call(1, "import", "--create-pool", "--vouch", str(path), pool="jobs")
        self.assertEqual(imported.returncode, 0, imported.stderr)
        return str(path)

    def test_every_rule_and_panel_has_something_to_show(self):
        self.assertEqual(len(re.findall(r"answered by replica \d:\nneed amina-first-job: the best 2\n  1\. nieuwe-start", self.output.replace("The same need, ", ""))), 3, self.output)
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        rows = self.load(directory.name)
        wanted = {(b, p, e): e for b, p, e in panels()}
        wanted |= {("rules", name, name): name for kind, name, _, _ in rules() if kind == "record" and name not in QUIET}
        shown = {}
        deadline = time.monotonic() + SHOWS_WITHIN_S
        while len(shown) < len(wanted) and time.monotonic() < deadline:
            for replica in range(3):
                self.assertEqual(self.call(replica, "match", "--need", "amina-first-job").returncode, 0)
                self.assertNotEqual(self.call(replica, "match", "--need", "nobody-has-this").returncode, 0)
                self.assertEqual(self.call(replica, "import", "--vouch", rows, pool="jobs").returncode, 0)
            for where, expression in wanted.items():
                if where not in shown and (result := [r for r in self.query(expression) if r[1] != "NaN"]):
                    shown[where] = result
            time.sleep(1)
        for where, result in sorted(shown.items()):
            print(f"{where[0]} | {where[1]} | {len(result)} series, {result[0][1]}", flush=True)
        self.assertEqual(sorted(set(wanted) - set(shown)), [])
        broken = [name for kind, name, _, _ in rules() if kind == "alert" and self.query(f'ALERTS{{alertname="{name}", alertstate="firing"}}')]
        self.assertEqual([name for name in broken if not name.startswith("WarmlineLatency")], [], "alerts fire in a cluster that is well")


if __name__ == "__main__":
    unittest.main(verbosity=2)
