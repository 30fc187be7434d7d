#!/usr/bin/env python3
"""The architecture as a test: includes against the table in services/layers.cmake, file lengths, and that every test file is registered."""
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
MAX_LINES = 400


def layers():
    table = {}
    for name, allowed in re.findall(r'^  "(\w+):([ \w]*)"$', (ROOT / "services/layers.cmake").read_text(), re.M):
        table[name] = set(allowed.split())
    return table


def sources(*patterns):
    return [p for pattern in patterns for p in sorted(ROOT.glob(pattern)) if "node_modules" not in p.parts and "build" not in p.relative_to(ROOT).parts]


class House(unittest.TestCase):
    def test_includes_follow_the_table(self):
        table = layers()
        self.assertIn("domain", table)
        wrong = []
        for path in sources("services/**/*.h", "services/**/*.cpp"):
            folder = path.relative_to(ROOT / "services").parts[0]
            for included in re.findall(r'^#include "(\w+)/', path.read_text(), re.M):
                if included in table and included != folder and included not in table[folder]:
                    wrong.append(f"{path.relative_to(ROOT)} includes {included}/, which services/layers.cmake does not allow {folder}")
        self.assertEqual(wrong, [])

    def test_the_core_includes_no_transport_and_no_storage(self):
        outside = re.compile(r"#include [<\"](grpc|google/protobuf|warmline/v1|sqlite3|hiredis|httplib|prometheus|spdlog)")
        core = [f"services/{folder}/**/*.{end}" for folder in ("base", "domain", "ranking", "network", "index", "application") for end in ("h", "cpp")]
        wrong = [str(p.relative_to(ROOT)) for p in sources(*core) if outside.search(p.read_text())]
        self.assertEqual(wrong, [])

    def test_every_folder_is_in_the_table(self):
        folders = {p.name for p in (ROOT / "services").iterdir() if p.is_dir()}
        self.assertEqual(folders, set(layers()))

    def test_the_table_has_no_cycle(self):
        table = layers()
        def reaches(start, goal, seen):
            return any(n == goal or (n not in seen and not seen.add(n) and reaches(n, goal, seen)) for n in table[start])
        self.assertEqual([name for name in table if reaches(name, name, set())], [])

    def test_generated_documentation_is_up_to_date(self):
        check = subprocess.run([ROOT / "scripts/generate-docs", "--check"], capture_output=True, text=True, check=False)
        self.assertEqual(check.stderr, "")
        self.assertEqual(check.returncode, 0)

    def test_no_file_is_too_long(self):
        ends = ("cpp", "h", "proto", "cmake", "py", "js", "sh")
        long = [f"{p.relative_to(ROOT)}: {n}" for p in sources(*[f"**/*.{e}" for e in ends]) if (n := len(p.read_text().splitlines())) > MAX_LINES]
        self.assertEqual(long, [])

    def test_every_test_file_is_registered(self):
        lists = "".join(p.read_text() for p in sources("tests/**/CMakeLists.txt"))
        missing = [str(p.relative_to(ROOT / "tests")) for p in sources("tests/**/*_test.cpp", "tests/**/*_test.py") if str(p.relative_to(ROOT / "tests")) not in lists]
        self.assertEqual(missing, [])

    def test_every_header_says_what_it_is_for(self):
        missing = [str(p.relative_to(ROOT)) for p in sources("services/**/*.h") if not p.read_text().startswith("// ")]
        self.assertEqual(missing, [])

    def test_a_forbidden_link_fails_at_configure(self):
        script = ROOT / "services/layers.cmake"
        code = f'cmake_minimum_required(VERSION 3.25)\nproject(x LANGUAGES NONE)\ninclude("{script}")\nwarmline_layer(domain USES storage)\n'
        import tempfile
        with tempfile.TemporaryDirectory() as directory:
            (pathlib.Path(directory) / "CMakeLists.txt").write_text(code)
            run = subprocess.run(["cmake", "-S", directory, "-B", directory + "/b"], capture_output=True, text=True)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("services/domain may not use services/storage", run.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
