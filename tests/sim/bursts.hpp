// Bursts: stanzas of any size with a number in their id, and limits that a few of them fill.
#pragma once
#include "sim/lab.hpp"

namespace ligase::sim {

inline std::string message(const std::string& from, const std::string& to, int number, std::size_t size,
                           std::string_view type = "chat") {
  return fmt::format("<message type='{}' from='a@{}' to='b@{}' id='{}-{}-{}'><body>{}</body></message>", type, from, to,
                     from, to, number, std::string(size, 'x'));
}

inline config::Limits small() {
  config::Limits limits;
  limits.queue_per_pair = limits.queue_per_link = 64 * 1024;
  limits.queue_per_peer = 128 * 1024;
  limits.queue_total = 1024 * 1024;
  return limits;
}

}  // namespace ligase::sim
