// What `ctl --json` and the API print: every key the schema requires, in the contract's order, of the schema's type.
#include "report/snapshot.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "report/json.hpp"

namespace ligase::report {
namespace {

namespace json = boost::json;
const WallTime t0{std::chrono::seconds(1795557124)};

std::vector<std::string> keys(const json::value& object) {
  std::vector<std::string> names;
  for (const auto& entry : object.as_object()) names.emplace_back(entry.key());
  return names;
}

TEST(StatusJson, HasTheContractsKeys) {
  Status status;
  status.version = "0.1.0";
  status.hostname = "xmpp1.receiving.tld";
  status.stanzas_per_s = 12.5;
  status.not_ready = {"resolver"};
  const json::value document = json::parse(to_json(status));
  EXPECT_EQ(keys(document), (std::vector<std::string>{"version", "hostname", "started_at", "ready", "streams_in",
                                                      "streams_out", "pairs", "links", "stanzas_per_s",
                                                      "connections_saved", "not_ready", "bounced", "dropped"}));
  EXPECT_TRUE(document.at("started_at").is_null());
  EXPECT_TRUE(document.at("ready").is_bool());
  EXPECT_DOUBLE_EQ(document.at("stanzas_per_s").as_double(), 12.5);
  EXPECT_EQ(document.at("not_ready").as_array().at(0).as_string(), "resolver");
  status.started_at = t0;
  EXPECT_EQ(json::parse(to_json(status)).at("started_at").as_string(), "2026-11-24T21:52:04Z");
}

// AB-240: a number for each reason that came about, and none for those that did not.
TEST(StatusJson, BouncesAndDrops_AreCountedByReason) {
  Tally bounced, dropped;
  bounced.count(Reason::queue_full);
  bounced.count(Reason::queue_full);
  bounced.count(Reason::dns_not_found);
  dropped.count(Reason::internal);  // the last of them
  Status status;
  EXPECT_EQ(json::parse(to_json(status)).at("bounced"), json::value(json::object()));
  status.bounced = bounced.counts();
  status.dropped = dropped.counts();
  const json::value document = json::parse(to_json(status));
  EXPECT_EQ(document.at("bounced"), (json::value{{"dns.not_found", 1}, {"queue.full", 2}}));
  EXPECT_EQ(document.at("dropped"), (json::value{{"internal", 1}}));
}

TEST(StreamsJson, HasTheContractsKeys) {
  StreamRow row;
  row.id = "7";
  row.direction = "out";
  row.kind = "s2s";
  row.address = "192.0.2.1:5269";
  row.features = {"dialback", "dialback-errors"};
  const json::value document = json::parse(to_json(std::vector{row, row}));
  ASSERT_EQ(document.as_array().size(), 2u);
  const json::value& first = document.as_array().at(0);
  EXPECT_EQ(keys(first), (std::vector<std::string>{"id", "direction", "kind", "address", "peer_host", "tls", "features",
                                                   "bidi", "sm", "pairs", "stanzas_in", "stanzas_out", "bytes_in",
                                                   "bytes_out", "queued_bytes", "opened_at", "flow"}));
  EXPECT_TRUE(first.at("tls").is_null());
  EXPECT_TRUE(first.at("peer_host").is_null());
  EXPECT_EQ(first.at("features").as_array().size(), 2u);
  row.tls = TlsRow{"TLSv1.3", "TLS_AES_128_GCM_SHA256", std::nullopt, "9f86"};
  const json::value with_tls = json::parse(to_json(std::vector{row}));
  const json::value& tls = with_tls.as_array().at(0).at("tls");
  EXPECT_EQ(keys(tls), (std::vector<std::string>{"version", "cipher", "alpn", "peer_sha256"}));
  EXPECT_TRUE(tls.at("alpn").is_null());
}

TEST(PairsJson, HasTheContractsKeys) {
  PairRow row;
  row.local = "target1.tld";
  row.remote = "sender1.tld";
  row.direction = "in";
  row.state = "proven";
  row.proof = "dane";
  row.proven_at = t0;
  row.last_error = "hostile \"text\"\r\n";
  const json::value document = json::parse(to_json(std::vector{row}));
  const json::value& first = document.as_array().at(0);
  EXPECT_EQ(keys(first),
            (std::vector<std::string>{"local", "remote", "direction", "state", "stream", "proof", "evidence",
                                      "proven_at", "expires_at", "queued", "stanzas", "last_error", "waits_for"}));
  EXPECT_EQ(first.at("proven_at").as_string(), "2026-11-24T21:52:04Z");
  EXPECT_TRUE(first.at("expires_at").is_null());
  EXPECT_EQ(first.at("last_error").as_string(), "hostile \"text\"\r\n");
}

TEST(LinksJson, HasTheContractsKeys) {
  LinkRow row;
  row.id = "1";
  row.kind = "component";
  row.domains = {"target1.tld"};
  const json::value document = json::parse(to_json(std::vector{row}));
  EXPECT_EQ(keys(document.as_array().at(0)), (std::vector<std::string>{"id", "kind", "domains", "address", "up",
                                                                       "stanzas_in", "stanzas_out", "queued_bytes"}));
}

TEST(ListJson, NoRows_IsAnEmptyArray) { EXPECT_EQ(to_json(std::vector<PairRow>{}), "[]"); }

TEST(ErrorDocument, HasTheSchemasKeys) {
  EXPECT_EQ(error_document("config.invalid", "say \"what\""), R"({"error":"config.invalid","message":"say \"what\""})");
}

}  // namespace
}  // namespace ligase::report
