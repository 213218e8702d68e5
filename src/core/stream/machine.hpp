// One server-to-server stream (RFC 6120), in either role: headers, features, STARTTLS, SASL EXTERNAL (XEP-0178),
// restart, dialback elements (XEP-0220), stream errors, close, and the timers. Bytes and verdicts in; actions out. It
// knows what was said on the wire and never who may be believed: that is asked for (AskServerVerdict,
// AskClientVerdict), and no stanza is judged here: those go to the sink as they come, once the negotiation allows
// stanzas at all.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/encryption.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "name/pair.hpp"
#include "stream/dialback.hpp"
#include "stream/features.hpp"
#include "stream/flow.hpp"
#include "stream/stream_error.hpp"
#include "xml/parser.hpp"

namespace ligase::stream {

enum class StanzaKind : std::uint8_t { message, presence, iq };
std::optional<StanzaKind> stanza_kind(std::string_view name) noexcept;

// ---- actions, carried out in order; after each feed() or resume() before the next
// ------------------------------------
struct Send {
  std::string bytes;
  bool operator==(const Send&) const = default;
};
// Everything sent before leaves in clear; then the handshake. Report with on_tls() or end with fail().
struct StartTls {
  bool operator==(const StartTls&) const = default;
};
// Initiating: the session stands (over TLS, or in clear where that is allowed); judge the server. Answer: go_on() or
// fail().
struct AskServerVerdict {
  bool operator==(const AskServerVerdict&) const = default;
};
// Receiving: the header over TLS claims this sender; judge the client. Answer: offer_features(…).
struct AskClientVerdict {
  Domain sender;
  bool operator==(const AskClientVerdict&) const = default;
};
// Receiving: <auth mechanism='EXTERNAL'/> for this sender came. Answer at once: authenticate(…).
struct AskAuthentication {
  Domain sender;
  bool operator==(const AskAuthentication&) const = default;
};
// The header's pair was proven by EXTERNAL: we accepted the peer, or the peer accepted us.
struct Authenticated {
  Domain sender, target;
  bool operator==(const Authenticated&) const = default;
};
// Initiating: the peer refused our certificate and told this text (T-5); the stream goes on.
struct ExternalRefused {
  std::string text;
  bool blames_authzid = false;  // it says that it is the authorization identity, not the certificate
  bool operator==(const ExternalRefused&) const = default;
};
// The negotiation is done as far as it goes by itself; pairs may be asked for. Once per stream.
struct Opened {
  bool operator==(const Opened&) const = default;
};
struct Claimed {
  DbResult result;
};  // <db:result> with a key, from the initiating peer
struct ResultAnswered {
  DbResult result;
};  // an answer to one that we asked, or to none: the owner must know (AB-073)
struct VerifyAsked {
  DbVerify verify;
};
struct VerifyAnswered {
  DbVerify verify;
};
struct CreditGiven {
  PairCredit credit;
};  // by the peer, for what we send
// Something that is dropped and counted (AB-072, STR-11).
struct Dropped {
  Reason reason;
  std::string what;
  bool operator==(const Dropped&) const = default;
};
// The stream is over. Bytes to send (our error, our close tag) came before as Send. Close the connection orderly.
struct Ended {
  Error why;
  bool operator==(const Ended&) const = default;
};

using Action =
    std::variant<Send, StartTls, AskServerVerdict, AskClientVerdict, AskAuthentication, Authenticated, ExternalRefused,
                 Opened, Claimed, ResultAnswered, VerifyAsked, VerifyAnswered, CreditGiven, Dropped, Ended>;
using Actions = std::vector<Action>;

// What the receiving role must know of its own side, asked at the moment of use.
class Hosting {
 public:
  virtual ~Hosting() = default;
  virtual bool is_hosted(const Domain& domain) const = 0;
  virtual Encryption encryption_towards(const Domain* remote) const = 0;  // null: not known yet
  virtual bool offers_bidi(const Domain& remote) const = 0;
};

class StanzaSink {
 public:
  virtual ~StanzaSink() = default;
  // A first-level element in jabber:server named message, presence or iq, after the negotiation allows stanzas.
  virtual xml::Take stanza(const xml::ElementView& stanza, StanzaKind kind) = 0;
};

// Initiating: how EXTERNAL is asked for where the peer offers it (XEP-0178, EXT-01).
enum class External : std::uint8_t {
  usual,        // with an empty authzid: the header's domain is meant
  named,        // with the domain as authzid, for a peer that refused an empty one
  last_resort,  // only where the peer offers no dialback, for one that is known to be harmed by it
  never,
};

// Initiating: whether both directions are asked for on the one stream (XEP-0288, BIDI-01).
enum class Bidi : std::uint8_t { never, where_offered };

// A stream that STARTTLS is used on is two: what was said, claimed or judged in clear is nothing inside TLS (STR-04, AB-185).
enum class Half : std::uint8_t { clear, tls };

constexpr Duration kClosePatience = 5s;  // STR-06

struct Limits {
  xml::Limits xml;                         // of an unproven stream
  std::uint64_t stanza_size = 512 * 1024;  // once a pair is proven
  Duration unproven_timeout = 30s, idle_timeout = 1h, keep_alive = 60s;
  unsigned failed_authentications = 3;              // AB-062
  std::uint64_t idle_bytes_per_minute = 64 * 1024;  // what is neither stanza nor answer (AB-014)
  std::uint32_t window = 0;                         // FLOW-01: bytes that each pair may send us; 0: no flow control
};

class Machine : private xml::Sink {
 public:
  // Initiating: speaks for `local`, wants `remote`, which it names in `remote_labels` until the peer names itself. `new_id` gives >= 128 random bits as text (receiving role only).
  static Machine initiate(Limits limits, Domain local, Domain remote, Encryption encryption, Instant now,
                          Labels remote_labels = Labels::unicode);
  static Machine receive(Limits limits, const Hosting& hosting, std::function<std::string()> new_id, Instant now);
  Machine(Machine&&) noexcept;
  ~Machine() override;

