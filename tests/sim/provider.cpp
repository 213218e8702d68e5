// Providers and their components.
#include "sim/provider.hpp"

#include <fmt/format.h>

namespace ligase::sim {

void Component::connect(Gateway& gateway) {
  parser_ = xml::Parser{xml::Limits{.stanza_size = 1 << 20}};
  is_closed = false;
  World::Ends ends = world_.connect(own, *Endpoint::parse("127.0.0.1:5347"));
  connection_ = std::move(ends.client);
  connection_->start(*this);
  connection_->write(fmt::format(
      "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='{}'>",
      domain_));
  world_.hand_over([&](auto connection) { gateway.accept_component(std::move(connection)); }, std::move(ends.server));
}

void Component::send(std::string_view stanza) {
  if (is_up) {
    connection_->write(stanza);
  } else {
    waiting_ += stanza;
  }
}

void Component::disconnect() {
  is_up = false;
  connection_->close(1s);
}

void Component::on_bytes(std::string_view bytes) {
  const AtWork world(Whose::world);
  parser_.feed(bytes, *this);
}

xml::Take Component::header(const xml::Header& header) {
  connection_->write(fmt::format("<handshake>{}</handshake>", link::handshake_digest(header.id.value_or(""), secret_)));
  return xml::Take::more;
}

xml::Take Component::element(const xml::ElementView& element) {
  if (element.name == "handshake") {
    is_up = true;
    connection_->write(std::exchange(waiting_, {}));
  } else if (element.name == "error" && element.ns != "jabber:component:accept") {
    stream_error = element.bytes;
  } else {
    const auto text = [](const std::optional<std::string_view>& value) { return std::string(value.value_or("")); };
    received.push_back(
        {text(element.from), text(element.to), text(element.id), text(element.type), std::string(element.bytes)});
  }
  return xml::Take::more;
}

Provider::Provider(World& world, const ProviderSpec& spec)
    : endpoint{*Address::parse(spec.address), 5269},
      world_(world),
      clock_(world),
      random_(world.dice.next()),
      resolver_(world, spec.dns),
      dialer_(world, *Address::parse(spec.dial_from.empty() ? spec.address : spec.dial_from)) {
  log.of = spec.host;
  Settings settings{.version = "sim",
                    .hostname = *Domain::parse(spec.host),
                    .limits = spec.limits,
                    .policy = spec.policy,
                    .links = {},
                    .anchors = spec.anchors,
                    .dialback_secret = fmt::format("{:032}", world.dice.next()),
                    .dnssec_is_on = spec.dnssec_is_on,
                    .revocation = spec.revocation,
                    .own_certificates = spec.own_certificates,
                    .memos = world.stores[endpoint.address].memos(world.wall())};
  for (const std::string& domain : spec.domains)
    settings.links.emplace_back(config::ComponentLink{{*Domain::parse(domain)}, config::Secret{"secret-" + domain}});
  if (spec.chain) world.chains[endpoint.address] = spec.chain;
  if (world.has_caches) cache_ = std::make_unique<dns::CachingResolver>(resolver_, clock_, world.executor());
  seams::Resolver& resolver = cache_ ? static_cast<seams::Resolver&>(*cache_) : resolver_;
  gateway = std::make_unique<Gateway>(std::move(settings), ground::World{world.executor(), clock_, random_, resolver,
                                                                         dialer_, log, world.stores[endpoint.address]});
  world.listeners[endpoint].accept = [this](std::unique_ptr<seams::Connection> connection) {
    if (gateway) gateway->accept_s2s(std::move(connection));
  };
  world.checks[endpoint] = [this] { gateway->check(); };
  for (const std::string& domain : spec.domains) {
    auto& component = components_[domain] = std::make_unique<Component>(world, domain, "secret-" + domain);
    component->connect(*gateway);
  }
}

Provider::~Provider() {
  stop();
  // What still waits for a time or an answer comes to its end while the seams are there: nothing is left behind.
  world_.run_for(60s);
}

void Provider::stop() {
  world_.listeners.erase(endpoint);
  world_.checks.erase(endpoint);
  gateway.reset();
}

}  // namespace ligase::sim
