// The gateway's face: what the program may ask of the house behind it.
#include "gateway.hpp"

#include "gateway/house.hpp"

namespace ligase {

class Gateway::Impl {
 public:
  std::unique_ptr<gateway::House> house;
};

Gateway::Gateway(Settings settings, ground::World world)
    : impl_(std::make_unique<Impl>(Impl{std::make_unique<gateway::House>(std::move(settings), world)})) {}
Gateway::~Gateway() {
  gateway::House* house = impl_->house.release();
  house->shut_down();
  house->when_joined([house] { delete house; });
}

void Gateway::accept_s2s(std::unique_ptr<seams::Connection> connection) {
  impl_->house->accept_s2s(std::move(connection));
}
void Gateway::accept_component(std::unique_ptr<seams::Connection> connection) {
  impl_->house->accept_component(std::move(connection));
}
void Gateway::set_ready(std::vector<std::string> not_ready) { impl_->house->set_ready(std::move(not_ready)); }
void Gateway::dns_is_back() { impl_->house->dns_is_back(); }
void Gateway::set_revocation(std::vector<std::shared_ptr<proof::RevocationList>> lists,
                             std::vector<std::shared_ptr<const proof::Chain>> own) {
  impl_->house->take_revocation(std::move(lists), std::move(own));
}
void Gateway::stop(std::function<void()> done) { impl_->house->stop(std::move(done)); }
void Gateway::set_policy(config::Policy policy) { impl_->house->take_policy(std::move(policy)); }
void Gateway::set_own_certificates(std::map<Domain, std::size_t> own_certificates) {
  impl_->house->take_own_certificates(std::move(own_certificates));
}
Task<Result<report::Explanation>> Gateway::explain(Domain local, Domain remote, bool may_dial) {
  return impl_->house->explain(std::move(local), std::move(remote), may_dial);
}
Result<void> Gateway::close_stream(const std::string& id) { return impl_->house->close_stream(id); }
Result<void> Gateway::close_pair(const Domain& local, const Domain& remote) {
  return impl_->house->close_pair({local, remote});
}

void Gateway::check() const { impl_->house->check(); }
std::vector<std::string> Gateway::left_at_work() const { return impl_->house->left_at_work(); }
report::Status Gateway::status() const { return impl_->house->status(); }
std::vector<report::StreamRow> Gateway::streams() const { return impl_->house->stream_rows(); }
std::vector<report::PairRow> Gateway::pairs() const { return impl_->house->pair_rows(); }
std::vector<report::LinkRow> Gateway::links() const { return impl_->house->link_rows(); }

}  // namespace ligase
