#!/usr/bin/env python3
"""The checks are checked: each bad sample must be found, each good one let pass. Run by ./dev lint."""
import io
import os
import sys
import tempfile
import unittest
from contextlib import redirect_stdout

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import arrows  # noqa: E402
import contract  # noqa: E402
import events  # noqa: E402
import requirements  # noqa: E402
import symbols  # noqa: E402
import tidy  # noqa: E402
import totals  # noqa: E402

OPENING = "// Why this file exists.\n"


def found(path, text):
    return [what for _, what in tidy.faults_in(path, OPENING + text)]


class Events(unittest.TestCase):  # AB-241
    TABLE = """| `went` | info | `stream` `reason` `advice` | it went |
| `came` | debug | as `went`, and `was` | it came |
| `slept` | info | | nothing is said of it |
"""
    GOOD = """log(Event(Level::info, "went")
        .with("stream", number())
        .with("advice", describe(why).what_to_do));
Event both() {
  Event event(is_new ? Level::debug : Level::info, is_new ? "came" : "went");
  event.with("advice", "wait");
  if (is_new) event.with("was", "away");
  return event;
}
log(Event(Level::info, "slept"));
"""

    def found(self, code):
        return list(events.faults_in(self.TABLE, [("a.cpp", code)]))

    def test_code_and_table_that_say_the_same_pass(self):
        self.assertEqual(self.found(self.GOOD), [])

    def test_an_advice_that_is_listed_and_not_given_is_found(self):
        self.assertEqual(self.found(self.GOOD.replace('.with("advice", describe(why).what_to_do)', "", 1)),
                         ["a.cpp:1: the event went has no advice, which docs/events.md lists"])

    def test_what_the_table_does_not_list_is_found(self):
        self.assertEqual(self.found(self.GOOD + 'log(Event(Level::info, "slept").with("advice", "wake it"));'),
                         ["a.cpp:11: docs/events.md does not list advice for the event slept"])
        self.assertEqual(self.found(self.GOOD + 'log(Event(Level::info, "slpt"));'),
                         ["a.cpp:11: the event slpt is not in docs/events.md"])

    def test_an_event_that_nothing_writes_is_found(self):
        self.assertEqual(self.found(self.GOOD.replace('log(Event(Level::info, "slept"));', "")),
                         ["docs/events.md: nothing writes the event slept"])


class Contract(unittest.TestCase):  # AB-244
    TABLE = """**Not in this version**: `domains`.
## 1. x
## 5. x
| `status` | GET /api/v1/status | `version tls{cipher}`; `more` is no key |
| `close STREAM\\|--pair` | POST /api/v1/close | `ok`; the body is `{"a": 1}` |
| `domains` | GET /api/v1/domains | list of `domain` |
## 6. x
"""

    def found(self, **definitions):
        return list(contract.faults_in(self.TABLE, {"$defs": definitions}))

    def test_keys_that_are_defined_pass_and_others_are_found(self):
        status = {"type": "array", "items": {"properties": {"version": {}, "tls": {"properties": {"cipher": {}}}}}}
        close = {"properties": {"ok": {}}}
        self.assertEqual(self.found(status=status, close=close), [])
        self.assertEqual(self.found(status=close, close=status),
                         [f"docs/contract.schema.json: `status` has no {key}, which docs/contract.md lists"
                          for key in ("version", "tls", "cipher")] +
                         ["docs/contract.schema.json: `close STREAM\\|--pair` has no ok, which docs/contract.md lists"])
        self.assertEqual(self.found(status=status), ["docs/contract.schema.json has no definition of close"])


class Arrows(unittest.TestCase):
    def test_include_with_the_arrow_passes(self):
        self.assertEqual(found("src/core/proof/judge.cpp", '#include "name/domain.hpp"\n'), [])
        self.assertEqual(found("src/real/net/tcp.cpp", '#include "seams/network.hpp"\n#include "task.hpp"\n'), [])
        self.assertEqual(found("src/flow/gateway/house.cpp", '#include "proof/judge.hpp"\n#include "ground/gate.hpp"\n'), [])

    def test_include_against_the_arrow_is_found(self):
        for path, include in (("src/core/name/domain.cpp", "proof/judge.hpp"),
                              ("src/core/proof/judge.cpp", "pair/table.hpp"),
                              ("src/core/xml/parser.cpp", "stream/header.hpp"),
                              ("src/core/proof/judge.cpp", "tls/session.hpp"),
                              ("src/flow/gateway/house.cpp", "tls/session.hpp"),
                              ("src/flow/seams/clock.cpp", "ground/world.hpp"),
                              ("src/flow/ground/scope.cpp", "web/fetch.hpp"),
                              ("src/flow/ground/scope.cpp", "gateway.hpp"),
                              ("src/flow/dns/evidence.cpp", "web/fetch.hpp"),
                              ("src/flow/web/fetch.cpp", "peers/peers.hpp"),
                              ("src/flow/peers/peers.cpp", "pairs/pairs.hpp"),
                              ("src/flow/pairs/pairs.cpp", "streams/stream.hpp"),
                              ("src/flow/streams/stream.cpp", "hosting/hosted.hpp"),
                              ("src/flow/streams/stream.cpp", "prove/reach.hpp"),
                              ("src/flow/hosting/hosted.cpp", "streams/stream.hpp"),
                              ("src/flow/prove/reach.cpp", "route/router.hpp"),
                              ("src/flow/prove/claims.cpp", "hosting/hosted.hpp"),
                              ("src/flow/route/inward.cpp", "prove/claims.hpp"),
                              ("src/flow/route/inward.cpp", "web/fetch.hpp"),
                              ("src/flow/route/inward.cpp", "gateway/house.hpp"),
                              ("src/flow/route/inward.cpp", "gateway.hpp"),
                              ("src/real/tls/session.cpp", "gateway.hpp"),
                              ("src/real/tls/session.cpp", "node/node.hpp")):
            self.assertEqual(len(found(path, f'#include "{include}"\n')), 1, (path, include))

    def test_the_outside_world_in_a_pure_layer_is_found(self):
        for path, line in (("src/core/proof/judge.cpp", "#include <thread>"),
                           ("src/core/proof/judge.cpp", "#include <openssl/ssl.h>"),
                           ("src/core/proof/judge.cpp", "#include <boost/asio.hpp>"),
                           ("src/core/proof/judge.cpp", "const auto t = std::chrono::steady_clock::now();"),
                           ("src/core/proof/judge.cpp", "const auto t = std::time(nullptr);"),
                           ("src/core/pair/table.cpp", "std::mutex lock_;"),
                           ("src/core/config/parse.cpp", "if (std::filesystem::exists(path)) return;"),
                           ("src/flow/prove.cpp", "#include <sys/socket.h>"),
                           ("src/flow/prove.cpp", "boost::asio::steady_timer timer(executor);"),
                           ("src/flow/prove.cpp", "std::random_device device;")):
            self.assertEqual(len(found(path, line + "\n")), 1, line)

    def test_a_comment_and_the_real_layer_may_name_it(self):
        self.assertEqual(found("src/core/config/parse.cpp", "std::filesystem::path path(text);\n"), [])
        self.assertEqual(found("src/core/proof/judge.cpp", "// the caller asks steady_clock::now() once\n"), [])
        self.assertEqual(found("src/real/os/clock.cpp", "auto t = std::chrono::steady_clock::now();\n"), [])


