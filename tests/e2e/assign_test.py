#!/usr/bin/env python3
"""`warmline assign` as a user meets it: files, proofs that others can check, pages, and wrong input."""
import csv
import gzip
import io
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_certificate  # noqa: E402

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve() / "bin/warmline")
DATA = ROOT.parent / "shared/data/assignment"


def assign(*arguments):
    return subprocess.run([PROGRAM, "assign", *map(str, arguments)], capture_output=True, text=True, timeout=300)


class Assign(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def path(self, name):
        return str(pathlib.Path(self.directory.name) / name)

    def file(self, name, text):
        pathlib.Path(self.path(name)).write_text(text)
        return self.path(name)

    def rows(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        return list(csv.DictReader(io.StringIO(done.stdout)))

    def test_a_small_cohort_with_its_proof_and_page(self):
        pairs = self.file("pairs.csv", "seeker,helper,weight\namina,carla,0.9\namina,dora,0.8\nbo,carla,0.85\nbo,dora,0.2\nzoe,carla,0.1\nyan,nobody,0.5\n")
        places = self.file("places.csv", "side,member,capacity\nhelper,nobody,0\n")
        done = assign(pairs, "--capacities", places, "--certificate", self.path("proof.json"), "--report", self.path("page.html"))
        rows = {r["seeker"]: r for r in self.rows(done)}
        self.assertEqual((rows["amina"]["helper"], rows["bo"]["helper"], rows["zoe"]["helper"]), ("dora", "carla", ""))
        self.assertEqual(rows["zoe"]["how"], "places are worth more to others")
        self.assertEqual(rows["yan"]["how"], "no places")
        self.assertEqual((rows["amina"]["second_choice"], rows["amina"]["second_weight"]), ("carla", "0.9"))
        self.assertIn("optimal: 2 of 4 seekers have somebody, the weights add up to 1.65", done.stderr)
        verified = assign(pairs, "--capacities", places, "--verify", self.path("proof.json"))
        self.assertEqual(verified.returncode, 0, verified.stderr)
        self.assertIn("proved: 2 of 4", verified.stdout)
        check_certificate.check(pairs, self.path("proof.json"), places)
        page = pathlib.Path(self.path("page.html")).read_text()
        self.assertIn("<svg", page)
        self.assertIn("places are worth more to others", page)
        self.assertNotRegex(page, r"(src|href)=")

    def test_a_proof_that_was_tampered_with_is_found_out(self):
        pairs = self.file("pairs.csv", "seeker,helper,weight\na,x,3\na,y,2\nb,x,2\nb,y,0.5\n")
        self.rows(assign(pairs, "--certificate", self.path("proof.json")))
        proof = json.loads(pathlib.Path(self.path("proof.json")).read_text())
        worse = json.loads(json.dumps(proof))
        worse["stages"][-1]["chosen"] = [0, 3]
        worse["stages"][-1]["value"] -= 500_000
        worse["sum"] -= 500_000
        self.file("worse.json", json.dumps(worse))
        done = assign(pairs, "--verify", self.path("worse.json"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("NOT PROVED: stage sum: the prices allow for 500000 more", done.stderr)
        with self.assertRaisesRegex(AssertionError, "the prices allow for 500000 more"):
            check_certificate.check(pairs, self.path("worse.json"))
        other = self.file("other.csv", "seeker,helper,weight\na,x,3\na,y,2\nb,x,2\nb,y,0.6\n")
        self.assertIn("it was made for other pairs", assign(other, "--verify", self.path("proof.json")).stderr)
        self.file("none.json", "{")
        self.assertEqual(assign(pairs, "--verify", self.path("none.json")).returncode, 2)

    def test_every_instance_is_solved_to_its_proven_optimum(self):
        if not DATA.exists():
            self.skipTest(f"{DATA} is absent: these are real instances that the repository does not hold")
        optima = list(csv.DictReader((DATA / "optima.tsv").open(), delimiter="\t"))
        self.assertGreaterEqual(len(optima), 7)
        for instance in optima:
            name = instance["file"].split("/")[1]
            numbers = list(map(int, gzip.open(DATA / f"{name}.txt.gz", "rt").read().split()))
            n, costs = numbers[0], numbers[1:]
            most = max(costs) + 1
            lines = ["seeker,helper,weight"]
            lines += [f"s{i:03},h{j:03},{most - costs[i * n + j]}" for i in range(n) for j in range(n)]
            pairs = self.file("pairs.csv", "\n".join(lines) + "\n")
            rows = self.rows(assign(pairs, "--certificate", self.path("proof.json")))
            self.assertEqual(len(rows), n)
            cost = most * n - sum(int(r["weight"]) for r in rows)
            self.assertEqual(cost, int(instance["optimum_min_cost"]), name)
            check_certificate.check(pairs, self.path("proof.json"))
            print(f"{name}: {cost}, proved by an independent check")

    def test_random_cohorts_with_everything_are_proved_by_the_independent_check(self):
        random.seed(20_261_126)
        for number in range(12):
            lines, places = ["seeker,helper,weight,fixed,forbidden"], ["side,member,capacity"]
            seekers, helpers = random.randint(1, 40), random.randint(1, 20)
            places += [f"seeker,s{i},{random.randint(1, 2)}" for i in range(seekers)]
            places += [f"helper,h{j},{random.randint(1, 4)}" for j in range(helpers)]
            fixed = True
            for i in range(seekers):
                for j in range(helpers):
                    if random.random() < 0.4:
                        lines.append(f"s{i},h{j},{random.randint(-50, 1000) / 1000},{'yes' if fixed else 'no'},{'yes' if not fixed and random.random() < 0.05 else 'no'}")
                        fixed = False
            pairs, capacities = self.file("pairs.csv", "\n".join(lines) + "\n"), self.file("places.csv", "\n".join(places) + "\n")
            for options in ([], ["--floor"], ["--best-sum"]):
                self.rows(assign(pairs, "--capacities", capacities, "--certificate", self.path("proof.json"), *options))
                check_certificate.check(pairs, self.path("proof.json"), capacities)

    def test_what_was_before_is_compared(self):
        pairs = self.file("pairs.csv", "seeker,helper,weight\na,x,3\na,y,1\nb,x,2\nc,x,5\n")
        before = self.file("before.csv", "seeker,helper\na,x\nb,x\ngone,x\n")
        done = assign(pairs, "--previous", before, "--best-sum")
        rows = {r["seeker"]: r for r in self.rows(done)}
        self.assertEqual({s: r["change"] for s, r in rows.items()}, {"a": "moved", "b": "lost", "c": "new"})
        kept = self.file("kept.csv", "seeker,helper,weight,fixed\na,x,3,yes\na,y,1,\nb,x,2,\nc,x,5,\n")
        rows = {r["seeker"]: r for r in self.rows(assign(kept, "--previous", before))}
        self.assertEqual((rows["a"]["how"], rows["a"]["change"], rows["c"]["helper"]), ("fixed", "kept", ""))

    def test_stable_choices(self):
        pairs = self.file("pairs.csv", "seeker,helper,weight,seeker_preference,helper_preference\na,x,0,2,1\na,y,0,1,2\nb,x,0,1,2\nb,y,0,2,1\n")
        self.assertEqual([r["helper"] for r in self.rows(assign(pairs, "--mode", "stable"))], ["x", "y"])
        self.assertEqual([r["helper"] for r in self.rows(assign(pairs, "--mode", "stable", "--proposer", "helper"))], ["y", "x"])
        couples = self.file("couples.csv", "side,member,capacity\nseeker,a,2\n")
        done = assign(pairs, "--mode", "stable", "--capacities", couples)
        self.assertEqual(done.returncode, 2)
        self.assertIn("STABLE takes one place a seeker", done.stderr)

    def test_a_pool_is_assigned_by_its_server(self):
        data = self.path("data")
        server = subprocess.Popen([PROGRAM, "serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        address = next(f"127.0.0.1:{found[1]}" for line in server.stderr if (found := re.search(r"listens on port (\d+) ", line)))
        common = ["--server", address, "--data-dir", data, "--pool", "demo"]
        imported = subprocess.run([PROGRAM, "import", *common, "--create-pool", "--vouch", str(ROOT / "samples/community.jsonl")], capture_output=True, text=True)
        self.assertEqual(imported.returncode, 0, imported.stderr)
        paper = assign(*common)
        rows = self.rows(paper)
        self.assertRegex(paper.stderr, r"13 of 13 needs have a helper, .*No choice is better, of all pairs that there are: \d+ of \d+ pairs")
        self.assertTrue(all(r["place"] == "matched" and not r["introduction"] for r in rows))
        # The proof is checked by the program as it comes, again from its files, and by the independent check.
        proof = self.path("pool.json")
        proved = assign(*common, "--top-k", "2", "--certificate", proof, "--report", self.path("pool.html"), "--floor")
        self.rows(proved)
        self.assertIn("The proof was checked here as well", proved.stderr)
        places = ("--capacities", f"{proof}.places.csv")
        self.assertIn("proved: 13 of 13", assign(f"{proof}.pairs.csv", *places, "--verify", proof).stdout)
        check_certificate.check(f"{proof}.pairs.csv", proof, f"{proof}.places.csv")
        page = pathlib.Path(self.path("pool.html")).read_text()
        self.assertIn("<svg", page)
        self.assertIn("13</b> of <b>13", page)
        # Against an earlier result; with a pair that is fixed and one that may not be.
        before = self.file("before.csv", paper.stdout)
        first, second = rows[0], rows[1]
        wished = assign(*common, "--previous", before, "--forbidden", f"{first['need']}={first['helper']}", "--fixed", f"{second['need']}={second['helper']}")
        changed = {r["need"]: r for r in self.rows(wished)}
        self.assertEqual(changed[second["need"]]["place"], "fixed")
        self.assertEqual(changed[second["need"]]["change"], "same")
        self.assertEqual(changed[first["need"]]["change"], "moved")
        self.assertRegex(wished.stderr, r"\n[1-9]\d* needs have another helper than before")
        stable = assign(*common, "--mode", "stable", "--proposer", "helper", "--seed", "7")
        self.rows(stable)
        self.assertIn("No two would rather have each other, of all pairs that there are", stable.stderr)
        for wrong, words in (
            (["--fixed", "amina"], "--fixed amina is no pair: write NEED=HELPER"),
            (["--min-weight", "3"], "--min-weight 3 is no score of a pool: give 0 to 1"),
            (["--previous", self.path("absent.csv")], "absent.csv cannot be read"),
            (["--previous", self.file("odd.csv", "a,b\n1,2\n")], "the columns need and helper are needed"),
            (["--verify", proof], "--verify and --capacities are of a CSV of pairs"),
            (["--mode", "stable", "--floor"], "are of --mode optimal"),
        ):
            done = assign(*common, *wrong)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(words, done.stderr)
        words = "Our spring programme brings you together: would you look at what this seeker made?"
        asked = self.rows(assign(*common, "--message", words, "--request-id", "spring-2027"))
        self.assertEqual([(r["need"], r["helper"]) for r in asked], [(r["need"], r["helper"]) for r in rows])
        self.assertTrue(all(r["introduction"] for r in asked))
        self.assertEqual(self.rows(assign(*common, "--message", words, "--request-id", "spring-2027")), asked)
        later = assign(*common)
        self.assertTrue(all(r["place"] == "kept" for r in self.rows(later)))
        self.assertIn("13 needs keep an open ask", later.stderr)
        self.assertIn("is out of range: give 1 to 1000", assign(*common, "--top-k", "5000").stderr)

    def test_wrong_input_names_file_line_value_and_remedy(self):
        for text, words in (
            ("seeker,helper\na,x\n", "the column weight is missing"),
            ("seeker,helper,weight,colour\n", "there is no column \"colour\""),
            ("seeker,helper,weight\na,x,much\n", ":2: weight \"much\" is no weight"),
            ("seeker,helper,weight\na,x,1\na,x,2\n", ":3: helper \"x\" stands beside a twice"),
            ("seeker,helper,weight\na b,x,1\n", ":2: seeker \"a b\" is no id"),
            ("seeker,helper,weight,fixed,forbidden\na,x,1,yes,yes\n", "choose one of the two"),
            ("seeker,helper,weight,fixed\na,x,1,maybe\n", "is neither yes nor no"),
            ("seeker,helper,weight,fixed\na,x,1,yes\na,y,1,yes\n", "are fixed, but one of them has no place left"),
            ("seeker,helper,weight\na,x,1,2\n", "has 4 fields"),
            ("", "is empty"),
        ):
            done = assign(self.file("wrong.csv", text))
            self.assertEqual(done.returncode, 2, text)
            self.assertIn(words, done.stderr)
            self.assertEqual(done.stdout, "")
        self.assertIn("cannot be read", assign(self.path("absent.csv")).stderr)
        pairs = self.file("pairs.csv", "seeker,helper,weight\na,x,1\n")
        self.assertIn("are of --mode optimal", assign(pairs, "--mode", "stable", "--floor").stderr)
        self.assertEqual(assign(pairs, "--mode", "fair").returncode, 2)

    def test_a_deadline_is_kept(self):
        random.seed(1)
        lines = ["seeker,helper,weight"] + [f"s{i},h{j},{random.randint(0, 999_999) / 1_000_000:.6f}" for i in range(700) for j in range(700)]
        done = assign(self.file("pairs.csv", "\n".join(lines) + "\n"), "--timeout-ms", "1", "--out", self.path("out.csv"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("raise --timeout-ms", done.stderr)
        self.assertFalse(pathlib.Path(self.path("out.csv")).exists())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
