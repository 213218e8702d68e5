// The simulated network and DNS.
#include "sim/world.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include <deque>
#include <new>

namespace ligase::sim {

void SimStore::put(seams::Memo memo) {
  const AtWork world(Whose::world);
  std::pair<std::string, std::string> place{memo.kind, memo.key};
  kept_.insert_or_assign(std::move(place), std::move(memo));
}

std::vector<seams::Memo> SimStore::memos(WallTime now) const {
  std::vector<seams::Memo> living;
  for (const auto& [place, memo] : kept_)
    if (memo.expires > now) living.push_back(memo);
  return living;
}

const seams::Memo* SimStore::find(const std::string& kind, const std::string& key) const {
  const auto found = kept_.find({kind, key});
  return found == kept_.end() ? nullptr : &found->second;
}

// One end. Bytes written in a turn leave together; they arrive in order, in fragments, after a delay. TLS is a change of
// state in which each end learns the other's chain: what is in clear before it stays before it.
class SimConnection final : public seams::Connection {
 public:
  struct Side {
    Side(World& w, Endpoint a, Endpoint b) : world(&w), own(a), other(b) {}
    World* world;
    Endpoint own, other;
    seams::Receiver* receiver = nullptr;
    std::weak_ptr<Side> peer;
    std::string outgoing;   // written, not yet sent
    std::string arrived;    // while paused, or before start()
    std::string after_tls;  // written during the handshake
    std::size_t in_flight = 0;
    Instant last_arrival{};
    unsigned pauses = 0;             // a bit for each reason
    std::deque<std::string> pieces;  // what was given to each write() and has not left whole
    std::size_t first_left = 0;      // bytes of the first of them that have left
    std::uint64_t heard = 0;         // acknowledgements of them
    bool was_high = false, flush_is_posted = false, closed = false, wants_tls = false, is_tls = false,
         eof = false;  // eof: the peer closed; told when what came before is read
    bool is_giving = false, is_closing = false;
    seams::TlsRequest request{Role::initiating, std::nullopt, {}, {}};
  };

  static constexpr std::size_t kWindow = 128 * 1024;

  explicit SimConnection(std::shared_ptr<Side> side) : side_(std::move(side)) {}
  ~SimConnection() override { SimConnection::abort(); }

  void start(seams::Receiver& receiver) override {
    const AtWork world(Whose::world);
    side_->receiver = &receiver;
    post([](const std::shared_ptr<Side>& side) { give(side); });
  }
  void write(std::string_view bytes) override {
    const AtWork world(Whose::world);
    if (side_->closed || side_->is_closing) return;
    if (!side_->world->vanished.contains(side_->other)) ++side_->heard;
    side_->pieces.emplace_back(bytes);
    (side_->wants_tls && !side_->is_tls ? side_->after_tls : side_->outgoing) += bytes;
    if (queued() > seams::kHighMark) side_->was_high = true;
    schedule_flush(side_);
  }
  void start_tls(seams::TlsRequest request) override {
    const AtWork world(Whose::world);
    side_->request = std::move(request);
    flush(side_);
    side_->wants_tls = true;
    if (!side_->arrived.empty()) {
      side_->arrived.clear();
      post([](const std::shared_ptr<Side>& side) {
        call(side, [](seams::Receiver& receiver) {
          receiver.on_tls(fail(Reason::tls_injection, "clear bytes behind STARTTLS"));
        });
      });
      return;
    }
    handshake_if_both(side_);
  }
  void pause_reading(seams::Pause why) override { side_->pauses |= bit(why); }
  void resume_reading(seams::Pause why) override {
    if ((side_->pauses & bit(why)) == 0) return;
    const AtWork world(Whose::world);
    side_->pauses &= ~bit(why);
    post([](const std::shared_ptr<Side>& side) { give(side); });
  }
  std::size_t queued() const override { return side_->outgoing.size() + side_->after_tls.size(); }
  seams::Unsent take_unsent() override {
    const AtWork world(Whose::world);
    seams::Unsent unsent;
    if (!side_->closed) return unsent;
    for (const std::string& piece : std::exchange(side_->pieces, {})) {
      unsent.bytes += piece;
      unsent.ends.push_back(unsent.bytes.size());
    }
    return unsent;
  }
  std::uint64_t heard() const override { return side_->heard; }
  Duration round_trip() const override {
    const Weather& weather = side_->world->weather;
    return weather.least_delay + weather.most_delay;  // twice the mean
  }
  void close(Duration patience) override {
    const AtWork world(Whose::world);
    if (side_->closed || side_->is_closing) return;
    side_->is_closing = true;
    side_->outgoing += std::exchange(side_->after_tls, {});
    flush(side_);
    if (side_->world->is_patient && !side_->outgoing.empty()) {  // who reads meanwhile still gets what was written
      side_->world->call_at(side_->world->now() + patience, [side = side_] { finish(side); });
      return;
    }
    hang_up(side_);
    post([](const std::shared_ptr<Side>& side) { end(side, {Reason::network_closed, "closed"}); });
  }
  static void finish(const std::shared_ptr<Side>& side) {
    if (side->closed) return;
    hang_up(side);
    end(side, {Reason::network_closed, "closed"});
  }
  static void hang_up(const std::shared_ptr<Side>& side) {
    side->outgoing.clear();  // what the peer does not read in time is lost with the connection
    if (const auto peer = side->peer.lock()) {
      const Instant when = arrival_of(side, *side->world);
      side->world->call_at(when, [peer] {
        peer->eof = true;
        give(peer);
      });
    }
  }
  void abort() override {
    const AtWork world(Whose::world);
    if (side_->closed) return;
    side_->closed = true;
    side_->receiver = nullptr;
    if (const auto peer = side_->peer.lock())
      side_->world->call_at(side_->world->now() + side_->world->weather.least_delay, [peer] {
        end(peer, {Reason::network_closed, "the connection was reset"});
      });
  }
  Endpoint remote() const override { return side_->other; }
  Endpoint local() const override { return side_->own; }

