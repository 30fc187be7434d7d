// Messages of a unary call in an arena: a reply of a hundred small messages costs a few blocks instead of hundreds of
// allocations, and the first block is used again by the thread's next call. Thread-safety: all calls from any thread.
#pragma once

#include <google/protobuf/arena.h>
#include <grpcpp/support/message_allocator.h>

#include <array>
#include <memory>
#include <vector>

namespace warmline::api {

template <typename Request, typename Response>
class ArenaAllocator final : public grpc::MessageAllocator<Request, Response> {
 public:
  grpc::MessageHolder<Request, Response>* AllocateMessages() override {
    auto& idle = Idle();
    if (idle.empty()) return new Holder;
    Holder* holder = idle.back().release();
    idle.pop_back();
    holder->Fill();
    return holder;
  }

 private:
  // Enough for a match of ten with its reasons; more goes to further blocks.
  static constexpr std::size_t kFirstBlockBytes = 32 * 1024;
  // Kept by a thread for its next calls.
  static constexpr std::size_t kMaxIdle = 16;

  class Holder final : public grpc::MessageHolder<Request, Response> {
   public:
    Holder() : arena_(Options(first_block_)) { Fill(); }
    void Fill() {
      this->set_request(google::protobuf::Arena::CreateMessage<Request>(&arena_));
      this->set_response(google::protobuf::Arena::CreateMessage<Response>(&arena_));
    }
    void Release() override {
      arena_.Reset();
      if (Idle().size() < kMaxIdle) {
        Idle().emplace_back(this);
      } else {
        delete this;
      }
    }

   private:
    using Block = std::array<char, kFirstBlockBytes>;
    static google::protobuf::ArenaOptions Options(Block& block) {
      google::protobuf::ArenaOptions options;
      options.initial_block = block.data();
      options.initial_block_size = block.size();
      return options;
    }

    alignas(8) Block first_block_;
    google::protobuf::Arena arena_;
  };

  static std::vector<std::unique_ptr<Holder>>& Idle() {
    thread_local std::vector<std::unique_ptr<Holder>> idle;
    return idle;
  }
};

}  // namespace warmline::api
