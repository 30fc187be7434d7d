#include "cache/redis/block.h"

#include <zstd.h>

namespace warmline::cache::redis {
namespace {

constexpr char kPlain = 0;
constexpr char kZstd = 1;
constexpr int kLevel = 1;
// No piece is larger, whatever a manifest says.
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;

}  // namespace

std::string PackBlock(std::string_view bytes) {
  std::string packed(1 + ZSTD_compressBound(bytes.size()), kZstd);
  const std::size_t size = ZSTD_compress(packed.data() + 1, packed.size() - 1, bytes.data(), bytes.size(), kLevel);
  if (ZSTD_isError(size) == 0 && size < bytes.size() - bytes.size() / 5) {
    packed.resize(1 + size);
    return packed;
  }
  std::string plain(1, kPlain);
  plain.append(bytes);
  return plain;
}

absl::StatusOr<std::string> UnpackBlock(std::string_view block, std::uint64_t bytes) {
  if (block.empty() || bytes > kMaxBytes) return absl::DataLossError("a block is empty");
  const std::string_view rest = block.substr(1);
  if (block[0] == kPlain) return std::string(rest);
  if (block[0] != kZstd) return absl::DataLossError("a block is packed in an unknown way");
  std::string plain(bytes, '\0');
  const std::size_t size = ZSTD_decompress(plain.data(), plain.size(), rest.data(), rest.size());
  if (ZSTD_isError(size) != 0 || size != bytes) return absl::DataLossError("a block cannot be unpacked");
  return plain;
}

}  // namespace warmline::cache::redis