  Actions start();  // initiating: our header
  Actions feed(std::string_view bytes, StanzaSink& sink, Instant now);
  // More of what was fed is waiting behind the actions just returned.
  bool has_more() const noexcept {
    return (parser_is_stopped_ || !held_.empty()) && !waits_for_verdict() && !is_over();
  }
  Actions resume(StanzaSink& sink, Instant now);
  // A verdict is outstanding: stop reading from the peer meanwhile; bytes fed all the same are kept.
  bool waits_for_verdict() const noexcept;

  Actions on_tls(Instant now);                                     // the handshake succeeded
  Actions go_on(External external, Bidi bidi, Instant now);        // answer to AskServerVerdict
  Actions offer_features(bool external, Instant now);              // answer to AskClientVerdict
  Actions authenticate(const Result<void>& verdict, Instant now);  // answer to AskAuthentication

  // Ends the stream with an error of ours; nothing happens if it is over already.
  Actions fail(StreamFault fault, Error why);
  Actions close(Error why, Instant now);  // orderly, </stream:stream>
  // The same, with an error of ours or none, on a stream that the peer may send stanzas on: what is on its way is taken still, until
  // the peer closes too or kClosePatience is over (RFC 6120 §4.4, STR-06). Nothing more is sent.
  Actions wind_down(std::optional<StreamFault> fault, Error why, Instant now);

  void pair_proven(Instant now);  // the first one ends the unproven timer and raises the stanza limit
  // An element that was well-formed and meant nothing: it counts as such (AB-014).
  Actions count_useless(std::size_t bytes, Instant now);
  void sent_something(Instant now) noexcept { last_sent_ = now; }
  void carried_stanza(Instant now) noexcept { last_stanza_ = now; }
  // `is_busy`: a pair of this stream has stanzas waiting, so that it is not idle (STR-08).
  Actions on_time(Instant now, bool is_busy);
  Instant deadline() const noexcept;

