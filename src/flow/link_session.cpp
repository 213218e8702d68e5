// A component's connection: the machine's actions carried out, and push-back for a bounded time.
#include "link_session.hpp"

#include "base/overloaded.hpp"
#include "hub.hpp"

namespace ligase {
namespace {
constexpr Duration kClosePatience = 5s;
}  // namespace

LinkSession::LinkSession(Hub& hub, std::uint64_t n, std::unique_ptr<seams::Connection> c)
    : number(n),
      connection(std::move(c)),
      machine(
          hub.link_limits(), hub, [&hub] { return hub.new_id(); }, hub.now()),
      hub_(hub),
      deadline_(hub.ground.world.clock, [this] { perform(machine.on_time(hub_.now())); }),
      pause_(hub.ground.world.clock, [this] {
        if (!is_ending) connection->resume_reading();
      }) {}

LinkSession::~LinkSession() = default;

void LinkSession::start() {
  connection->start(*this);
  deadline_.move_to(machine.deadline());
}

void LinkSession::perform(link::Actions actions) {
  const bool is_outermost = !is_performing_;
  is_performing_ = true;
  for (;;) {
    for (link::Action& action : actions)
      std::visit(Overloaded{
                     [&](link::Send& send) { connection->write(send.bytes); },
                     [&](link::Connected&) { hub_.link_is_up(*this); },
                     [&](link::Dropped& dropped) { hub_.count_drop(dropped.reason, dropped.what, nullptr); },
                     [&](link::Ended& ended) {
                       if (!ended_by) ended_by = ended.why;
                       is_ending = true;
                       connection->close(kClosePatience);
                       hub_.link_is_over(*this);
                     },
                 },
                 action);
    if (!is_outermost || is_ending || !machine.has_more()) break;
    actions = machine.resume(*this, hub_.now());
  }
  if (!is_outermost) return;
  is_performing_ = false;
  if (!is_ending) deadline_.move_to(machine.deadline());
}

void LinkSession::write(std::string_view bytes) {
  machine.sent_something(hub_.now());
  connection->write(bytes);
}
void LinkSession::end(StreamFault fault, Error why) { perform(machine.fail(std::move(fault), std::move(why))); }
void LinkSession::close(Error why) { perform(machine.close(std::move(why))); }

void LinkSession::pause_until(Instant when) {
  if (pause_.is_set() || is_ending) return;
  connection->pause_reading();
  pause_.move_to(when);
}

void LinkSession::unpause() {
  if (!pause_.is_set()) return;
  pause_.stop();
  if (!is_ending) connection->resume_reading();
}

void LinkSession::on_bytes(std::string_view bytes) {
  if (!is_ending) perform(machine.feed(bytes, *this, hub_.now()));
}

void LinkSession::on_writable() {
  is_stalled = false;
  if (!is_ending) hub_.drain_link(*this);
}

void LinkSession::on_closed(const Error& why) {
  if (!ended_by) ended_by = why;
  if (!is_ending) {
    is_ending = true;
    hub_.link_is_over(*this);
  }
  hub_.link_is_closed(*this);
}

xml::Take LinkSession::stanza(const xml::ElementView& element, stream::StanzaKind kind) {
  ++stanzas_in;
  return hub_.from_component(*this, element, kind);
}

}  // namespace ligase
