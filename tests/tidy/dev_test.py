"""What ./dev installs: its own functions, with a machine of our making around them."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OLD = "2.5.0-1+deb12u1"
LEAST = "2.5.0-1+deb12u2"
NEW = "2.5.0-1+deb12u5"


class Machine:
    """A copy of ./dev whose dpkg-query tells of `packages` and whose apt-get writes down what it was asked for; an
    installed package has then the version of `archive`."""

    def __init__(self, folder, packages, archive):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "installed"
        self.state.write_text("".join(f"{name} {version}\n" for name, version in packages.items()))
        (self.folder / "archive").write_text("".join(f"{name} {version}\n" for name, version in archive.items()))
        shutil.copy(ROOT / "dev", self.folder / "dev")
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        self.tool("dpkg-query", f"""sed 's/^/ii /' {self.state}""")
        self.tool("apt-get", f"""printf '%s\\n' "$*" >>{self.folder}/asked
            case "$*" in *install*) ;; *) exit 0 ;; esac
            for word; do
              line=$(grep "^$word " {self.folder}/archive) || continue
              sed -i "/^$word /d" {self.state}
              printf '%s\\n' "$line" >>{self.state}
            done""")
        self.tool("id", "echo 0")
        self.tool("env", 'shift; exec "$@"')

    def tool(self, name, text):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def need(self, *packages):
        script = f'source {self.folder}/dev; POLICY={self.folder}/dev; LEAST_VERSIONS="libexpat1-dev {LEAST}"; need "$@"'
        return subprocess.run(["bash", "-c", script, "bash", *packages], capture_output=True, text=True, check=False,
                              env={**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"})

    def asked(self):
        path = self.folder / "asked"
        return path.read_text().splitlines() if path.exists() else []


class Needed(unittest.TestCase):
    def machine(self, packages, archive):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Machine(folder.name, packages, archive)

    def test_what_is_there_and_new_enough_is_left_alone(self):
        for version in (LEAST, NEW, "2.7.1-2"):
            machine = self.machine({"libexpat1-dev": version, "cmake": "1.0"}, {})
            done = machine.need("libexpat1-dev", "cmake")
            self.assertEqual((done.returncode, machine.asked()), (0, []), done.stderr)

    def test_what_is_missing_is_installed(self):
        machine = self.machine({"cmake": "1.0"}, {"libexpat1-dev": NEW})
        done = machine.need("libexpat1-dev", "cmake")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("install -y -q --no-install-recommends libexpat1-dev", machine.asked()[-1])

    def test_what_is_too_old_is_renewed(self):  # AB-205
        machine = self.machine({"libexpat1-dev": OLD, "cmake": "1.0"}, {"libexpat1-dev": NEW})
        done = machine.need("libexpat1-dev", "cmake")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"libexpat1-dev {OLD} is too old: {LEAST} is needed", done.stderr)
        self.assertTrue(machine.asked()[0].endswith("update -q"))  # the lists may be as old as the package
        self.assertTrue(machine.asked()[-1].endswith("--no-install-recommends libexpat1-dev"))
        self.assertIn(f"libexpat1-dev {NEW}", machine.state.read_text())

    def test_an_archive_that_has_nothing_newer_is_said(self):
        machine = self.machine({"libexpat1-dev": OLD}, {"libexpat1-dev": OLD})
        done = machine.need("libexpat1-dev")
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"apt-get has no libexpat1-dev that is new enough: {LEAST} is needed", done.stderr)


class LeastVersions(unittest.TestCase):
    def test_every_one_is_of_a_package_that_is_installed(self):
        script = ('source ./dev; for name in $(cut -d" " -f1 <<<"$LEAST_VERSIONS"); do '
                  'grep -qwF -- "$name" <<<"${BUILD_PACKAGES[*]}" || echo "$name"; done')
        done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
