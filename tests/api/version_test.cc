// SPDX-License-Identifier: Apache-2.0

#include "varve/api/version.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(VersionTest, LibraryHasTheVersionOfItsHeaders) {
  EXPECT_EQ(Version(),
            absl::StrCat(VARVE_VERSION_MAJOR, ".", VARVE_VERSION_MINOR, ".",
                         VARVE_VERSION_PATCH));
}

}  // namespace
}  // namespace varve
