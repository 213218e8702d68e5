// The truth tables of tests/truth/ as data: their rows, and the certificates, TLSA records and policies that the words
// in them stand for. Read by the test of judge (src/core/proof) and by the same rows end to end (tests/truth).
#pragma once
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "proof/judge.hpp"
#include "support/certificates.hpp"

namespace ligase::test {

// The domain and the host of every row.
inline const Domain kTruthDomain = Domain::parse("target1.tld").value();
inline const HostName kTruthHost = HostName::parse("xmpp1.receiving.tld").value();

inline std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}
inline std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> out;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find(at);
    out.push_back(trimmed(text.substr(0, end)));
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
  }
  return out;
}

// `dane "matches certificate"`: a word, and in quotes what a sentence must contain.
struct Words {
  std::string word;   // up to the quote
  std::string quote;  // inside it; may be empty
};
inline Words words(const std::string& text) {
  const std::size_t quote = text.find('"');
  if (quote == std::string::npos) return {text, {}};
  return {trimmed(text.substr(0, quote)), text.substr(quote + 1, text.rfind('"') - quote - 1)};
}

struct TruthRow {
  std::string place;  // "outgoing.txt:31 O-06"
  std::string id;
  std::map<std::string, std::string> cells;  // by column
  // Empty: the row does not go so far.
  std::string operator[](const std::string& column) const {
    const auto found = cells.find(column);
    return found == cells.end() ? std::string() : found->second;
  }
  friend void PrintTo(const TruthRow& row, std::ostream* out) { *out << row.place; }
};
// The columns' names stand in the last line of the head, "# row | srv | …".
inline std::vector<TruthRow> read_truth_table(const std::string& name) {
  std::ifstream file(std::string(LIGASE_SOURCE_DIR) + "/tests/truth/" + name);
  EXPECT_TRUE(file) << name;
  std::vector<TruthRow> rows;
  std::vector<std::string> columns;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.starts_with("# row |")) columns = split(std::string_view(line).substr(2), '|');
    if (line.empty() || line.front() == '#') continue;
    const std::vector<std::string> cells = split(line, '|');
    EXPECT_LE(cells.size(), columns.size()) << name << ":" << number;
    TruthRow row{name + ":" + std::to_string(number) + " " + cells[0], cells[0], {}};
    for (std::size_t i = 0; i < std::min(cells.size(), columns.size()); ++i) row.cells[columns[i]] = cells[i];
    EXPECT_FALSE(row["expected"].empty()) << row.place;
    rows.push_back(std::move(row));
  }
  EXPECT_FALSE(rows.empty()) << name;
  return rows;
}

inline proof::PeerPolicy policy_of(std::string cell) {
  proof::PeerPolicy policy;
  if (cell.ends_with('!')) policy.encryption = Encryption::preferred;
  if (cell.ends_with('!') || cell.ends_with('~')) cell.pop_back();
  if (cell == "default") return policy;
  policy.proofs.clear();
  for (const std::string& name : split(cell, ',')) policy.proofs.push_back(proof::parse_proof_type(name).value());
  return policy;
}

// What a far end shows. Made once per (chain, names): keys are slow to make.
struct Shown {
  std::shared_ptr<const proof::Chain> chain;  // null: none
  MadeCertificate leaf, inter, root;
};

class TruthCertificates {
 public:
  explicit TruthCertificates(WallTime now)
      : now_(now), root_(make_root("trusted root")), unknown_(make_root("unknown root")) {
    inter_ = make_intermediate(root_, "trusted intermediate");
    unknown_inter_ = make_intermediate(unknown_, "unknown intermediate");
    other_ = make_self_signed({"other.tld"});
    anchors_ = proof::TrustAnchors::parse_pem(root_.pem).value();
  }

  const std::shared_ptr<const proof::TrustAnchors>& anchors() const { return anchors_; }
  const MadeCertificate& trusted_intermediate() const { return inter_; }

  const Shown& show(const std::string& chain, const std::string& names) {
    const auto [at, is_new] = shown_.try_emplace({chain, names});
    if (is_new) at->second = make(chain, names);
    return at->second;
  }

  // "3 1 1 other, unusable": the rdata of a TLSA cell.
  std::vector<Bytes> tlsa_records(const std::string& cell, const Shown& shown) const {
    std::vector<Bytes> rdata;
    for (const std::string& one : split(cell, ',')) {
      if (one == "unusable") {
        rdata.push_back({9, 1, 1, 7});
        continue;
      }
      EXPECT_GE(one.size(), 7u) << one;
      const std::string whose = one.substr(6);
      EXPECT_TRUE(whose == "leaf" || whose == "inter" || whose == "root" || whose == "other") << one;
      rdata.push_back(tlsa_rdata(one[0] - '0', one[2] - '0', one[4] - '0',
                                 whose == "leaf"    ? shown.leaf
                                 : whose == "inter" ? shown.inter
                                 : whose == "root"  ? shown.root
                                                    : other_));
    }
    return rdata;
  }

 private:
  Shown make(std::string chain, const std::string& names) const {
    CertificateSpec spec;
    spec.must_staple = chain.ends_with("+must");
    if (spec.must_staple) chain.resize(chain.size() - std::string_view("+must").size());
    for (const std::string& name : split(names, '+')) {
      if (name == "D")
        spec.dns.emplace_back(kTruthDomain.text());
      else if (name == "T")
        spec.dns.emplace_back(kTruthHost.text());
      else if (name == "srv-D")
        spec.srv.push_back("_xmpp-server." + std::string(kTruthDomain.text()));
      else if (name == "xmpp-D")
        spec.xmpp_addr.emplace_back(kTruthDomain.text());
      else if (name == "other")
        spec.dns.emplace_back("other.tld");
      else
        ADD_FAILURE() << "names: " << name;
    }
    if (chain == "expired") spec.not_after = now_ - std::chrono::days(1);
    if (chain == "future") spec.not_before = now_ + std::chrono::days(1);
    if (chain == "server-eku") spec.eku = {"serverAuth"};
    if (chain == "client-eku") spec.eku = {"clientAuth"};
    if (chain == "mail-eku") spec.eku = {"emailProtection"};
    const bool is_private = chain.starts_with("private");
    Shown shown{nullptr, {}, is_private ? unknown_inter_ : inter_, is_private ? unknown_ : root_};
    shown.leaf = make_certificate(spec, chain == "self" ? nullptr : &shown.inter);
    std::vector<Bytes> der{shown.leaf.der};
    if (chain != "self") der.push_back(shown.inter.der);
    if (chain == "private") der.push_back(shown.root.der);
    static const std::set<std::string> known{"valid",      "expired",   "future",        "self",
                                             "private",    "cleartext", "private-short", "server-eku",
                                             "client-eku", "mail-eku",  "none"};
    EXPECT_TRUE(known.contains(chain)) << "chain: " << chain;
    if (chain != "cleartext" && chain != "none") shown.chain = proof::Chain::parse(der).value();
    return shown;
  }

  WallTime now_;
  MadeCertificate root_, unknown_, inter_, unknown_inter_, other_;
  std::shared_ptr<const proof::TrustAnchors> anchors_;
  std::map<std::pair<std::string, std::string>, Shown> shown_;
};

}  // namespace ligase::test
