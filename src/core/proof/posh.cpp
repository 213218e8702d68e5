// The parser's handler knows where in the document it is; what it has no use for it steps over, counting members. JSON
// numbers are looked at as they are written: 1e3 and 3.0 are no integers here, and 10^30 is one.
#include "proof/posh.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <limits>
#include <set>

#include "report/json.hpp"

namespace ligase::proof {
namespace {

using boost::system::error_code;
using std::chrono::seconds;

constexpr std::size_t kMostDescriptors = 64;
constexpr std::size_t kMostDepth = 8;
constexpr seconds kShortestLife = std::chrono::minutes(5), kLongestLife = std::chrono::hours(24);
constexpr std::uint64_t kForever = 1'000'000'000'000;  // seconds; no more is needed to be clamped

constexpr std::string_view kHashNames[] = {"sha-256", "sha-384", "sha-512"};
constexpr std::size_t kHashSizes[] = {SHA256_DIGEST_LENGTH, SHA384_DIGEST_LENGTH, SHA512_DIGEST_LENGTH};
static_assert(std::size(kHashNames) == kPoshHashes && std::size(kHashSizes) == kPoshHashes);

std::optional<std::size_t> known_hash(std::string_view name) {
  const auto* const found = std::ranges::find(kHashNames, name);
  if (found == std::end(kHashNames)) return std::nullopt;
  return static_cast<std::size_t>(found - std::begin(kHashNames));
}

// RFC 7711 §3.1 says base64 with padding, and its own example leaves it out.
bool read_digest(std::string text, std::size_t size, Bytes& out) {
  if (text.find('=') == std::string::npos) text.append((4 - text.size() % 4) % 4, '=');
  return from_base64(text, out) && out.size() == size;
}

class Reader {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = 1024;
  static constexpr std::size_t max_string_size = 64 * 1024;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& ec) {
    const Place place = next();
    switch (place) {
      case Place::root:
        return open(Place::root);
      case Place::descriptor:
        if (++descriptors_seen_ <= kMostDescriptors) descriptors.emplace_back();
        is_usable_ = true;
        return open(Place::descriptor);
      case Place::other:
        return open(Place::other);
      case Place::fingerprints:
      case Place::expires:
      case Place::url:
      case Place::digest:
        break;
    }
    return wrong_type(ec);
  }
  bool on_object_end(std::size_t, error_code&) {
    if (levels_.back().place == Place::descriptor) end_descriptor();
    return shut();
  }
  bool on_array_begin(error_code& ec) {
    const Place place = next();
    if (place == Place::fingerprints) has_fingerprints = true;
    if (place != Place::fingerprints && place != Place::other) return wrong_type(ec);
    return open(place);
  }
  bool on_array_end(std::size_t, error_code&) { return shut(); }

  bool on_key_part(std::string_view part, std::size_t, error_code&) {
    text_ += part;
    return true;
  }
  bool on_key(std::string_view part, std::size_t, error_code& ec) {
    Level& level = levels_.back();
    level.key = std::exchange(text_, {}).append(part);
    if (level.keys.insert(level.key).second) return true;
    return refuse(ec, fmt::format("the member \"{}\" stands there twice", escaped(level.key, 64)));
  }
  bool on_string_part(std::string_view part, std::size_t, error_code&) {
    text_ += part;
    return true;
  }
  bool on_string(std::string_view part, std::size_t, error_code& ec) {
    std::string text = std::exchange(text_, {}).append(part);
    switch (next()) {
      case Place::url:
        url = std::move(text);
        return true;
      case Place::digest:
        note_digest(std::move(text));
        return true;
      case Place::other:
        return true;
      case Place::root:
      case Place::fingerprints:
      case Place::descriptor:
      case Place::expires:
        break;
    }
    return wrong_type(ec);
  }
  bool on_number_part(std::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, std::string_view, error_code& ec) {
    if (number < 0) return note_number(ec, std::nullopt);
    return note_number(ec, static_cast<std::uint64_t>(number));
  }
  bool on_uint64(std::uint64_t number, std::string_view, error_code& ec) { return note_number(ec, number); }
  bool on_double(double, std::string_view text, error_code& ec) {  // also an integer too long for 64 bits
    const bool is_integer = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    return note_number(ec, is_integer ? std::optional(kForever) : std::nullopt);
  }
  bool on_bool(bool, error_code& ec) { return next() == Place::other || wrong_type(ec); }
  bool on_null(error_code& ec) { return next() == Place::other || wrong_type(ec); }
  bool on_comment_part(std::string_view, error_code&) { return true; }
  bool on_comment(std::string_view, error_code&) { return true; }

