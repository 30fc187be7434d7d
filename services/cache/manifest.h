// What a snapshot consists of, as text that a person can read: see docs/redis.md. Values; pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "application/snapshot_cache.h"
#include "index/snapshot.h"

namespace warmline::cache {

// Pieces of the index, and two kinds beside them: the pool's record, and needs (each u32 length, then bytes of
// warmline.v1.Pool and warmline.v1.Need).
inline constexpr std::uint8_t kPoolSection = 64;
inline constexpr std::uint8_t kNeedsSection = 65;

struct Piece {
  std::uint8_t section = 0;
  std::uint32_t segment = 0;
  std::uint32_t part = 0;
  std::uint64_t bytes = 0;
  std::string hash;  // XXH3, 128 bits, of the bytes: 32 hexadecimal digits
};

struct Manifest {
  std::int64_t format = index::kSnapshotFormat;
  std::uint64_t history = 0;
  std::int64_t revision = 0;
  std::int64_t generation = 0;
  std::int64_t statistics_generation = 0;
  std::int64_t members = 0;  // numbers given, forgotten ones included
  std::int64_t made_ms = 0;  // since 1970
  std::vector<Piece> pieces;
  // Hashes of older generations' pieces that are kept for a while for who still reads them, and until when (ms since
  // 1970).
  std::vector<std::pair<std::string, std::int64_t>> retired;

  [[nodiscard]] std::uint64_t bytes() const;
};

// XXH3 (Collet), 128 bits, canonical form, in hexadecimal digits.
[[nodiscard]] std::string HashOf(std::string_view bytes);
[[nodiscard]] const char* SectionName(std::uint8_t section);

// One line a piece: section, segment, part, bytes, hash, with spaces between them.
[[nodiscard]] std::string PiecesToText(const std::vector<Piece>& pieces);
// Errors: DATA_LOSS.
[[nodiscard]] absl::StatusOr<std::vector<Piece>> PiecesFromText(std::string_view text);

// One line a hash: the hash and until when.
[[nodiscard]] std::string RetiredToText(const Manifest& manifest);
// What cannot be read is left out.
void RetiredFromText(std::string_view text, Manifest& manifest);

// Gives every piece of a snapshot with its bytes, in order. Errors: those of SnapshotSource::Write.
using PieceSink = std::function<absl::Status(const Piece&, std::string bytes)>;
[[nodiscard]] absl::Status WritePieces(const index::SnapshotSource& source, const PieceSink& sink);
// The manifest without pieces.
[[nodiscard]] Manifest ManifestOf(const index::SnapshotSource& source, std::uint64_t history, absl::Time now);

// Puts a snapshot together from its pieces, in the manifest's order, each checked against its hash.
class Assembler {
 public:
  Assembler(std::string pool, const Manifest& manifest) : pool_(std::move(pool)), manifest_(manifest) {}
  // Errors: DATA_LOSS.
  [[nodiscard]] absl::Status Add(const Piece& piece, std::string_view bytes);
  // Null members when a piece is missing.
  [[nodiscard]] application::LoadedSnapshot Take();

 private:
  const std::string pool_;
  const Manifest& manifest_;
  std::unique_ptr<index::SnapshotRestorer> restorer_;
};

}  // namespace warmline::cache
