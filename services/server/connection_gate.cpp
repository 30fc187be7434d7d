#include "server/connection_gate.h"

#include <absl/time/clock.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "server/peer_address.h"

namespace warmline::server {
namespace {

constexpr char kPort[] = "api";
constexpr char kSilent[] = "no_call";
// A flood leaves heaps of freed memory behind: they are given back once its calls have ended.
constexpr absl::Duration kTrimAfter = absl::Seconds(3);
constexpr std::uint64_t kWake = 0;
// Numbers below are those of listening sockets, from 1 on.
constexpr std::uint64_t kFirstConnection = 1'000;
// Accepted in one turn, so that connections that end are seen in between.
constexpr int kMaxAccepts = 64;
// How often strangers are looked at while there are some, and how often the loop turns at least.
constexpr int kStrangerTurnMs = 5;
constexpr int kTurnMs = 500;
constexpr absl::Duration kIdleLook = absl::Seconds(5);
// gRPC closes idle connections itself, with a GOAWAY. One that is still there after this much more holds streams that
// never became calls.
constexpr absl::Duration kIdleGrace = absl::Seconds(30);
// Without descriptors for longer than this no turn is wasted on trying again.
constexpr int kAcceptPauseMs = 50;

std::int64_t NowMs() { return absl::ToUnixMillis(absl::Now()); }

// What came in so far; nothing where the kernel does not tell.
std::optional<std::uint64_t> BytesReceived(int socket) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
      size < offsetof(tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received))
    return std::nullopt;
  return info.tcpi_bytes_received;
}

base::Descriptor SpareDescriptor() { return base::Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

bool OutOfDescriptors(int error) { return error == EMFILE || error == ENFILE; }

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectionGate>> ConnectionGate::Listen(const std::string& host, int port,
                                                                       const TransportOptions& options,
                                                                       std::int64_t max_message_bytes,
                                                                       application::Metrics& metrics) {
  auto sockets = base::ListenOn(host, port);
  if (!sockets.ok()) return sockets.status();
  std::unique_ptr<ConnectionGate> gate(new ConnectionGate(*std::move(sockets), options, max_message_bytes, metrics));
  if (!gate->epoll_.valid() || !gate->wake_.valid() || !gate->spare_.valid())
    return absl::UnavailableError("no file descriptor is left");
  return gate;
}

ConnectionGate::ConnectionGate(base::ListenSockets sockets, const TransportOptions& options,
                               std::int64_t max_message_bytes, application::Metrics& metrics)
    : sockets_(std::move(sockets)),
      options_(options),
      max_stranger_bytes_(max_message_bytes + kStrangerSpareBytes),
      metrics_(metrics),
      table_(options),
      next_id_(kFirstConnection),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      spare_(SpareDescriptor()),
      last_turn_ms_(NowMs()) {}

ConnectionGate::~ConnectionGate() {
  StopAccepting();
  stop_ = true;
  eventfd_write(wake_.get(), 1);
  if (thread_.joinable()) thread_.join();
  {
    const std::lock_guard lock(handover_mutex_);
    handover_changed_.notify_all();
  }
  if (handover_thread_.joinable()) handover_thread_.join();
}

void ConnectionGate::HandOver() {
  while (true) {
    base::Descriptor socket;
    {
      std::unique_lock lock(handover_mutex_);
      handover_since_ms_ = handover_.empty() ? 0 : NowMs();
      handover_changed_.wait(lock, [this] { return stop_ || !handover_.empty(); });
      if (stop_) return;
      handover_since_ms_ = NowMs();
      socket = std::move(handover_.front());
      handover_.pop_front();
    }
    const std::lock_guard lock(take_mutex_);
    if (accepting_) take_(socket.Release());
  }
}

void ConnectionGate::Begin(std::function<void(int)> take) {
  take_ = std::move(take);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWake}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
  for (std::size_t i = 0; i < sockets_.sockets.size(); ++i) {
    event.data.u64 = i + 1;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, sockets_.sockets[i].get(), &event);
  }
  handover_thread_ = std::thread([this] { HandOver(); });
  thread_ = std::thread([this] { Run(); });
}

