#include "console/http_front.h"

#include <absl/time/clock.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>

namespace warmline::console {
namespace {

using Stage = HttpConnection::Stage;

constexpr std::uint64_t kWake = 0;
// Numbers below are those of listening sockets, from 1 on.
constexpr std::uint64_t kFirstConnection = 1'000;
constexpr int kMaxAccepts = 32;  // in one turn
constexpr int kTurnMs = 100;
constexpr int kAcceptPauseMs = 50;
constexpr absl::Duration kStopTime = absl::Seconds(2);

}  // namespace

HttpFront::HttpFront(Hooks hooks, SSL_CTX* tls)
    : hooks_(std::move(hooks)),
      tls_(tls),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      next_id_(kFirstConnection) {}

HttpFront::~HttpFront() { Stop(); }

absl::Status HttpFront::Start(const std::string& host, int port) {
  if (!epoll_.valid() || !wake_.valid()) return absl::UnavailableError("no file descriptor is left");
  auto sockets = base::ListenOn(host, port);
  if (!sockets.ok()) return sockets.status();
  sockets_ = *std::move(sockets);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWake}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
  for (std::size_t i = 0; i < sockets_.sockets.size(); ++i) {
    event.data.u64 = i + 1;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, sockets_.sockets[i].get(), &event);
  }
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void HttpFront::Reply(std::uint64_t id, std::string answer) {
  const std::lock_guard lock(mutex_);
  replies_.emplace_back(id, std::move(answer));
  eventfd_write(wake_.get(), 1);
}

void HttpFront::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    eventfd_write(wake_.get(), 1);
  }
  thread_.join();
}

void HttpFront::Run() {
  std::array<epoll_event, 64> events;
  std::optional<absl::Time> end;
  while (!end || (!entries_.empty() && absl::Now() < *end)) {
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), kTurnMs);
    SendReplies();
    for (int i = 0; i < count; ++i) {
      const std::uint64_t what = events[static_cast<std::size_t>(i)].data.u64;
      if (what >= kFirstConnection) {
        Continue(what);
      } else if (what == kWake) {
        eventfd_t ignored = 0;
        eventfd_read(wake_.get(), &ignored);
      } else if (what <= sockets_.sockets.size()) {
        AcceptFrom(sockets_.sockets[what - 1].get());
      }
    }
    SendReplies();
    Expire(absl::Now());
    const std::lock_guard lock(mutex_);
    if (stopping_ && !end) {
      end = absl::Now() + kStopTime;
      sockets_.sockets.clear();
      absl::erase_if(entries_, [](const auto& entry) { return entry.second->connection.stage() == Stage::kReading; });
    }
  }
  entries_.clear();
  hooks_.held(0);
}

void HttpFront::AcceptFrom(int listener) {
  for (int i = 0; i < kMaxAccepts; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    base::Descriptor socket(accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.valid()) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if ((errno == EMFILE || errno == ENFILE) && MakeRoom()) continue;             // a probe comes in all the same
      if (errno != EAGAIN && errno != EWOULDBLOCK) usleep(kAcceptPauseMs * 1'000);  // no descriptor is left
      return;
    }
    if (static_cast<int>(entries_.size()) >= kMaxHttpConnections && !MakeRoom()) {
      hooks_.refused("total");
      continue;
    }
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    getnameinfo(reinterpret_cast<sockaddr*>(&peer), size, host.data(), host.size(), port.data(), port.size(),
                NI_NUMERICHOST | NI_NUMERICSERV);
    const std::uint64_t id = next_id_++;
    epoll_event event{.events = EPOLLIN, .data = {.u64 = id}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event);
    entries_.emplace(id,
                     std::make_unique<Entry>(Entry{HttpConnection(std::move(socket), tls_, absl::Now() + kRequestTime),
                                                   host.data(), std::atoi(port.data())}));
    hooks_.held(static_cast<std::int64_t>(entries_.size()));
    Continue(id);
  }
}

// False where every caller has sent a whole request, and gets its answer soon.
bool HttpFront::MakeRoom() {
  std::optional<std::uint64_t> oldest;
  for (const auto& [id, entry] : entries_) {
    const Stage stage = entry->connection.stage();
    if ((stage == Stage::kReading || stage == Stage::kLingering) && (!oldest || id < *oldest)) oldest = id;
  }
  if (!oldest) return false;
  hooks_.refused("made_room");
  Forget(*oldest);
  return true;
}

void HttpFront::SendReplies() {
  std::vector<std::pair<std::uint64_t, std::string>> replies;
  {
    const std::lock_guard lock(mutex_);
    replies.swap(replies_);
  }
  for (auto& [id, answer] : replies) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) continue;
    found->second->connection.Answer(std::move(answer), absl::Now() + kAnswerTime);
    Continue(id);
  }
}

void HttpFront::Continue(std::uint64_t id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = *found->second;
  const bool was_reading = entry.connection.stage() == Stage::kReading;
  entry.connection.Continue();
  if (entry.connection.stage() == Stage::kClosed) {
    Forget(id);
    return;
  }
  Watch(id);
  if (was_reading && entry.connection.stage() == Stage::kAnswering)
    hooks_.take({id, entry.connection.TakeRequest(), entry.peer_ip, entry.peer_port});
}

void HttpFront::Watch(std::uint64_t id) {
  const HttpConnection& connection = entries_.at(id)->connection;
  epoll_event event{.events = connection.wants_write() ? std::uint32_t{EPOLLOUT} : std::uint32_t{EPOLLIN},
                    .data = {.u64 = id}};
  if (connection.stage() == Stage::kAnswering) {
    // A caller who hangs up meanwhile would wake the loop all the time.
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.fd(), nullptr);
  } else if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd(), &event) != 0) {
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd(), &event);
  }
}

void HttpFront::Expire(absl::Time now) {
  std::vector<std::uint64_t> late;
  for (const auto& [id, entry] : entries_) {
    // The answer is made in bounded time: whoever makes it has deadlines of their own.
    if (entry->connection.stage() != Stage::kAnswering && entry->connection.deadline() < now) late.push_back(id);
  }
  for (const std::uint64_t id : late) {
    if (entries_.at(id)->connection.stage() != Stage::kLingering) hooks_.refused("slow");
    Forget(id);
  }
}

void HttpFront::Forget(std::uint64_t id) {
  entries_.erase(id);
  hooks_.held(static_cast<std::int64_t>(entries_.size()));
}

}  // namespace warmline::console