 private:
  static constexpr unsigned bit(seams::Pause why) noexcept { return 1u << static_cast<unsigned>(why); }
  // What a receiver throws ends its connection, and nothing else.
  template <class Callback>
  static void call(const std::shared_ptr<Side>& side, Callback callback) {
    if (side->receiver == nullptr) return;
    try {
      const AtWork theirs(Whose::gateway);
      callback(*side->receiver);
    } catch (const std::exception& fault) {
      if (side->closed) throw;
      if (const auto peer = side->peer.lock())
        side->world->call_at(side->world->now() + side->world->weather.least_delay, [peer] {
          end(peer, {Reason::network_closed, "the connection was reset"});
        });
      const bool is_memory = dynamic_cast<const std::bad_alloc*>(&fault) != nullptr;
      end(side, {is_memory ? Reason::memory : Reason::internal, fault.what()});
    }
  }
  static void pass(Side& side, std::size_t bytes) {
    side.first_left += bytes;
    while (!side.pieces.empty() && side.first_left >= side.pieces.front().size()) {
      side.first_left -= side.pieces.front().size();
      side.pieces.pop_front();
    }
  }
  template <class Action>
  void post(Action action) {
    boost::asio::post(side_->world->context_, [side = side_, action] {
      const AtWork world(Whose::world);
      if (!side->closed) action(side);
    });
  }
  static bool is_local(const Side& side) {
    return side.other.address.bytes[0] == 127 || side.own.address.bytes[0] == 127;
  }
  static Instant arrival_of(const std::shared_ptr<Side>& side, World& world) {
    const Instant when = world.now() + world.dice.between(world.weather.least_delay, world.weather.most_delay);
    return side->last_arrival = std::max(when, side->last_arrival);
  }
  static void schedule_flush(const std::shared_ptr<Side>& side) {
    if (side->flush_is_posted) return;
    side->flush_is_posted = true;
    boost::asio::post(side->world->context_, [side] {
      const AtWork world(Whose::world);
      side->flush_is_posted = false;
      if (side->closed) return;
      flush(side);
      if (side->was_high && side->outgoing.size() < seams::kLowMark) {
        side->was_high = false;
        call(side, [](seams::Receiver& receiver) { receiver.on_writable(); });
      }
    });
  }
  static void flush(const std::shared_ptr<Side>& side) {
    const auto peer = side->peer.lock();
    if (!peer || side->outgoing.empty()) return;
    if (side->world->vanished.contains(side->other) || side->world->vanished.contains(side->own)) return;
    // A window as TCP's: what the other end does not read stays with us, and queued() tells.
    const std::size_t window =
        kWindow > peer->arrived.size() + side->in_flight ? kWindow - peer->arrived.size() - side->in_flight : 0;
    if (window < std::min(side->outgoing.size(), kWindow / 2)) return;  // in large pieces: again when more is read
    std::string bytes = side->outgoing.substr(0, window);
    side->outgoing.erase(0, bytes.size());
    pass(*side, bytes.size());
    side->in_flight += bytes.size();
    World& world = *side->world;
    while (!bytes.empty()) {
      const std::size_t length = 1 + world.dice.below(std::min(bytes.size(), world.weather.largest_fragment));
      const bool is_cut = !is_local(*side) && world.dice.chance(world.weather.cut);
      world.call_at(arrival_of(side, world), [side, peer, piece = bytes.substr(0, length), is_cut] {
        side->in_flight -= piece.size();
        if (peer->closed) return;
        if (is_cut) {
          end(peer, {Reason::network_closed, "cut"});
          end(side, {Reason::network_closed, "cut"});
          return;
        }
        peer->arrived += piece;
        give(peer);
      });
      bytes.erase(0, length);
    }
  }
  static void give(const std::shared_ptr<Side>& side) {
    // A receiver that asks for more from within on_bytes gets it in the same loop, not one level deeper.
    if (side->is_giving) return;
    side->is_giving = true;
    while (!side->closed && side->pauses == 0 && side->receiver != nullptr && !side->arrived.empty() &&
           (!side->wants_tls || side->is_tls)) {
      const std::string bytes = std::exchange(side->arrived, {});
      call(side, [&](seams::Receiver& receiver) { receiver.on_bytes(bytes); });
    }
    side->is_giving = false;
    if (side->eof && side->arrived.empty() && side->pauses == 0)
      return end(side, {Reason::network_closed, "the peer closed the connection"});
    if (const auto sender = side->peer.lock(); sender && !sender->closed && !sender->outgoing.empty())
      schedule_flush(sender);
  }
  static void handshake_if_both(const std::shared_ptr<Side>& side) {
    const auto peer = side->peer.lock();
    if (!peer || !peer->wants_tls) return;
    const Instant when =
        side->world->now() +
        side->world->dice.between(side->world->weather.least_delay, side->world->weather.most_delay) * 2;
    for (const auto& one : {side, peer}) {
      const auto other = one == side ? peer : side;
      side->world->call_at(when, [one, other] {
        if (one->closed) return;
        seams::TlsFacts facts{"TLSv1.3", "TLS_AES_128_GCM_SHA256", "X25519", {}, one->request.sni, nullptr};
        const auto chain = one->world->chains.find(other->own.address);
        if (chain != one->world->chains.end() && other->request.shows_certificate) facts.peer_chain = chain->second;
        const auto staple = one->world->staples.find(other->own.address);
        if (staple != one->world->staples.end() && one->request.role == Role::initiating)
          facts.ocsp_response = staple->second;
        facts.has_shown_certificate = one->request.role == Role::initiating && one->request.shows_certificate;
        const auto bears = one->world->bears.find(other->own.address);
        if (facts.has_shown_certificate && bears != one->world->bears.end())
          return refuse(one, other, bears->second, facts);
        one->is_tls = true;
        const Result<seams::TlsFacts> shown = std::move(facts);
        call(one, [&](seams::Receiver& receiver) { receiver.on_tls(shown); });
        if (one->closed) return;
        one->outgoing += std::exchange(one->after_tls, {});
        schedule_flush(one);
        give(one);
      });
    }
  }
  // As TLS 1.2 does it, within the handshake, or as 1.3, behind it; the alert may be lost behind a reset.
  static void refuse(const std::shared_ptr<Side>& client, const std::shared_ptr<Side>& server, World::Bears how,
                     const seams::TlsFacts& facts) {
    const Error alert{Reason::external_refused, "the peer refuses our certificate inside TLS: unknown CA"};
    const Error reset{Reason::tls_truncated, "Connection reset by peer without close_notify"};
    if (how == World::Bears::alert_within) {
      call(client, [&](seams::Receiver& receiver) { receiver.on_tls(fail(alert)); });
    } else {
      client->is_tls = true;
      call(client, [&](seams::Receiver& receiver) { receiver.on_tls(facts); });
    }
    const Error& why = how == World::Bears::reset_behind ? reset : alert;
    client->world->call_at(client->world->now() + client->world->weather.most_delay,
                           [client, why] { end(client, why); });
    end(server, {Reason::tls_failed, "unknown CA"});
  }
  static void end(const std::shared_ptr<Side>& side, const Error& why) {
    if (side->closed) return;
    side->closed = true;
    const AtWork theirs(Whose::gateway);
    if (seams::Receiver* receiver = std::exchange(side->receiver, nullptr)) receiver->on_closed(why);
  }