  std::string why;  // it was refused by us, not by the grammar
  std::vector<PoshDescriptor> descriptors;
  std::optional<std::string> url;
  std::optional<std::uint64_t> expires;
  bool has_fingerprints = false;
  bool has_any_descriptor() const noexcept { return descriptors_seen_ > 0; }

 private:
  // What the value that comes next is, or what an open object or array holds.
  enum class Place : std::uint8_t { root, fingerprints, descriptor, digest, url, expires, other };
  struct Level {
    Place place;
    std::string key;  // of the member being read
    std::set<std::string, std::less<>> keys;
  };

  Place next() const {
    if (levels_.empty()) return Place::root;
    const Level& level = levels_.back();
    switch (level.place) {
      case Place::root:
        if (level.key == "fingerprints") return Place::fingerprints;
        if (level.key == "url") return Place::url;
        if (level.key == "expires") return Place::expires;
        return Place::other;
      case Place::fingerprints:
        return Place::descriptor;
      case Place::descriptor:
        return known_hash(level.key) ? Place::digest : Place::other;
      case Place::digest:
      case Place::url:
      case Place::expires:
      case Place::other:
        break;
    }
    return Place::other;
  }
  bool open(Place place) {
    levels_.push_back({place, {}, {}});
    return true;
  }
  bool shut() {
    levels_.pop_back();
    return true;
  }
  bool refuse(error_code& ec, std::string what) {
    why = std::move(what);
    ec = make_error_code(boost::system::errc::invalid_argument);
    return false;
  }
  bool wrong_type(error_code& ec) {
    if (levels_.empty()) return refuse(ec, "it is no object");
    if (levels_.back().place == Place::fingerprints) return refuse(ec, "a fingerprint descriptor is no object");
    return refuse(ec, fmt::format("\"{}\" has a value of the wrong type", escaped(levels_.back().key, 64)));
  }
  bool note_number(error_code& ec, std::optional<std::uint64_t> number) {
    switch (next()) {
      case Place::expires:
        if (!number) return refuse(ec, "\"expires\" is no integer that is 0 or more");
        if (*number == 0) return refuse(ec, "\"expires\" is 0, that is: do not use it");
        expires = std::min(*number, kForever);
        return true;
      case Place::other:
        return true;
      case Place::root:
      case Place::fingerprints:
      case Place::descriptor:
      case Place::digest:
      case Place::url:
        break;
    }
    return wrong_type(ec);
  }
  void note_digest(std::string text) {
    if (descriptors_seen_ > kMostDescriptors) return;
    const std::size_t hash = *known_hash(levels_.back().key);
    if (!read_digest(std::move(text), kHashSizes[hash], descriptors.back().digests[hash])) is_usable_ = false;
  }
  void end_descriptor() {
    if (descriptors_seen_ > kMostDescriptors) return;
    const bool has_digest =
        std::ranges::any_of(descriptors.back().digests, [](const Bytes& digest) { return !digest.empty(); });
    if (!is_usable_ || !has_digest) descriptors.pop_back();
  }

