#include "hosting/hosted.hpp"

namespace ligase::hosting {

Hosted::Hosted(ground::Ground& ground, std::vector<config::HostedLink> links)
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
