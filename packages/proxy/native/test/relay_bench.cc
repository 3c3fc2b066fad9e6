// CPU time of the relay's thread for a unit of work, on loopback; the peers are threads of this program. Not a test.
//
//   relay_bench bulk PIPES GIGABYTES      seconds per GB, one connection
//   relay_bench messages LINKS COUNT      microseconds per message of 64 bytes, saturated
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "relay_kit.h"

namespace limpet::test {
namespace {

// Seconds that the thread of this name has run.
double CpuSeconds(const char* name) {
  DIR* const tasks = opendir("/proc/self/task");
  double seconds = 0;
  while (const dirent* const task = readdir(tasks)) {
    const std::string path = std::string("/proc/self/task/") + task->d_name;
    char comm[32] = {};
    FILE* const names = fopen((path + "/comm").c_str(), "r");
    if (names == nullptr) continue;
    const bool is_it = fgets(comm, sizeof comm, names) != nullptr && strncmp(comm, name, strlen(name)) == 0;
    fclose(names);
    if (!is_it) continue;
    FILE* const stat = fopen((path + "/schedstat").c_str(), "r");
    unsigned long long nanoseconds = 0;
    if (fscanf(stat, "%llu", &nanoseconds) == 1) seconds += static_cast<double>(nanoseconds) / 1e9;
    fclose(stat);
  }
  closedir(tasks);
  return seconds;
}

LinkId MakeLink(TestRelay& relay, uint32_t meter, const Connection& client, const Connection& server) {
  LinkSpec spec;
  spec.client.fd = client.relayed;
  spec.server.fd = server.relayed;
  spec.meter = meter;
  return relay->Link(std::move(spec), nullptr, 0);
}

void Block(int fd) { fcntl(fd, F_SETFL, 0); }

void Bulk(size_t pipes, double gigabytes) {
  Network network;
  TestRelay relay({pipes, 1});
  const Connection client = network.Connect();
  const Connection server = network.Connect();
  Block(client.peer);
  Block(server.peer);
  MakeLink(relay, relay->OpenMeter(), client, server);
  std::thread sender([&] {
    const std::vector<uint8_t> some(256 * 1024, 'x');
    for (double left = gigabytes * 1e9; left > 0; left -= 256 * 1024) {
      if (send(server.peer, some.data(), some.size(), MSG_NOSIGNAL) < 0) return;
    }
    shutdown(server.peer, SHUT_WR);
  });
  std::vector<uint8_t> some(256 * 1024);
  double heard = 0;
  for (ssize_t got; (got = recv(client.peer, some.data(), some.size(), 0)) > 0;) heard += static_cast<double>(got);
  sender.join();
  printf("%.3f s per GB\n", CpuSeconds("limpet-relay") / (heard / 1e9));
  close(client.peer);
  close(server.peer);
}

void Messages(size_t links, size_t count) {
  Network network;
  TestRelay relay(Relay::Options{});
  const uint32_t meter = relay->OpenMeter();
  std::vector<Connection> clients;
  std::vector<Connection> servers;
  for (size_t i = 0; i < links; i += 1) {
    clients.push_back(network.Connect());
    servers.push_back(network.Connect());
    MakeLink(relay, meter, clients.back(), servers.back());
  }
  const std::vector<uint8_t> message(64, 'x');
  std::thread echo([&] {
    uint8_t some[64];
    for (size_t i = 0; i < count; i += 1) {
      const int fd = servers[i % links].peer;
      pollfd waits{fd, POLLIN, 0};
      poll(&waits, 1, -1);
      if (recv(fd, some, sizeof some, 0) <= 0) return;
    }
  });
  for (size_t i = 0; i < count; i += 1) SendAll(clients[i % links].peer, message);
  echo.join();
  printf("%.2f us per message\n", CpuSeconds("limpet-relay") * 1e6 / static_cast<double>(count));
}

}  // namespace
}  // namespace limpet::test

int main(int count, char** words) {
  CHECK(count == 4);
  const size_t first = strtoull(words[2], nullptr, 10);
  if (words[1] == std::string("bulk")) limpet::test::Bulk(first, strtod(words[3], nullptr));
  else limpet::test::Messages(first, strtoull(words[3], nullptr, 10));
  return 0;
}