void ConnectionGate::StopAccepting() {
  accepting_ = false;
  const std::scoped_lock lock(accept_mutex_, take_mutex_);
  sockets_.sockets.clear();
}

std::shared_ptr<ConnectionProgress> ConnectionGate::Find(std::string_view grpc_peer) const {
  const std::string key = PeerKey(grpc_peer);
  const std::lock_guard lock(mutex_);
  const auto found = progress_.find(key);
  return found == progress_.end() ? nullptr : found->second;
}

bool ConnectionGate::Stuck() const {
  const std::int64_t long_ago = NowMs() - absl::ToInt64Milliseconds(kStuckAfter);
  const std::int64_t waiting = handover_since_ms_;
  if (!accepting_ || (last_turn_ms_ > long_ago && (waiting == 0 || waiting > long_ago))) return false;
  return SpareDescriptor().valid();
}

void ConnectionGate::Run() {
  std::array<epoll_event, 256> events;
  while (!stop_) {
    const int wait = table_.strangers().empty() ? kTurnMs : kStrangerTurnMs;
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), wait);
    last_turn_ms_ = NowMs();
    // Ends first: they make room.
    std::sort(events.begin(), events.begin() + std::max(count, 0),
              [](const epoll_event& a, const epoll_event& b) { return a.data.u64 > b.data.u64; });
    for (int i = 0; i < count; ++i) HandleEvent(events[static_cast<std::size_t>(i)].data.u64);
    Sweep(absl::Now());
    Report();
  }
}

void ConnectionGate::HandleEvent(std::uint64_t what) {
  if (what == kWake) {
    eventfd_t ignored = 0;
    eventfd_read(wake_.get(), &ignored);
  } else if (what >= kFirstConnection) {
    Forget(what);  // both sides are closed, or the connection was reset
  } else {
    const std::lock_guard lock(accept_mutex_);
    if (accepting_ && what <= sockets_.sockets.size()) AcceptFrom(sockets_.sockets[what - 1].get());
  }
}

