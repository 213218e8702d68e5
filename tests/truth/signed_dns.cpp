#include "truth/signed_dns.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>

namespace ligase::sim {
namespace {

Task<void> ask_into(seams::Resolver& resolver, std::string name, proof::RrType type, proof::Answer& answer) {
  answer = co_await resolver.ask(std::move(name), type);
}

}  // namespace

SignedDns::SignedDns() : server_(lab::dns::Server::start(tree).value()) {}

void SignedDns::zone(std::string_view name, lab::dns::Delegation delegation) {
  const Result<void> done = tree.add_zone(name, delegation);
  if (!done) ADD_FAILURE() << name << ": " << done.error().detail;
}

void SignedDns::add(const std::string& line) {
  const Result<void> done = tree.add(line);
  if (!done) ADD_FAILURE() << line << ": " << done.error().detail;
}

void SignedDns::add_tlsa(const std::string& owner, const Bytes& rdata) {
  std::string line = owner + ". 3600 IN TLSA";
  for (std::size_t i = 0; i < 3; ++i) line += " " + std::to_string(rdata.at(i));
  add(line + " " + hex(BytesView(rdata).subspan(3)));
}

proof::Answer SignedDns::ask(const std::string& name, proof::RrType type, Trust trust) {
  std::unique_ptr<dns::UnboundResolver>& resolver = resolvers_[static_cast<std::size_t>(trust)];
  if (!resolver) {
    dns::ResolverOptions options;
    if (trust == Trust::anchored) options.trust_anchor = tree.trust_anchor();
    options.forwarders = {server_->forwarder()};
    resolver = dns::UnboundResolver::create(options).value();
  }
  proof::Answer answer;
  boost::asio::co_spawn(loop_, ask_into(*resolver, name, type, answer), boost::asio::detached);
  loop_.restart();
  loop_.run();
  return answer;
}

void set_wall_to_now(World& world) {
  const WallTime now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  world.wall_offset += now - world.wall();
}

}  // namespace ligase::sim
