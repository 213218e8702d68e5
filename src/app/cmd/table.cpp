// Columns as wide as their widest cell; trailing blanks are left out.
#include "cmd/table.hpp"

#include <algorithm>

#include "base/bytes.hpp"

namespace ligase::cmd {
namespace {

// Code points: what a terminal shows of the names and numbers here.
std::size_t width(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0u) != 0x80u; }));
}

std::string cut(const std::string& text, std::size_t widest) {
  if (width(text) <= widest) return text;
  std::size_t end = 0, seen = 0;
  while (seen < widest) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xC0u) != 0x80u;
    if (starts && ++seen == widest) break;
    ++end;
  }
  return text.substr(0, end) + "…";
}

}  // namespace

std::string readable(std::string_view text, std::size_t most) {
  std::string out;
  const std::string_view kept = text.substr(0, most);
  for (std::size_t at = 0;;) {
    const std::size_t quote = kept.find('"', at);
    out += escaped(kept.substr(at, quote - at), most);
    if (quote == std::string_view::npos) break;
    out += '"';
    at = quote + 1;
  }
  if (kept.size() < text.size()) out += "…";
  return out;
}

void Table::add(std::vector<std::string> cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i] = cut(readable(cells[i], 1024), columns_[i].widest);
    if (cells[i].empty()) cells[i].push_back('-');
  }
  rows_.push_back(std::move(cells));
}

void Table::sort() { std::ranges::stable_sort(rows_); }

std::string Table::text(std::size_t width_of_all) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = columns_[i].title.size();
    for (const auto& row : rows_) widest = std::max(widest, width(row[i]));
    widths.push_back(widest);
  }
  std::size_t all = 2 * (widths.size() - 1);
  for (const std::size_t each : widths) all += each;
  for (; all > width_of_all; --all) {
    std::size_t* most = nullptr;
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (columns_[i].least != 0 && widths[i] > columns_[i].least && (most == nullptr || widths[i] > *most))
        most = &widths[i];
    if (most == nullptr) break;
    --*most;
  }
  std::string text;
  const auto append = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string cell = cut(std::string(cell_of(i)), widths[i]);
      const std::string blanks(widths[i] - width(cell), ' ');
      line += columns_[i].align == Align::right ? blanks + cell : cell + blanks;
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  };
  append([&](std::size_t i) { return columns_[i].title; });
  for (const auto& row : rows_) append([&](std::size_t i) { return std::string_view(row[i]); });
  return text;
}

}  // namespace ligase::cmd
