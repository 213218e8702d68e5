// HMAC and SHA-256 over delimited fields.
#include "proof/dialback_key.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>
#include <new>

namespace ligase::proof {
namespace {

constexpr std::size_t kLongestKey = 1024;
constexpr std::string_view kWhiteSpace = " \t\r\n";

}  // namespace

Result<DialbackKey> DialbackKey::parse(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return fail(Reason::dialback_invalid, "the key is empty");
  text = text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
  if (text.size() > kLongestKey) return fail(Reason::dialback_invalid, "the key is longer than 1024 bytes");
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    if (value < 0x20 || value == 0x7F) return fail(Reason::dialback_invalid, "the key has a control character");
  }
  if (!is_utf8(text)) return fail(Reason::dialback_invalid, "the key is not UTF-8");
  return DialbackKey(std::string(text));
}

DialbackKey DialbackKey::derive(std::string_view secret, const Domain& target, const Domain& sender,
                                std::string_view stream_id) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> hashed{};
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> mac{};
  const BytesView secret_bytes = as_bytes(secret);
  const std::string key = [&] {
    SHA256(secret_bytes.data(), secret_bytes.size(), hashed.data());
    return hex(hashed);
  }();
  std::string fields(target.text());
  ((fields += ' ') += sender.text()) += ' ';
  fields += stream_id;
  const BytesView message = as_bytes(fields);
  unsigned size = 0;
  // HMAC fails for want of memory only; a key made of nothing must not go out.
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), mac.data(), &size) ==
      nullptr)
    throw std::bad_alloc();
  return DialbackKey(hex(mac));
}

}  // namespace ligase::proof