  std::shared_ptr<Side> side_;
};

World::World(std::uint64_t seed, Weather w) : dice(seed), weather(w) {}
World::~World() = default;

WallTime World::wall() const {
  return wall_offset + std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) +
         std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch());
}

std::uint64_t World::call_at(Instant when, std::function<void()> action) {
  const std::uint64_t id = next_id_++;
  queue_.emplace(std::pair{std::max(when, now_), id}, id);
  events_by_id_.emplace(id, Event{at_work_now, std::move(action)});
  return id;
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now_ + limit;
  const AtWork world(Whose::world);
  for (;;) {
    take_turns();
    if (done()) return true;
    if (queue_.empty() || queue_.begin()->first.first > end) {
      now_ = end;
      return false;
    }
    const auto [key, id] = *queue_.begin();
    queue_.erase(queue_.begin());
    auto event = events_by_id_.extract(id);
    if (!event) continue;  // cancelled
    now_ = key.first;
    blame_nobody([&] {
      const AtWork theirs(event.mapped().whose);
      event.mapped().action();
    });
    take_turns();
    if (++events_ % check_every == 0)
      for (const auto& [at, check] : checks) check();
  }
}

void World::take_turns() {
  bool is_over = false;
  while (!is_over)
    blame_nobody([&] {
      const AtWork theirs(Whose::gateway);
      context_.restart();
      context_.poll();
      is_over = true;
    });
}

