// The domains that are hosted here, and the links behind them.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "hosting/component_link.hpp"
#include "pair/backlog.hpp"
#include "seams/store.hpp"

namespace ligase::hosting {

struct HostedDomain {
  Domain domain;
  std::size_t link = 0;              // index in the configuration's links
  ComponentLink* session = nullptr;  // null: down
  // The link that served it before, while its last bytes may still leave or come back (P6); 0: none.
  std::uint64_t leaving = 0;
  Instant away_since{};                      // while it is down
  std::unique_ptr<pair::Backlog> waiting{};  // stanzas for it while it is down or does not read
  std::uint64_t stanzas_in = 0, stanzas_out = 0;
};

class Hosted final : public stream::Hosting, public link::Components {
 public:
  // Recalls the memos of kind "hosted": the domains that a process before this one hosted.
  Hosted(ground::Ground& ground, std::vector<config::HostedLink> links, const std::vector<seams::Memo>& memos);

  HostedDomain* find(std::string_view domain) noexcept;  // as a canonical address has it (Domain::unicode())
  HostedDomain* find(const Domain& domain) noexcept { return find(domain.unicode()); }
  bool is_hosted(const Domain& domain) const override { return domains_.contains(domain.unicode()); }
  Encryption encryption_towards(const Domain* remote) const override {
    return ground_.rules.encryption_towards(remote);
  }
  bool offers_bidi(const Domain& remote) const override { return ground_.rules.towards(remote).may_bidi; }
  const std::string* secret_of(const Domain& domain) const override;
  bool is_connected(const Domain& domain) const override;
  bool is_component(const HostedDomain& domain) const;
  bool was_hosted(const Domain& domain) const;  // within the last hour, and is no more (MUX-08)
  const auto& all() const noexcept { return domains_; }

 private:
  void recall(const std::vector<seams::Memo>& memos);

  ground::Ground& ground_;
  std::vector<config::HostedLink> links_;
  std::map<Domain, WallTime> left_;  // those that were hosted before, until which time that counts
  std::unordered_map<std::string_view, std::unique_ptr<HostedDomain>> domains_;  // key: the domain's own unicode()
};

// The connections of components, up or shaking hands; by number.
using Links = std::map<std::uint64_t, std::unique_ptr<ComponentLink>>;

}  // namespace ligase::hosting
