// Messages of a unary call in an arena: a reply of a hundred small messages costs a few blocks instead of hundreds of
// allocations, and the first block is used again by a later call. One thread makes them and another lets go of them, so
// the idle ones are shared. Thread-safety: all calls from any thread.
#pragma once

#include <google/protobuf/arena.h>
#include <grpcpp/support/message_allocator.h>

#include <array>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace warmline::api {

template <typename Request, typename Response>
class ArenaAllocator final : public grpc::MessageAllocator<Request, Response> {
 public:
  grpc::MessageHolder<Request, Response>* AllocateMessages() override {
    std::unique_ptr<Holder> holder = idle_.Take();
    if (holder == nullptr) return new Holder(idle_);
    holder->Fill();
    return holder.release();
  }

 private:
  // Enough for a match of ten with its reasons; more goes to further blocks.
  static constexpr std::size_t kFirstBlockBytes = 32 * 1024;
  // Kept for later calls.
  static constexpr std::size_t kMaxIdle = 64;

  class Holder;
  class IdleHolders {
   public:
    std::unique_ptr<Holder> Take() {
      const std::lock_guard lock(mutex_);
      if (holders_.empty()) return nullptr;
      std::unique_ptr<Holder> holder = std::move(holders_.back());
      holders_.pop_back();
      return holder;
    }
    // Deletes what is too many.
    void Give(std::unique_ptr<Holder> holder) {
      const std::lock_guard lock(mutex_);
      if (holders_.size() < kMaxIdle) holders_.push_back(std::move(holder));
    }

   private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Holder>> holders_;  // guarded by mutex_
  };

  class Holder final : public grpc::MessageHolder<Request, Response> {
   public:
    explicit Holder(IdleHolders& idle) : idle_(idle), arena_(Options(first_block_)) { Fill(); }
    void Fill() {
      this->set_request(google::protobuf::Arena::CreateMessage<Request>(&arena_));
      this->set_response(google::protobuf::Arena::CreateMessage<Response>(&arena_));
    }
    void Release() override {
      arena_.Reset();
      idle_.Give(std::unique_ptr<Holder>(this));
    }

   private:
    using Block = std::array<char, kFirstBlockBytes>;
    static google::protobuf::ArenaOptions Options(Block& block) {
      google::protobuf::ArenaOptions options;
      options.initial_block = block.data();
      options.initial_block_size = block.size();
      return options;
    }

    IdleHolders& idle_;
    alignas(8) Block first_block_;
    google::protobuf::Arena arena_;
  };

  IdleHolders idle_;
};

}  // namespace warmline::api