void World::blame_nobody(const std::function<void()>& turn) {
  try {
    turn();
  } catch (const std::exception& fault) {
    if (!on_fault) throw;
    on_fault(fault.what());
  }
}

void World::hand_over(const Accept& accept, std::unique_ptr<seams::Connection> connection) {
  blame_nobody([&] {
    const AtWork theirs(Whose::gateway);
    accept(std::move(connection));
  });
}

void World::run_for(Duration time) {
  run_until([] { return false; }, time);
}

World::Ends World::connect(Endpoint from, Endpoint to) {
  auto client = std::make_shared<SimConnection::Side>(*this, from, to);
  auto server = std::make_shared<SimConnection::Side>(*this, to, from);
  client->peer = server;
  server->peer = client;
  return {std::make_unique<SimConnection>(client), std::make_unique<SimConnection>(server)};
}

namespace {

Bytes srv_rdata(const std::string& target, std::uint16_t port) {
  Bytes data{0, 0, 0, 0, static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)};
  std::size_t at = 0;
  while (at < target.size()) {
    const std::size_t dot = std::min(target.find('.', at), target.size());
    data.push_back(static_cast<std::uint8_t>(dot - at));
    data.insert(data.end(), target.begin() + static_cast<std::ptrdiff_t>(at),
                target.begin() + static_cast<std::ptrdiff_t>(dot));
    at = dot + 1;
  }
  data.push_back(0);
  return data;
}

proof::Answer answer_of(proof::Security security, std::string owner, std::vector<Bytes> rdata) {
  proof::Answer answer;
  answer.security = security;
  answer.rdata = std::move(rdata);
  answer.canonical_name = std::move(owner);
  answer.ttl = std::chrono::hours(1);
  return answer;
}

}  // namespace

