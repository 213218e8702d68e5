// The receiving half of an external component's connection (XEP-0114, COMP-01, COMP-02): header, handshake, then
// stanzas. Bytes in, actions out; for whom a component may speak is the owner's question, of each stanza.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "name/domain.hpp"
#include "stream/machine.hpp"
#include "stream/stream_error.hpp"
#include "xml/parser.hpp"

namespace ligase::link {

// Which component may connect for which domain, asked at the moment of use.
class Components {
 public:
  virtual ~Components() = default;
  // The shared secret, or null if no component link is configured for the domain. Valid for the call.
  virtual const std::string* secret_of(const Domain& domain) const = 0;
  virtual bool is_connected(const Domain& domain) const = 0;
};

struct Send {
  std::string bytes;
  bool operator==(const Send&) const = default;
};
struct Connected {
  Domain domain;
  bool operator==(const Connected&) const = default;
};  // the handshake was right
// The handshake was right, and another is connected for the domain: who owns this asks whether it lives, and then settle().
struct Contested {
  Domain domain;
  bool operator==(const Contested&) const = default;
};
struct Ended {
  Error why;
  bool operator==(const Ended&) const = default;
};
struct Dropped {  // an element, alone; the link goes on
  Reason reason;
  std::string what;
  bool operator==(const Dropped&) const = default;
};
using Action = std::variant<Send, Connected, Contested, Dropped, Ended>;
using Actions = std::vector<Action>;

struct Limits {
  xml::Limits xml;  // before the handshake
  std::uint64_t stanza_size = 512 * 1024;
  Duration unproven_timeout = 30s, keep_alive = 60s;
};

class ComponentMachine : private xml::Sink {
 public:
  ComponentMachine(Limits limits, const Components& components, std::function<std::string()> new_id, Instant now);
  ~ComponentMachine() override;

  Actions feed(std::string_view bytes, stream::StanzaSink& sink, Instant now);
  bool has_more() const noexcept { return parser_is_stopped_ && !is_over() && phase_ != Phase::contested; }
  Actions resume(stream::StanzaSink& sink, Instant now);
  // After Contested: connected if nobody else is by now, else `conflict`. Not to be fed meanwhile.
  Actions settle(Instant now);
  Actions fail(StreamFault fault, Error why);
  Actions close(Error why);
  Actions on_time(Instant now);
  Instant deadline() const noexcept;
  void sent_something(Instant now) noexcept { last_sent_ = now; }

  bool is_connected() const noexcept { return phase_ == Phase::connected; }
  bool is_over() const noexcept { return phase_ == Phase::over; }
  const std::optional<Domain>& domain() const noexcept { return domain_; }
  // As it writes its own domain, in its header (AB-187).
  Labels labels() const noexcept { return labels_; }
  const xml::Header& peer_header() const noexcept { return parser_.header(); }

 private:
  enum class Phase : std::uint8_t { header, handshake, contested, connected, over };

  xml::Take header(const xml::Header& header) override;
  xml::Take element(const xml::ElementView& element) override;
  void close() override;
  void take_handshake(const xml::ElementView& element);
  void connect();
  void send(std::string bytes);
  void send_header(std::string_view from);
  void end(std::optional<StreamFault> fault, Error why);
  Actions take_fed(const xml::Fed& fed);

  Limits limits_;
  const Components& components_;
  std::function<std::string()> new_id_;
  xml::Parser parser_;
  Phase phase_ = Phase::header;
  bool parser_is_stopped_ = false, header_sent_ = false;
  std::optional<Domain> domain_;
  Labels labels_ = Labels::unicode;
  std::string id_;
  Instant opened_at_, last_sent_, now_;
  Actions actions_;
  stream::StanzaSink* sink_ = nullptr;
};

// XEP-0114's proof of the secret: lower-case hex of SHA-1 over stream id and secret.
std::string handshake_digest(std::string_view id, std::string_view secret);

}  // namespace ligase::link