class Words(unittest.TestCase):
    def test_promises_paths_and_sleeping_tests_are_found(self):
        self.assertEqual(len(found("src/core/name/domain.cpp", "// TO" "DO later\n")), 1)
        self.assertEqual(len(found("docs/x.md", "see /wo" "rk/main for it\n")), 1)
        self.assertEqual(len(found("src/flow/gate_test.cpp", "std::this_thread::sleep" "_for(1s);\n")), 1)
        self.assertEqual(len(found("tests/interop/test_x.py", "    time.sl" "eep(2)\n")), 1)

    def test_a_file_without_an_opening_is_found(self):
        self.assertEqual([w for _, w in tidy.faults_in("src/core/name/x.cpp", "int x;\n")],
                         ["a file opens with 2-4 lines that say why it exists"])


class Symbols(unittest.TestCase):
    def test_the_outside_world_is_found(self):
        for name, shown in (("socket", "socket"), ("clock_gettime", "clock_gettime"), ("SSL_new", "SSL_new"),
                            ("RAND_bytes", "RAND_bytes"), ("_ZN", "std::filesystem::status(std::filesystem::__cxx11::path const&)"), ("open64", "open64"),
                            ("_ZNSt6chrono3_V212steady_clock3nowEv", "std::chrono::_V2::steady_clock::now()")):
            self.assertIsNotNone(symbols.fault(name, shown), name)

    def test_what_is_pure_passes(self):
        for name, shown in (("memcpy", "memcpy"), ("X509_verify_cert", "X509_verify_cert"), ("_Znwm", "operator new"),
                            ("_ZNK", "std::filesystem::__cxx11::path::parent_path() const")):
            self.assertIsNone(symbols.fault(name, shown), name)


class Requirements(unittest.TestCase):
    def test_an_id_belongs_to_the_test_it_stands_at(self):
        text = ("// MUX-01\nTEST(Pair, First_Passes) {\n  x();  // MUX-02\n}\n\n// MUX-03\n// AB-001\n"
                "TEST(Pair, Second) {\n}\n// MUX-04\n")
        self.assertEqual(list(requirements.places("a_test.cpp", text)),
                         [("MUX-01", "a_test.cpp:Pair.First_Passes"), ("MUX-02", "a_test.cpp:Pair.First_Passes"),
                          ("MUX-03", "a_test.cpp:Pair.Second"), ("AB-001", "a_test.cpp:Pair.Second"),
                          ("MUX-04", "a_test.cpp")])

    def test_the_documents_define_what_they_should(self):
        ids = requirements.definitions()
        for identifier in ("MUX-08", "REV-02", "O-29", "I-17", "AB-001", "AB-179", "D-14", "T-6"):
            self.assertIn(identifier, ids)
        for word in ("UTF-8", "XEP-0220", "SHA-256", "P-256"):
            self.assertNotIn(word, ids)


class Totals(unittest.TestCase):
    def run_on(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(text)
            file.flush()
            out = io.StringIO()
            with redirect_stdout(out):
                status = totals.main([file.name])
            return status, out.getvalue().splitlines()[-1]

    def test_failures_errors_and_skips_are_counted(self):
        report = ("<testsuite><testcase name='a'/><testcase name='b'><failure/></testcase>"
                  "<testcase name='c'><error/></testcase><testcase name='d'><skipped/></testcase></testsuite>")
        self.assertEqual(self.run_on(report), (1, "1 passed, 2 failed, 1 skipped"))

    def test_what_was_not_built_is_a_failure(self):
        report = "<testsuite><testcase name='a'/><testcase name='x_NOT_BUILT' status='notrun'><skipped/></testcase></testsuite>"
        self.assertEqual(self.run_on(report), (1, "1 passed, 1 failed"))

    def test_a_report_without_a_test_is_a_failure(self):
        self.assertEqual(self.run_on("<testsuite/>"), (1, "0 passed, 1 failed"))
        self.assertEqual(self.run_on("<testsuite><testcase name='a'/></testsuite>"), (0, "1 passed, 0 failed"))


if __name__ == "__main__":
    unittest.main()
