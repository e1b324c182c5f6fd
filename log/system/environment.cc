// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/environment.h"

#include <cstdint>
#include <random>

namespace varve {

uint64_t Environment::Random() const {
  if (random) return random();
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace varve
