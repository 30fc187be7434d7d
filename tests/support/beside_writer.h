// What a thread beside the writer does to an index, at random moments between batches of changes: it begins merges and
// sweeps of the dictionaries, runs them, and installs them while more changes come in between. One thread.
#pragma once

#include <memory>

#include "index/pool_index.h"
#include "support/random_world.h"

namespace warmline::testing {

class BesideTheWriter {
 public:
  explicit BesideTheWriter(RandomWorld& random) : random_(random) {}

  void Go(index::PoolIndex& index) {
    Merge(index);
    Sweep(index);
  }
  // The index is another from now on.
  void Forget() {
    merge_.reset();
    merge_has_run_ = false;
    sweep_.reset();
  }

  // By all of them.
  inline static int merges_finished = 0;
  inline static int names_freed = 0;

 private:
  void Merge(index::PoolIndex& index) {
    if (merge_ == nullptr) merge_ = index.StartMerge();
    if (merge_ == nullptr || !random_.Chance(60)) return;
    if (!merge_has_run_) merge_->Run();
    merge_has_run_ = random_.Chance(50);  // if so, more changes come before it is installed
    if (merge_has_run_) return;
    index.FinishMerge(*merge_);
    merge_.reset();
    ++merges_finished;
  }

  void Sweep(index::PoolIndex& index) {
    if (sweep_ == nullptr) {
      sweep_ = index.StartSweep();
      if (sweep_ == nullptr || random_.Chance(50)) return;
    }
    sweep_->Run();
    if (random_.Chance(30)) return;
    names_freed += static_cast<int>(index.FinishSweep(*sweep_).value_or(0));
    sweep_.reset();
  }

  RandomWorld& random_;
  std::unique_ptr<index::MergeTask> merge_;
  bool merge_has_run_ = false;
  std::unique_ptr<index::DictionarySweep> sweep_;
};

}  // namespace warmline::testing
