// POSH documents of strangers (AB-153, AB-154, AB-155): whatever the bytes, a bounded document or none; and what was read
// and is written again is read the same.
#include <cstdlib>

#include "proof/posh.hpp"

using namespace ligase;
using namespace ligase::proof;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  const Result<PoshDocument> read = parse_posh(text);
  if (!read) {
    must(read.error().reason == Reason::posh_failed && !read.error().detail.empty());
    return 0;
  }
  must(is_utf8(text));
  if (const auto* reference = std::get_if<PoshReference>(&*read)) {
    must(reference->expires.count() > 0);
    const Result<PoshDocument> again = parse_posh(write_posh_reference(reference->url, reference->expires));
    must(again && std::get<PoshReference>(*again).url == reference->url);
    return 0;
  }
  const auto& document = std::get<PoshFingerprints>(*read);
  must(document.expires.count() > 0 && !document.descriptors.empty() && document.descriptors.size() <= 64);
  const Result<PoshDocument> again = parse_posh(write_posh(document.descriptors, document.expires));
  must(again && std::get<PoshFingerprints>(*again).descriptors == document.descriptors &&
       std::get<PoshFingerprints>(*again).expires == document.expires);
  return 0;
}
