// What a stream header does (RFC 6120 §4.7, STR-01 to STR-04), in either role. Each header of the peer is judged from
// nothing but itself and what TLS showed: what an earlier one said counts no more.
#include <fmt/format.h>

#include "stream/machine.hpp"
#include "stream/words.hpp"

namespace ligase::stream {
namespace {

int major_version(const std::optional<std::string>& version) {
  if (!version || version->empty() || version->size() > 8) return 0;
  int major = 0;
  for (const char digit : *version) {
    if (digit == '.') return major;
    if (digit < '0' || digit > '9') return 0;
    major = major * 10 + (digit - '0');
  }
  return 0;
}

}  // namespace

xml::Take Machine::header(const xml::Header& header) {
  ++elements_;
  // Without a default namespace, or with that of streams, each stanza names its own (RFC 6120 §4.8.2).
  const bool names_content = header.default_ns() == ns::kServer;
  const bool leaves_it_open = header.default_ns().empty() || header.default_ns() == ns::kStreams;
  if (header.name != "stream" || header.ns != ns::kStreams || !(names_content || leaves_it_open)) {
    end(StreamFault{StreamError::invalid_namespace,
                    "this is a server-to-server port: a stream of jabber:server is expected"},
        {Reason::stream_protocol, "the stream header is not one of jabber:server"});
    return xml::Take::stop;
  }
  header_declares_dialback_ = false;
  for (const xml::Declaration& declaration : header.declarations)
    if (declaration.uri == ns::kDialback) header_declares_dialback_ = true;
  if (role_ == Role::receiving) {
    receiving_header(header);
  } else {
    initiating_header(header);
  }
  return xml::Take::stop;
}

void Machine::receiving_header(const xml::Header& header) {
  std::optional<Domain> to, from;
  if (header.to)
    if (auto parsed = Domain::parse(*header.to)) to = std::move(*parsed);
  const bool from_is_bad = header.from && !Domain::parse(*header.from);
  if (header.from && !from_is_bad) from = *Domain::parse(*header.from);

  if (to) local_labels_ = labels_of(*header.to, *to);
  if (from) remote_labels_ = labels_of(*header.from, *from);
  if (header.to && to && phase_ != Phase::header_auth) local_ = to;
  header_sent_ = false;  // each header of the peer is answered by one of ours, an error's too (STR-02)
  if (!to) {
    end(StreamFault{StreamError::improper_addressing, "the stream header needs a 'to' that is a domain"},
        {Reason::stream_protocol, "the header's to is missing or no domain"});
    return;
  }
  if (from_is_bad) {
    end(StreamFault{StreamError::improper_addressing, "the stream header's 'from' is no domain"},
        {Reason::stream_protocol, "the header's from is no domain"});
    return;
  }
  if (phase_ == Phase::header_auth && (to != local_ || (from && from != remote_))) {
    // What was proven was proven for those names (AB-030, AB-045).
    end(StreamFault{StreamError::invalid_from, "after authentication 'from' and 'to' must stay what they were"},
        {Reason::stream_protocol, "the header after SASL names another from or to"});
    return;
  }
  if (phase_ != Phase::header_auth) remote_ = from;
  if (!hosting_->is_hosted(*to)) {
    end(StreamFault{StreamError::host_unknown, fmt::format("{} is not hosted here", to->text())},
        {Reason::host_unknown, fmt::format("{} is not hosted here", to->text())});
    return;
  }
  if (remote_ && (hosting_->is_hosted(*remote_) || *remote_ == *local_)) {
    end(StreamFault{StreamError::invalid_from,
                    fmt::format("{} is hosted here and comes in by no stream", remote_->text())},
        {Reason::sender_hosted, fmt::format("the peer claims {}, which is hosted here", remote_->text())});
    return;
  }
  encryption_ = hosting_->encryption_towards(remote_ ? &*remote_ : nullptr);
  const bool has_features = major_version(header.version) >= 1;
  if (!is_encrypted_ && encryption_ == Encryption::required && !has_features) {
    end(StreamFault{StreamError::policy_violation,
                    "TLS is required, and a stream without version='1.0' cannot negotiate it"},
        {Reason::tls_required, "the peer's stream has no version, so it cannot use STARTTLS"});
    return;
  }
  send_header();
  if (!is_encrypted_) {
    if (has_features)
      send(write_features({.starttls = true,
                           .starttls_required = encryption_ == Encryption::required,
                           .external = false,
                           .dialback = encryption_ == Encryption::preferred}));
    if (encryption_ == Encryption::required) {
      phase_ = Phase::starttls_clear;
    } else {
      open();
    }
    return;
  }
  if (phase_ == Phase::header_auth || !remote_) {
    offer();
    return;
  }
  phase_ = Phase::verdict;
  actions_.push_back(AskClientVerdict{*remote_});
}

void Machine::offer() {
  const bool may_offer_bidi = !is_proven_ && remote_ && hosting_->offers_bidi(*remote_);
  if (major_version(parser_.header().version) >= 1)
    send(write_features({.starttls = false,
                         .starttls_required = false,
                         .external = external_offered_ && !is_proven_,
                         .dialback = true,
                         .bidi = may_offer_bidi,
                         .most_bytes = limits_.stanza_size,
                         .idle_seconds = static_cast<std::uint64_t>(limits_.idle_timeout / 1s),
                         .window = is_encrypted_ && !flow_ && !is_proven_ ? limits_.window : 0}));
  open();
}

void Machine::initiating_header(const xml::Header& header) {
  if (header.from) {
    const auto from = Domain::parse(*header.from);
    if (!from || *from != *remote_) {
      end(StreamFault{StreamError::invalid_from, fmt::format("a stream to {} must be answered by it", remote_->text())},
          {Reason::stream_protocol, "the peer answered in the name of another domain"});
      return;
    }
    remote_labels_ = labels_of(*header.from, *from);
  }
  if (header.to)
    if (const auto to = Domain::parse(*header.to); to && *to == *local_) local_labels_ = labels_of(*header.to, *to);
  if (!header.id || header.id->empty() || header.id->size() > 1024) {
    end(StreamFault{StreamError::bad_format, "the stream header has no id"},
        {Reason::stream_protocol, "the peer's header has no id"});
    return;
  }
  id_ = *header.id;
  features_ = {};
  if (major_version(header.version) < 1) {
    if (!is_encrypted_ && encryption_ == Encryption::required) {
      end(StreamFault{StreamError::policy_violation, "TLS is required here"},
          {Reason::tls_required, "the peer speaks a stream without version, so it offers no TLS"});
    } else if (phase_ == Phase::header_clear) {
      phase_ = Phase::verdict;
      actions_.push_back(AskServerVerdict{});
    } else {
      open();
    }
    return;
  }
  if (phase_ == Phase::header_clear) phase_ = Phase::features_clear;
  if (phase_ == Phase::header_tls) phase_ = Phase::features_tls;
  if (phase_ == Phase::header_auth) phase_ = Phase::features_auth;
}

}  // namespace ligase::stream
