#!/usr/bin/env python3
"""The program as a user meets it: files, options, exit codes, messages; and a client in another language."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve() / "bin/warmline")


def run(*arguments, env=None, stdin=None):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120, env={**os.environ, **(env or {})}, stdin=stdin)


class Served(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.data = cls.directory.name
        cls.server = subprocess.Popen([PROGRAM, "serve", "--data-dir", cls.data, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        for line in cls.server.stderr:
            if found := re.search(r"listens on port (\d+) ", line):
                cls.address = f"127.0.0.1:{found[1]}"
                break

    @classmethod
    def tearDownClass(cls):
        cls.server.send_signal(signal.SIGTERM)
        assert cls.server.wait(20) == 0
        cls.server.stderr.close()
        cls.directory.cleanup()

    def call(self, command, *arguments, pool="p", **options):
        return run(command, "--server", self.address, "--data-dir", self.data, "--pool", pool, *arguments, **options)

    def file(self, name, text, encoding="utf-8"):
        path = pathlib.Path(self.data) / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return str(path)

    def test_csv_with_a_broken_row_in_the_middle(self):
        rows = ["id,kind,display_name,interests,help_kinds,open_asks,asks_per_week,languages,open_to,helped,last_outcome"]
        rows += [f"c{i},person,\"Person {i}, Jr\",skill:sql|0.5;hobby:chess,advice;referral,2,3,en,pool,{i},2026-05-01" for i in range(1, 10)]
        rows[5] = "c5,person,\"Broken\"x,skill:sql,advice,2,3,en,pool,5,2026-05-01"
        rows[7] = "c7,person,Seven,skill:sql|much,advice,2,3,en,pool,7,2026-05-01"
        rows[8] = "c8,person,Eight,skill:sql|7,advice,2,3,en,pool,8,2026-05-01"
        path = self.file("people.csv", "\n".join(rows) + "\n")
        done = self.call("import", "--create-pool", "--vouch", path, pool="csv")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("imported 6 rows, refused 3", done.stdout)
        self.assertRegex(done.stderr, re.escape(path) + r":6:19: text follows a closing quote")
        self.assertRegex(done.stderr, re.escape(path) + r":8:17: interests: \"much\" is not a strength")
        self.assertRegex(done.stderr, re.escape(path) + r":9: member.interests\[0\].strength: 7 is out of range")
        ties = self.file("ties.csv", "member_a,member_b,strength\nc1,c2,0.5\nc1,c9,0.9\n")
        self.assertEqual(self.call("import", "--vouch", ties, pool="csv").returncode, 0)
        match = self.call("match", "--seeker", "c1", "--interest", "skill:sql", "--help-kind", "ADVICE", "--output", "json", pool="csv")
        answer = json.loads(match.stdout)
        self.assertEqual(answer["matches"][0]["helper"], "pools/csv/members/c9")
        self.assertEqual(answer["matches"][0]["evidence"]["helped"], 9)

    def test_a_wrong_header_names_the_column(self):
        path = self.file("wrong.csv", "id,kind,display_name,colour\na,person,A,red\n")
        done = self.call("import", "--create-pool", path, pool="header")
        self.assertEqual(done.returncode, 3)
        self.assertIn(":1:22: \"colour\" is not a column: use some of id, kind,", done.stderr)

    def test_json_lines_with_bad_lines(self):
        good = '{"member": {"name": "%s", "kind": "PERSON", "displayName": "أمينة"}}\n'
        path = self.file("rows.jsonl", (good % "a").encode() + b'{"member": {\n' + b'{"member": {"name": "\xff"}}\n' + b'{"person": {}}\n' +
                         b'{"member": {"name": "z", "kind": "PERSON", "displayName": "a\\u0000b"}}\n' + (good % "b").encode())
        done = self.call("import", "--create-pool", path, pool="lines")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("imported 2 rows, refused 4", done.stdout)
        self.assertIn(":2: is not a row in JSON", done.stderr)
        self.assertIn(":3: is not valid UTF-8", done.stderr)
        self.assertIn("person", done.stderr)
        self.assertIn(":5: member.display_name: ", done.stderr)
        self.assertIn("U+0000: remove it", done.stderr)

    def test_what_is_exported_can_be_imported(self):
        self.assertEqual(self.call("import", "--create-pool", str(ROOT / "samples/community.jsonl"), pool="one").returncode, 0)
        path = str(pathlib.Path(self.data) / "export.jsonl")
        done = self.call("export", "--file", path, pool="one")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.file("export2.jsonl", pathlib.Path(path).read_text().replace("pools/one/", "pools/two/"))
        done = self.call("import", "--create-pool", str(pathlib.Path(self.data) / "export2.jsonl"), pool="two")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        answers = [json.loads(self.call("match", "--need", "amina-first-job", "--output", "json", pool=p).stdout)["matches"] for p in ("one", "two")]
        # The bonus of exploration is keyed by the pool (docs/matching.md): all other parts are the same.
        def parts(answer, pool):
            return {m["helper"].replace(f"/{pool}/", "/"): {r["part"]: r.get("value", 0) for r in m["reasons"] if r["part"] != "EXPLORATION"} for m in answer}
        one, two = parts(answers[0], "one"), parts(answers[1], "two")
        both = one.keys() & two.keys()
        self.assertGreaterEqual(len(both), 8, (one.keys(), two.keys()))
        for helper in both:
            self.assertEqual(one[helper], two[helper], helper)
        self.assertEqual(len(answers[0]), 10)

    def test_validate_only_keeps_nothing(self):
        done = self.call("import", "--create-pool", "--validate-only", str(ROOT / "samples/community.jsonl"), pool="dry")
        # Ties name members of the same file, which a dry run does not keep.
        self.assertIn(done.returncode, (0, 3))
        self.assertIn("checked", done.stdout)
        state = self.call("doctor", pool="dry")
        self.assertIn("0 members", state.stdout)

    def test_errors_say_what_to_do(self):
        done = self.call("match", "--seeker", "nobody", "--interest", "skill:sql", "--help-kind", "ADVICE", pool="nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn("pools/nowhere does not exist: create it, or check the name [POOL_NOT_FOUND]", done.stderr)
        done = self.call("match", "--seeker", "a", "--interest", "sql", "--help-kind", "MAGIC")
        self.assertEqual(done.returncode, 2)
        self.assertIn('--help-kind: "MAGIC" is not a value of it', done.stderr)
        done = run("match", "--server", "127.0.0.1:1", "--pool", "p", "--seeker", "a", "--timeout-ms", "2000")
        self.assertIn("no server answers at 127.0.0.1:1: start one with `warmline serve`", done.stderr)
        done = self.call("match", "--token", "wrong", "--seeker", "a", "--interest", "skill:sql")
        self.assertIn("TOKEN_UNKNOWN", done.stderr)
        done = self.call("import", "/no/such/file.csv")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot read /no/such/file.csv", done.stderr)
        done = self.call("import", self.file("rows.txt", ""))
        self.assertIn("neither .jsonl nor .csv", done.stderr)

    def test_a_second_server_on_the_same_data_is_refused(self):
        done = run("serve", "--data-dir", self.data, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"in use by process {self.server.pid}: stop it, or name another data directory", done.stderr)

    def test_doctor(self):
        self.call("import", "--create-pool", str(ROOT / "samples/community.jsonl"), pool="checked")
        done = self.call("doctor", "--output", "json", pool="checked")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertTrue(report["ok"])
        self.assertEqual([check["check"] for check in report["checks"]], ["server", "token", "latency", "pool", "disk"])
        self.assertIn("443 members", report["checks"][3]["detail"])
        done = run("doctor", "--server", "127.0.0.1:1", "--timeout-ms", "500", "--data-dir", self.data)
        self.assertEqual(done.returncode, 1)
        self.assertIn("WRONG server: nothing answers at 127.0.0.1:1: start `warmline serve`", done.stdout)

    def test_what_a_cluster_stands_on_is_checked_and_wrong_addresses_are_named(self):
        serve = ["serve", "--data-dir", self.data + "/other", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]
        done = run(*serve, "--redis", "redis://127.0.0.1:1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("redis: is for the cluster profile: give --postgres too, or leave it out", done.stderr)
        done = run(*serve, "--postgres", "host=/nonexistent dbname=x")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot connect to the database: check that it runs, and --postgres", done.stderr)
        done = run("doctor", "--server", self.address, "--data-dir", self.data, "--postgres", "host=127.0.0.1 port=1 dbname=x", "--redis", "rediss://x", "--output", "json")
        self.assertEqual(done.returncode, 1)
        checks = {check["check"]: check for check in json.loads(done.stdout)["checks"]}
        self.assertFalse(checks["postgres"]["ok"])
        self.assertIn("TLS proxy", checks["redis"]["detail"])

    def test_a_client_in_another_language(self):
        node = ROOT / "tests/e2e/node"
        if not (node / "node_modules/@grpc/grpc-js").exists():
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"], cwd=node, check=True, timeout=300)
        done = subprocess.run(["node", str(node / "session.js"), self.address, self.data + "/operator.token", str(ROOT)], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        print(done.stdout.strip())


class Options(unittest.TestCase):
    def test_compose_names_only_options_that_exist(self):
        options = run("serve", "--help").stdout
        named = set(re.findall(r"^ +(WARMLINE_[A-Z_]+):", (ROOT / "deploy/compose/compose.yaml").read_text(), re.MULTILINE))
        self.assertIn("WARMLINE_POSTGRES", named)
        for name in named:
            self.assertIn(f"(Env:{name})", options)

    def test_unknown_options_keys_and_commands_are_errors(self):
        with tempfile.TemporaryDirectory() as directory:
            config = pathlib.Path(directory) / "warmline.toml"
            config.write_text('[serve]\nlisten = "127.0.0.1:0"\ncolour = "red"\n')
            done = run("--config", str(config), "serve", "--data-dir", directory)
            self.assertEqual(done.returncode, 2)
            self.assertIn("colour", done.stderr + done.stdout)
        for arguments in (["serve", "--colour"], ["dance"], [], ["serve", "--max-in-flight", "0"], ["match"]):
            self.assertEqual(run(*arguments).returncode, 2, arguments)

    def test_half_of_the_options_for_tls_is_no_call_in_the_clear(self):
        for options, words in ((["--tls-cert-file", __file__], "--tls-cert-file requires --tls-ca-file"), (["--tls-ca-file", __file__, "--tls-cert-file", __file__], "requires --tls-key-file"),
                               (["--tls-ca-file", "/absent"], "--tls-ca-file: File does not exist")):
            done = run("match", "--pool", "p", "--need", "x", *options)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)

    def test_each_way_to_give_an_option(self):
        with tempfile.TemporaryDirectory() as directory:
            config = pathlib.Path(directory) / "warmline.toml"
            config.write_text('[simulate]\nhelpers = 3\nneeds = 0\nties = 0\n')
            self.assertEqual(len(run("--config", str(config), "simulate").stdout.splitlines()), 3)
            self.assertEqual(len(run("simulate", "--needs", "0", "--ties", "0", env={"WARMLINE_HELPERS": "4"}).stdout.splitlines()), 4)
            # A flag comes before the file, the file before the environment.
            self.assertEqual(len(run("--config", str(config), "simulate", env={"WARMLINE_HELPERS": "4"}).stdout.splitlines()), 3)
            self.assertEqual(len(run("--config", str(config), "simulate", "--helpers", "5", env={"WARMLINE_HELPERS": "4"}).stdout.splitlines()), 5)

    def test_the_same_seed_gives_the_same_community(self):
        for mode in ("correlated", "adversarial"):
            first = run("simulate", "--helpers", "200", "--seed", "9", "--mode", mode).stdout
            self.assertEqual(first, run("simulate", "--helpers", "200", "--seed", "9", "--mode", mode).stdout)
            self.assertNotEqual(first, run("simulate", "--helpers", "200", "--seed", "10", "--mode", mode).stdout)

    def test_a_market_is_played_and_its_figures_written(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = str(pathlib.Path(directory.name) / "market.jsonl")
        done = run("simulate", "--market", "--members", "100", "--days", "30", "--without", "nothing,evidence", "--file", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]
        self.assertEqual([(line["without"], line.get("month")) for line in lines], [("nothing", 1), ("nothing", None), ("evidence", 1), ("evidence", None)])
        self.assertTrue(all(line["needs"] > 0 and line["asks"] > 0 for line in lines))
        self.assertEqual(run("simulate", "--market", "--needs", "5").returncode, 2)
        self.assertEqual(run("simulate", "--days", "40").returncode, 2)
        self.assertIn("cannot write /absent/x", run("simulate", "--market", "--members", "100", "--days", "30", "--file", "/absent/x").stderr)

    def test_version_and_help(self):
        self.assertRegex(run("version").stdout, r"^warmline \d+\.\d+\.\d+\n$")
        for command in ("serve", "import", "export", "match", "explain", "simulate", "doctor", "migrate", "assign"):
            done = run(command, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("Env:WARMLINE_", done.stdout)

    def test_the_sample_is_what_its_script_makes(self):
        sample = (ROOT / "samples/community.jsonl").read_text()
        with tempfile.TemporaryDirectory() as directory:
            made = pathlib.Path(directory) / "made.jsonl"
            subprocess.run([sys.executable, str(ROOT / "scripts/make-sample"), str(made)], check=True, capture_output=True)
            self.assertEqual(made.read_text(), sample)
        rows = [json.loads(line) for line in sample.splitlines()]
        self.assertGreaterEqual(sum("member" in row for row in rows), 400)
        self.assertGreaterEqual(sum(row.get("member", {}).get("kind") == "ORGANIZATION" for row in rows), 15)


if __name__ == "__main__":
    unittest.main(verbosity=1)
