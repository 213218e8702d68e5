// The small texts of a configuration: durations, sizes, and the nearest word to one that nobody knows.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace ligase::config {

// "250ms", "30s", "5m", "1h", "2d": a whole number and its unit; nullopt for anything else or beyond a hundred years.
std::optional<Duration> parse_duration(std::string_view text) noexcept;
// "10000B", "512KiB", "16MiB", "1GiB": bytes; nullopt for anything else or above 2^53.
std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;
// The shortest of those forms, as the operator would write it.
std::string duration_text(Duration duration);
std::string size_text(std::uint64_t bytes);

// The word of `known` with the smallest edit distance (insert, delete, replace, swap of neighbours), if it is near
// enough to be a slip of the hand: at most a third of the word, at least 1.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace ligase::config
