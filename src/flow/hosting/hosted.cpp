#include "hosting/hosted.hpp"

namespace ligase::hosting {
namespace {

constexpr std::string_view kMemo = "hosted";
constexpr auto kLately = std::chrono::hours(1);
constexpr auto kWhileHosted = std::chrono::hours(24 * 365);

}  // namespace

Hosted::Hosted(ground::Ground& ground, std::vector<config::HostedLink> links, const std::vector<seams::Memo>& memos)
    : ground_(ground), links_(std::move(links)) {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const auto& domains =
        std::visit([](const auto& link) -> const std::vector<Domain>& { return link.domains; }, links_[i]);
    for (const Domain& domain : domains) {
      auto hosted_domain = std::make_unique<HostedDomain>(HostedDomain{domain, i});
      const std::string_view key = hosted_domain->domain.unicode();
      domains_.emplace(key, std::move(hosted_domain));
    }
  }
  recall(memos);
}

// What is hosted changes by a restart only. A domain that is hosted no more since this start counts for an hour.
void Hosted::recall(const std::vector<seams::Memo>& memos) {
  const WallTime now = ground_.wall();
  for (const seams::Memo& memo : memos) {
    if (memo.kind != kMemo) continue;
    const auto domain = Domain::parse(memo.key);
    if (!domain || is_hosted(*domain)) continue;
    const WallTime until = std::min(memo.expires, now + kLately);
    left_.emplace(*domain, until);
    ground_.world.store.put({std::string(kMemo), memo.key, {}, until});
  }
  for (const auto& [name, domain] : domains_)
    ground_.world.store.put({std::string(kMemo), std::string(domain->domain.text()), {}, now + kWhileHosted});
}

bool Hosted::was_hosted(const Domain& domain) const {
  const auto found = left_.find(domain);
  return found != left_.end() && ground_.wall() < found->second;
}

HostedDomain* Hosted::find(std::string_view domain) noexcept {
  const auto found = domains_.find(domain);
  return found == domains_.end() ? nullptr : found->second.get();
}

const std::string* Hosted::secret_of(const Domain& domain) const {
  const auto found = domains_.find(domain.unicode());
  if (found == domains_.end()) return nullptr;
  const auto* component = std::get_if<config::ComponentLink>(&links_[found->second->link]);
  return component == nullptr ? nullptr : &component->secret.bytes;
}

bool Hosted::is_connected(const Domain& domain) const {
  const auto found = domains_.find(domain.unicode());
  return found != domains_.end() && found->second->session != nullptr;
}

bool Hosted::is_component(const HostedDomain& domain) const {
  return std::holds_alternative<config::ComponentLink>(links_[domain.link]);
}

}  // namespace ligase::hosting
