// Loss of power after an acknowledged commit: only what was synced survives. The same test under synchronous=OFF must
// lose writes, or it would prove nothing.
#include <gtest/gtest.h>

#include <filesystem>

#include "fault/power_loss_vfs.h"
#include "storage/sqlite/store.h"
#include "support/random_world.h"

namespace warmline::testing {
namespace {

// Commits `count` members one by one, cutting the power after each; returns how many acknowledged ones are missing
// after it.
int Lost(const std::string& synchronous, int count) {
  std::string directory = ::testing::TempDir() + "warmline-power-XXXXXX";
  EXPECT_NE(mkdtemp(directory.data()), nullptr);
  const std::string path = directory + "/warmline.db";
  auto store = storage::sqlite::Store::Open({.path = path, .synchronous = synchronous});
  EXPECT_TRUE(store.ok()) << store.status();
  RandomWorld random(1);
  int lost = 0;
  for (int i = 0; i < count; ++i) {
    auto tx = (*store)->Begin();
    domain::Pool pool;
    pool.id = "p";
    if (i == 0) EXPECT_TRUE((*tx)->Put(pool).ok());
    domain::Member member = random.Member("m" + std::to_string(i));
    EXPECT_TRUE((*tx)->Put("p", member).ok());
    EXPECT_TRUE((*tx)->Commit().ok());
    const std::string after = directory + "/after-" + std::to_string(i);
    CopySurvivors(path, after);
    auto restored = storage::sqlite::Store::Open({.path = after + "/warmline.db"});
    if (!restored.ok()) {
      ++lost;  // not even the file is whole
      continue;
    }
    auto reader = (*restored)->Read();
    for (int j = 0; j <= i; ++j) {
      const auto found = (*reader)->GetMember("p", "m" + std::to_string(j));
      if (!found.ok() || !found->has_value()) ++lost;
    }
  }
  store->reset();
  std::filesystem::remove_all(directory);
  return lost;
}

TEST(PowerLoss, NothingAcknowledgedIsLostUnderFullAndMuchIsUnderOff) {
  RegisterPowerLossVfs();
  const int full = Lost("FULL", 40);
  const int off = Lost("OFF", 40);
  std::printf("power loss: synchronous=FULL lost %d, synchronous=OFF lost %d\n", full, off);
  EXPECT_EQ(full, 0);
  EXPECT_GT(off, 0);
}

}  // namespace
}  // namespace warmline::testing