  Role role() const noexcept { return role_; }
  bool is_open() const noexcept { return phase_ == Phase::open; }
  bool is_closing() const noexcept { return phase_ == Phase::closing; }  // we have said our last word
  bool is_over() const noexcept { return phase_ == Phase::over; }
  // Initiating: <auth/> was sent and never answered, also when the stream is over.
  bool awaits_authentication() const noexcept { return phase_ == Phase::auth || ended_at_auth_; }
  bool is_encrypted() const noexcept { return is_encrypted_; }
  // Stanzas go both ways: asked for by the initiating entity, inside TLS and before any proof (BIDI-01).
  bool is_bidi() const noexcept { return is_bidi_; }
  // FLOW-01: flow control per pair is on; the first window of each pair in either direction, in bytes.
  struct Flow {
    std::uint32_t ours, theirs;  // what we give, and what the peer gives
  };
  const std::optional<Flow>& flow() const noexcept { return flow_; }
  // From the moment of StartTls: nothing more is written in clear.
  Half half() const noexcept { return is_encrypted_ || phase_ == Phase::tls ? Half::tls : Half::clear; }
  bool is_proven() const noexcept { return is_proven_; }
  const std::optional<Domain>& local() const noexcept { return local_; }    // header's, ours
  const std::optional<Domain>& remote() const noexcept { return remote_; }  // header's, theirs
  // As the peer writes them in its header, and we in ours (AB-187).
  Labels local_labels() const noexcept { return local_labels_; }
  Labels remote_labels() const noexcept { return remote_labels_; }
  const std::string& id() const noexcept { return id_; }  // as last announced by the receiving entity
  // As last offered by the peer; receiving: what came with its <bidi/>.
  const Features& features() const noexcept { return features_; }
  std::optional<StreamError> peer_error() const noexcept {
    return peer_error_;
  }  // with which the peer ended the stream
  bool takes_dialback() const noexcept { return features_.dialback || header_declares_dialback_; }
  const xml::Header& peer_header() const noexcept { return parser_.header(); }

  // Where the negotiation is; with the element that comes it selects a cell of the table in machine_element.cpp (STR-05).
  enum class Phase : std::uint8_t {
    header_clear,
    features_clear,
    starttls_clear,
    proceed,
    tls,
    verdict,
    header_tls,
    features_tls,
    auth,
    header_auth,
    features_auth,
    open,
    closing,
    over,
  };

 private:
  Machine(Role role, Limits limits, const Hosting* hosting, std::function<std::string()> new_id, Instant now);

  xml::Take header(const xml::Header& header) override;
  xml::Take element(const xml::ElementView& element) override;
  void close() override;

  Actions take_fed(const xml::Fed& fed);
  void count_idle(std::uint64_t bytes);
  Actions take_actions() noexcept;
  void send(std::string bytes);
  void send_header();
  void end(std::optional<StreamFault> fault, Error why);
  void end_for_injection();
  void receiving_header(const xml::Header& header);
  void initiating_header(const xml::Header& header);
  void offer();
  void take_features(const xml::Node& node);
  void take_auth(const xml::Node& node);
  void refuse_authentication(std::string_view condition, std::string_view text);
  void take_sasl_failure(const xml::Node& node);
  void take_dialback(const xml::Node& node, std::size_t size);
  void take_stream_error(const xml::Node& node);
  void take_control(const xml::ElementView& element);
  void take_bidi(const xml::Node& node, std::size_t size);
  void take_flow(const xml::Node& node, std::size_t size);
  void take_credit(const xml::Node& node, std::size_t size);
  void open();
  void try_external_or_open();
  Instant idle_from() const noexcept;
  Duration keep_alive() const noexcept;

  Role role_;
  Limits limits_;
  const Hosting* hosting_;
  std::function<std::string()> new_id_;
  xml::Parser parser_;
  Phase phase_ = Phase::header_clear;
  bool parser_is_stopped_ = false, is_encrypted_ = false, is_proven_ = false, header_sent_ = false;
  bool header_declares_dialback_ = false, external_offered_ = false, external_tried_ = false;
  bool ended_at_auth_ = false, was_opened_ = false, restart_is_due_ = false;
  bool is_bidi_ = false, has_claimed_ = false;  // the peer, receiving: a domain, by SASL or dialback
  Bidi bidi_ = Bidi::never;
  std::optional<Flow> flow_;
  unsigned failed_authentications_ = 0;
  External external_ = External::usual;
  Encryption encryption_ = Encryption::required;
  std::optional<Domain> local_, remote_;
  Labels local_labels_ = Labels::unicode, remote_labels_ = Labels::unicode;
  std::string id_, held_;
  Features features_;
  std::optional<StreamError> peer_error_;
  std::optional<Error> closing_why_;
  Instant opened_at_, last_sent_, last_heard_, last_stanza_, now_, idle_since_, closing_since_;
  std::uint64_t elements_ = 0, idle_bytes_ = 0;
  Actions actions_;
  StanzaSink* sink_ = nullptr;
};

}  // namespace ligase::stream