  std::vector<Level> levels_;
  std::string text_;
  std::size_t descriptors_seen_ = 0;
  bool is_usable_ = true;  // the descriptor being read
};

tl::unexpected<Error> broken(std::string_view why) {
  return fail(Reason::posh_failed, fmt::format("no POSH document: {}", why));
}

Bytes digest_of(PoshHash hash, BytesView data) {
  Bytes out(kHashSizes[static_cast<std::size_t>(hash)]);
  switch (hash) {
    case PoshHash::sha_256:
      SHA256(data.data(), data.size(), out.data());
      break;
    case PoshHash::sha_384:
      SHA384(data.data(), data.size(), out.data());
      break;
    case PoshHash::sha_512:
      SHA512(data.data(), data.size(), out.data());
      break;
  }
  return out;
}

}  // namespace

std::string_view name_of(PoshHash hash) noexcept { return kHashNames[static_cast<std::size_t>(hash)]; }

Result<PoshDocument> parse_posh(std::string_view json) {
  boost::json::parse_options options;
  options.max_depth = kMostDepth;
  boost::json::basic_parser<Reader> parser(options);
  error_code ec;
  const std::size_t used = parser.write_some(false, json.data(), json.size(), ec);
  Reader& read = parser.handler();
  if (!read.why.empty()) return broken(read.why);
  if (ec) return broken(fmt::format("{} at byte {}", ec.message(), used));
  if (used != json.size()) return broken(fmt::format("something stands behind its end, at byte {}", used));
  if (read.has_fingerprints == read.url.has_value())
    return broken(read.url ? "both \"fingerprints\" and \"url\" stand there"
                           : "neither \"fingerprints\" nor \"url\" stands there");
  if (!read.expires) return broken("\"expires\" is missing");
  const seconds expires(static_cast<seconds::rep>(*read.expires));
  if (read.url) return PoshReference{*std::move(read.url), expires};
  if (!read.has_any_descriptor()) return broken("\"fingerprints\" is empty");
  if (read.descriptors.empty())
    return broken("no fingerprint in it can be used: sha-256, sha-384 and sha-512 are known");
  return PoshFingerprints{std::move(read.descriptors), expires};
}

std::string write_posh(const std::vector<PoshDescriptor>& descriptors, seconds expires) {
  report::JsonWriter json;
  json.begin_object().key("fingerprints").begin_array();
  for (const PoshDescriptor& descriptor : descriptors) {
    json.begin_object();
    for (std::size_t i = 0; i < kPoshHashes; ++i)
      if (!descriptor.digests[i].empty()) json.field(kHashNames[i], base64(descriptor.digests[i]));
    json.end_object();
  }
  json.end_array().field("expires", static_cast<std::uint64_t>(std::max(expires, seconds(1)).count())).end_object();
  return json.take();
}

std::string write_posh_reference(std::string_view url, seconds expires) {
  report::JsonWriter json;
  json.begin_object().field("url", url);
  json.field("expires", static_cast<std::uint64_t>(std::max(expires, seconds(1)).count())).end_object();
  return json.take();
}

PoshDescriptor posh_descriptor(const Chain& chain) {
  PoshDescriptor descriptor;
  for (const PoshHash hash : {PoshHash::sha_256, PoshHash::sha_512})
    descriptor.digests[static_cast<std::size_t>(hash)] = digest_of(hash, chain.der(0));
  return descriptor;
}

std::optional<std::string> match_posh(const std::vector<PoshDescriptor>& descriptors, const Chain& chain) {
  std::array<Bytes, kPoshHashes> own;
  for (std::size_t i = 0; i < kPoshHashes; ++i) own[i] = digest_of(static_cast<PoshHash>(i), chain.der(0));
  for (const PoshDescriptor& descriptor : descriptors) {
    std::string names;
    bool fits = true;
    for (std::size_t i = 0; i < kPoshHashes; ++i) {
      if (descriptor.digests[i].empty()) continue;
      fits = fits && descriptor.digests[i] == own[i];
      names += (names.empty() ? "" : ", ") + std::string(kHashNames[i]);
    }
    if (fits && !names.empty()) return names;
  }
  return std::nullopt;
}

seconds clamp_posh_expiry(seconds expires) noexcept { return std::clamp(expires, kShortestLife, kLongestLife); }

}  // namespace ligase::proof
