// Sketches of messages, so that a text that is sent again with a word changed is known. SimHash (Charikar 2002,
// "Similarity estimation techniques from rounding algorithms"; Manku, Jain, Das Sarma 2007) over single words and pairs
// of neighbours, after NFKC and case folding. Pure; thread-safe.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace warmline::domain {

// 64 bits; texts with the same words in the same order have the same ones, whatever stands between the words.
[[nodiscard]] std::uint64_t MessageSketch(std::string_view text);

// How many bits differ: about 64 * angle / pi of the two texts' vectors of words and pairs; 32 for unrelated ones that
// share no word.
[[nodiscard]] inline int SketchDistance(std::uint64_t a, std::uint64_t b) { return std::popcount(a ^ b); }

}  // namespace warmline::domain
