#include "domain/message_sketch.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.h"
#include "domain/text.h"

namespace warmline::domain {
namespace {

// Words of a canonical text: runs of letters and digits; in scripts that are written without spaces, each character.
std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const bool letter = lead >= 0x80 || (lead >= '0' && lead <= '9') || (lead >= 'a' && lead <= 'z');
    // U+2E80 and up, but for the Hangul syllables at U+AC00 (lead bytes EA to ED), which are written with spaces.
    const bool stands_alone = (size == 3 && lead >= 0xe3 && lead <= 0xe9) || size == 4;
    if (!letter || stands_alone) end_word();
    if (letter) word.append(text, i, size);
    if (stands_alone) end_word();
    i += size;
  }
  end_word();
  return words;
}

}  // namespace

std::uint64_t MessageSketch(std::string_view text) {
  const std::vector<std::string> words = WordsOf(CanonicalName(text));
  std::array<std::int32_t, 64> balance{};
  const auto add = [&](std::string_view feature) {
    const std::uint64_t hash = base::Hash64(feature);
    for (std::size_t bit = 0; bit < balance.size(); ++bit) balance[bit] += (hash >> bit & 1) != 0 ? 1 : -1;
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    add(words[i]);
    if (i > 0) add(words[i - 1] + " " + words[i]);
  }
  std::uint64_t sketch = 0;
  for (std::size_t bit = 0; bit < balance.size(); ++bit) {
    if (balance[bit] > 0) sketch |= std::uint64_t{1} << bit;
  }
  return sketch;
}

}  // namespace warmline::domain