void World::add_srv(const std::string& domain, const std::string& target, std::uint16_t port,
                    proof::Security security) {
  const std::string owner = "_xmpp-server._tcp." + domain;
  records[{owner, proof::RrType::srv}] = answer_of(security, owner, {srv_rdata(target, port)});
  if (security != proof::Security::secure) unsigned_zones.push_back(domain);
}

void World::add_srv_target(const std::string& domain, const std::string& target, std::uint16_t port,
                           std::uint16_t priority) {
  Bytes data = srv_rdata(target, port);
  data[0] = static_cast<std::uint8_t>(priority >> 8);
  data[1] = static_cast<std::uint8_t>(priority);
  records[{"_xmpp-server._tcp." + domain, proof::RrType::srv}].rdata.push_back(std::move(data));
}

void World::add_address(const std::string& host, const std::string& address) {
  const Address parsed = *Address::parse(address);
  const std::size_t length = parsed.is_v6 ? 16 : 4;
  records[{host, parsed.is_v6 ? proof::RrType::aaaa : proof::RrType::a}] =
      answer_of(proof::Security::secure, host, {Bytes(parsed.bytes.begin(), parsed.bytes.begin() + length)});
}

void World::add_tlsa(const std::string& host, std::uint16_t port, const proof::Chain& chain) {
  const std::string owner = "_" + std::to_string(port) + "._tcp." + host;
  Bytes rdata{3, 0, 0};
  const Bytes& der = chain.der(0);
  rdata.insert(rdata.end(), der.begin(), der.end());
  records[{owner, proof::RrType::tlsa}] = answer_of(proof::Security::secure, owner, {rdata});
}

Task<proof::Answer> SimResolver::ask(std::string name, proof::RrType type) {
  ++questions;
  if (asked_.emplace(name, type).second) question_bytes += name.size() + 29;  // with header, type, class and EDNS
  auto gate = std::make_shared<ground::Gate<bool>>(world_.executor());
  const bool fails = world_.dice.chance(world_.weather.dns_fails);
  world_.call_at(world_.now() + world_.weather.dns_takes +
                     world_.dice.between(world_.weather.least_delay, world_.weather.most_delay),
                 [gate] { gate->open(true); });
  co_await gate->wait();
  proof::Answer answer;
  if (fails) {
    answer.security = proof::Security::indeterminate;
    answer.why = "no answer";
    co_return answer;
  }
  if (dns_) co_return dns_(name, type);
  const auto found = world_.records.find({name, type});
  if (found != world_.records.end()) co_return found->second;
  answer = answer_of(proof::Security::secure, name, {});
  for (const std::string& zone : world_.unsigned_zones)
    if (name.ends_with(zone)) answer.security = proof::Security::insecure;
  co_return answer;
}

Task<Result<std::unique_ptr<seams::Connection>>> SimDialer::connect(Endpoint endpoint, Instant, Ports ports) {
  auto gate = std::make_shared<ground::Gate<bool>>(world_.executor());
  const bool fails = world_.dice.chance(world_.weather.connect_fails);
  world_.call_at(world_.now() + world_.dice.between(world_.weather.least_delay, world_.weather.most_delay),
                 [gate] { gate->open(true); });
  co_await gate->wait();
  if (world_.forbidden.contains(endpoint.address) || !is_usable_port(endpoint.port, ports))
    co_return fail(Reason::address_forbidden, "not allowed");
  const auto listener = world_.listeners.find(endpoint);
  if (fails || listener == world_.listeners.end()) co_return fail(Reason::connect_refused, "refused");
  ++world_.connections_made;
  std::unique_ptr<seams::Connection> client;
  {
    const AtWork world(Whose::world);
    World::Ends ends = world_.connect({own_, 0}, endpoint);
    client = std::move(ends.client);
    world_.hand_over(listener->second.accept, std::move(ends.server));
  }
  co_return std::move(client);
}

void SimLog::write(report::Event event) {
  const AtWork world(Whose::world);
  static const bool is_traced = std::getenv("LIGASE_TRACE") != nullptr;
  if (is_traced) fmt::print(stderr, "{} {}\n", of, report::as_text(event, {}));
  events.push_back(std::move(event));
}

std::size_t SimLog::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(events.begin(), events.end(), [&](const auto& event) { return event.name == name; }));
}

}  // namespace ligase::sim