void ConnectionGate::AcceptFrom(int listener) {
  for (int i = 0; i < kMaxAccepts; ++i) {
    base::Descriptor socket(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.valid()) {
      Admit(std::move(socket));
    } else if (OutOfDescriptors(errno)) {
      Shed(listener);
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      if (errno != EAGAIN && errno != EWOULDBLOCK) usleep(kAcceptPauseMs * 1'000);  // memory of the kernel, a firewall
      return;
    }
  }
}

// No descriptor is left: the one kept for this takes a connection and closes it, so that callers are told at once and
// the queue of the kernel does not fill.
void ConnectionGate::Shed(int listener) {
  spare_.Close();
  base::Descriptor socket(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (socket.valid()) metrics_.ConnectionRefused(kPort, "descriptors");
  socket.Close();
  spare_ = SpareDescriptor();
  if (!spare_.valid()) usleep(kAcceptPauseMs * 1'000);
}

void ConnectionGate::Admit(base::Descriptor socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getpeername(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return;  // gone already
  const absl::Time now = absl::Now();
  const std::string from = AddressKey(address);
  auto verdict = table_.Ask(from, now);
  if (verdict.refused != nullptr || verdict.evicted) {
    LookAtStrangers(now);  // some may have become known since
    verdict = table_.Ask(from, now);
  }
  base::Descriptor second(verdict.refused == nullptr ? fcntl(socket.get(), F_DUPFD_CLOEXEC, 0) : -1);
  if (!second.valid()) {
    metrics_.ConnectionRefused(kPort, verdict.refused == nullptr ? "descriptors" : verdict.refused);
    return;
  }
  if (verdict.evicted) End(*verdict.evicted, "made_room");
  const Id id = next_id_++;
  Connection connection{.socket = std::move(second),
                        .peer = PeerKey(address),
                        .accepted = now,
                        .progress = std::make_shared<ConnectionProgress>()};
  connection.progress->last_call_ms = absl::ToUnixMillis(now);
  connection.progress->wake = wake_.get();
  // Edges alone: hang-ups and resets, which are told without being asked for.
  epoll_event event{.events = EPOLLET, .data = {.u64 = id}};
  {
    const std::lock_guard lock(mutex_);
    progress_[connection.peer] = connection.progress;
  }
  const int watched = connection.socket.get();
  table_.Add(id, from, now);
  connections_.emplace(id, std::move(connection));
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, watched, &event);
  const std::lock_guard lock(handover_mutex_);
  handover_.push_back(std::move(socket));
  handover_changed_.notify_one();
}

void ConnectionGate::Sweep(absl::Time now) {
  LookAtStrangers(now);
  if (trim_at_ < now) {
    trim_at_ = absl::InfiniteFuture();
    malloc_trim(0);
  }
  if (now - last_idle_look_ < kIdleLook) return;
  last_idle_look_ = now;
  LookAtIdle(now);
}

void ConnectionGate::LookAtStrangers(absl::Time now) {
  std::vector<std::pair<Id, const char*>> verdicts;  // null: it is known now
  for (const auto& [id, accepted] : table_.strangers()) {
    const Connection& connection = connections_.at(id);
    const ConnectionProgress& progress = *connection.progress;
    if (progress.known) {
      verdicts.emplace_back(id, nullptr);
    } else if (progress.refused_calls > kRefusedCalls + kRefusedCallsPerSecond * absl::ToInt64Seconds(now - accepted)) {
      verdicts.emplace_back(id, "calls");
    } else if (progress.open_calls > 0) {
      continue;
    } else if (progress.open_probes == 0 &&
               now - absl::FromUnixMillis(progress.last_call_ms) > options_.stranger_timeout) {
      verdicts.emplace_back(id, kSilent);
    } else if (const auto bytes = BytesReceived(connection.socket.get());
               bytes && *bytes > static_cast<std::uint64_t>(max_stranger_bytes_)) {
      verdicts.emplace_back(id, "bytes");
    }
  }
  for (const auto& [id, reason] : verdicts) {
    if (reason == nullptr) {
      table_.Know(id);
    } else {
      if (reason != kSilent) {
        for (const Id neighbour : table_.Punish(id, now)) End(neighbour, reason);
        trim_at_ = now + kTrimAfter;
      }
      End(id, reason);
    }
  }
}

void ConnectionGate::LookAtIdle(absl::Time now) {
  std::vector<Id> idle;
  for (const auto& [id, connection] : connections_) {
    if (connection.progress->open_calls == 0 && connection.progress->open_probes == 0 &&
        now - absl::FromUnixMillis(connection.progress->last_call_ms) > options_.idle_timeout + kIdleGrace)
      idle.push_back(id);
  }
  for (const Id id : idle) End(id, "no_progress");
}

void ConnectionGate::End(Id id, const char* reason) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  metrics_.ConnectionRefused(kPort, reason);
  shutdown(found->second.socket.get(), SHUT_RDWR);
  Forget(id);
}

void ConnectionGate::Forget(Id id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  {
    const std::lock_guard lock(mutex_);
    // The same port may belong to a newer connection already.
    const auto known = progress_.find(found->second.peer);
    if (known != progress_.end() && known->second == found->second.progress) progress_.erase(known);
  }
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.socket.get(), nullptr);
  table_.Remove(id);
  connections_.erase(found);
}

void ConnectionGate::Report() {
  const std::pair now(table_.open(), static_cast<std::int64_t>(table_.strangers().size()));
  if (now == reported_) return;
  reported_ = now;
  metrics_.ConnectionsHeld(kPort, now.first, now.second);
}

}  // namespace warmline::server
