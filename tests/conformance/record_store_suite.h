// What every RecordStore adapter must do. An adapter's test instantiates the suite with a factory that opens a fresh
// store, and one that opens the same store again, as after a restart.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "application/record_store.h"

namespace warmline::testing {

struct StoreFactory {
  std::string name;
  // A store of its own in `directory`; called again with the same directory after the last one was destroyed: the same
  // store.
  std::function<std::unique_ptr<application::RecordStore>(const std::string& directory)> open;
};

class RecordStoreSuite : public ::testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override;
  void TearDown() override;
  void Reopen();
  application::RecordStore& store() { return *store_; }

  std::string directory_;
  std::unique_ptr<application::RecordStore> store_;
};

}  // namespace warmline::testing
