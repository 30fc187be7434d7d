#include "domain/revision.h"

namespace warmline::domain {
namespace {

constexpr char kPurpose[] = "revision";

}  // namespace

std::string NumberBytes(std::int64_t number) {
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8)
    bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> shift));
  return bytes;
}

std::optional<std::int64_t> NumberOfBytes(std::string_view bytes) {
  if (bytes.size() != sizeof(std::int64_t)) return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return static_cast<std::int64_t>(number);
}

RevisionTokens::RevisionTokens(std::string_view key, std::uint64_t history)
    : sealer_(key), history_(NumberBytes(static_cast<std::int64_t>(history))) {}

std::string RevisionTokens::Of(const std::string& pool, std::int64_t revision) const {
  return sealer_.Seal(kPurpose, {pool, history_}, NumberBytes(revision));
}

std::optional<std::int64_t> RevisionTokens::Number(const std::string& pool, std::string_view token) const {
  const auto content = sealer_.Open(kPurpose, {pool, history_}, token);
  return content ? NumberOfBytes(*content) : std::nullopt;
}

}  // namespace warmline::domain
