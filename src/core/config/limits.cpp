// [limits]: every number of the program that an operator may turn, with the bounds within which it stays safe (LIM-01).
#include <fmt/format.h>

#include "config/sections.hpp"
#include "config/text.hpp"

namespace ligase::config {
namespace {

constexpr std::uint64_t kKiB = 1u << 10, kMiB = 1u << 20, kGiB = 1u << 30;

struct DurationLimit {
  std::string_view key;
  Duration Limits::*member;
  Duration least, most;
};
constexpr DurationLimit kDurations[] = {
    {"unproven_timeout", &Limits::unproven_timeout, 1s, 10min},
    {"tls_handshake_timeout", &Limits::tls_handshake_timeout, 1s, 5min},
    {"connect_timeout", &Limits::connect_timeout, 100ms, 5min},
    {"setup_timeout", &Limits::setup_timeout, 1s, 10min},
    {"queue_age", &Limits::queue_age, 1s, 1h},
    {"idle_timeout", &Limits::idle_timeout, 1s, 168h},
    {"keep_alive", &Limits::keep_alive, 1s, 1h},
    {"dead_after", &Limits::dead_after, 2s, 2h},
    {"drain_timeout", &Limits::drain_timeout, 1s, 10min},
    {"negative_proof_cache", &Limits::negative_proof_cache, 1s, 1h},
    {"proof_max_age", &Limits::proof_max_age, 1s, 720h},
};

struct NumberLimit {
  std::string_view key;
  std::uint64_t Limits::*member;
  std::uint64_t least, most;
};
constexpr NumberLimit kSizes[] = {
    {"window_per_pair", &Limits::window_per_pair, 0, 16 * kMiB},
    {"queue_per_pair", &Limits::queue_per_pair, 16 * kKiB, kGiB},
    {"queue_per_peer", &Limits::queue_per_peer, 64 * kKiB, 4 * kGiB},
    {"queue_per_link", &Limits::queue_per_link, 64 * kKiB, 4 * kGiB},
    {"queue_total", &Limits::queue_total, kMiB, 1024 * kGiB},
    {"stanza_size_unproven", &Limits::stanza_size_unproven, 10'000, 16 * kMiB},  // RFC 6120 §13.12: 10,000 at least
    {"stanza_size", &Limits::stanza_size, 10'000, 64 * kMiB},
    {"start_tag", &Limits::start_tag, 4 * kKiB, kMiB},
    {"name", &Limits::name, 256, 64 * kKiB},
    {"reply_buffer", &Limits::reply_buffer, 4 * kKiB, 16 * kMiB},
};
constexpr NumberLimit kCounts[] = {
    {"depth", &Limits::depth, 16, 4096},
    {"attributes", &Limits::attributes, 16, 4096},
    {"unproven_per_prefix", &Limits::unproven_per_prefix, 1, 100'000},
    {"dial_backs_per_stream", &Limits::dial_backs_per_stream, 1, 10'000},
    {"dial_backs_per_address", &Limits::dial_backs_per_address, 1, 100'000},
    {"senders_per_stream", &Limits::senders_per_stream, 1, 1'000'000},
    {"pairs_per_stream", &Limits::pairs_per_stream, 1, 10'000'000},
    {"proving_per_stream", &Limits::proving_per_stream, 1, 1'000'000},
    {"pairs_total", &Limits::pairs_total, 1, 100'000'000},
    {"streams_total", &Limits::streams_total, 1, 1'000'000},
};
static_assert(sizeof(Limits) == 8 * (std::size(kDurations) + std::size(kSizes) + std::size(kCounts)),
              "every member of Limits has its key");

// Numbers that make no sense together.
void check_together(const Section& section, const Limits& limits, Findings& findings) {
  if (section.has("dead_after") && limits.dead_after <= limits.keep_alive) {
    findings.fault(section.line_of("dead_after"),
                   fmt::format("[limits] dead_after {} is not above keep_alive {}: every stream would be ended as dead",
                               duration_text(limits.dead_after), duration_text(limits.keep_alive)),
                   "raise dead_after, or lower keep_alive");
  }
  if (limits.window_per_pair != 0 && limits.window_per_pair < 4 * kKiB) {
    findings.fault(section.line_of("window_per_pair"),
                   fmt::format("[limits] window_per_pair {} is below {}: hardly a stanza would be on its way at a time",
                               size_text(limits.window_per_pair), size_text(4 * kKiB)),
                   "raise it, or set it to 0 for no flow control");
  }
  if (limits.stanza_size_unproven > limits.stanza_size) {
    findings.fault(section.line_of("stanza_size_unproven"),
                   fmt::format("[limits] stanza_size_unproven {} is above stanza_size {}",
                               size_text(limits.stanza_size_unproven), size_text(limits.stanza_size)),
                   "lower it");
  }
  if (limits.queue_per_pair < limits.stanza_size) {
    findings.fault(
        section.line_of("queue_per_pair"),
        fmt::format("[limits] queue_per_pair {} is below stanza_size {}: the biggest stanza could never wait",
                    size_text(limits.queue_per_pair), size_text(limits.stanza_size)),
        "raise queue_per_pair, or lower stanza_size");
  }
  if (limits.queue_total < limits.queue_per_pair) {
    findings.fault(section.line_of("queue_total"),
                   fmt::format("[limits] queue_total {} is below queue_per_pair {}", size_text(limits.queue_total),
                               size_text(limits.queue_per_pair)),
                   "raise it");
  }
}

}  // namespace

Limits read_limits(Section& section, Findings& findings) {
  Limits limits;
  for (const DurationLimit& limit : kDurations)
    section.duration(limit.key, limits.*limit.member, limit.least, limit.most);
  for (const NumberLimit& limit : kSizes) section.size(limit.key, limits.*limit.member, limit.least, limit.most);
  for (const NumberLimit& limit : kCounts) section.count(limit.key, limits.*limit.member, limit.least, limit.most);
  if (section.has("dead_after")) findings.in_vain("[limits] dead_after", section.line_of("dead_after"));
  section.finish();
  check_together(section, limits, findings);
  return limits;
}

}  // namespace ligase::config
