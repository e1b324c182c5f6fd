// SPDX-License-Identifier: Apache-2.0

#include "bench/machine_facts.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "bench/core_ping.h"
#include "bench/dirty_limit.h"
#include "bench/instruction_count.h"

namespace varve::bench {
namespace {

std::string ProcessorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    std::string_view text = line;
    if (!absl::ConsumePrefix(&text, "model name")) continue;
    return std::string(
        absl::StripLeadingAsciiWhitespace(text.substr(text.find(':') + 1)));
  }
  return "unknown";
}

std::string FileSystemName(const std::string& directory) {
  struct statfs facts = {};
  if (statfs(directory.c_str(), &facts) != 0) return "unknown";
  switch (static_cast<uint32_t>(facts.f_type)) {
    case EXT4_SUPER_MAGIC:
      return "ext4";
    case XFS_SUPER_MAGIC:
      return "xfs";
    case TMPFS_MAGIC:
      return "tmpfs (nothing on it is durable)";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlayfs";
    default:
      return absl::StrFormat("0x%x", static_cast<uint64_t>(facts.f_type));
  }
}

std::string KernelName() {
  struct utsname facts = {};
  return uname(&facts) == 0 ? absl::StrCat(facts.sysname, " ", facts.release)
                            : "unknown";
}

std::string GibText(int64_t bytes) {
  return absl::StrFormat("%.1f GiB", static_cast<double>(bytes) / (1 << 30));
}

std::string MemoryText() {
  return GibText(sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
}

std::string DirtyLimitText() {
  const std::optional<int64_t> limit = DirtyBackgroundLimit();
  return limit.has_value() ? GibText(*limit) : "unknown";
}

std::string InstructionsText() {
  return InstructionCount().value().has_value() ? "counted"
                                                : "cannot be counted here";
}

std::string LoadText() {
  double load[3];
  if (getloadavg(load, 3) != 3) return "unknown";
  return absl::StrFormat("%.2f %.2f %.2f", load[0], load[1], load[2]);
}

}  // namespace

std::string CorePingText() {
  const std::optional<absl::Duration> ping = CorePing();
  return ping.has_value() ? absl::StrFormat("%.0f ns from core to core",
                                            absl::ToDoubleNanoseconds(*ping))
                          : "no two cores free";
}

std::vector<MachineFact> FindMachineFacts(const std::string& directory) {
  return {
      {"processor", ProcessorName()},
      {"cores", absl::StrCat(std::thread::hardware_concurrency())},
      {"memory", MemoryText()},
      {"dirty_background_limit", DirtyLimitText()},
      {"kernel", KernelName()},
      {"file_system", FileSystemName(directory)},
      {"page_size", absl::StrCat(sysconf(_SC_PAGESIZE))},
      {"load", LoadText()},
      {"instructions", InstructionsText()},
      {"core_ping", CorePingText()},
  };
}

}  // namespace varve::bench
