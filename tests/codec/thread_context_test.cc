// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/thread_context.h"

#include <atomic>
#include <thread>

#include "gtest/gtest.h"

namespace varve {
namespace {

// Memory ordering: relaxed; joining a thread orders what it counted.
std::atomic<int> alive = 0;

template <int kKind>
struct Context {
  Context() { alive.fetch_add(1, std::memory_order_relaxed); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { alive.fetch_sub(1, std::memory_order_relaxed); }
  bool worth_keeping() const { return keep; }

  bool keep = true;
  int uses = 0;
};

void InThread(void (*body)()) { std::thread(body).join(); }

TEST(ThreadContextTest, ACallGetsWhatTheLastOneOfItsThreadUsed) {
  using Kind = Context<0>;
  InThread([] {
    for (int i = 0; i < 3; ++i) {
      ThreadContext<Kind> context;
      EXPECT_EQ(context->uses++, i);
      EXPECT_EQ(alive, 1);
    }
    EXPECT_EQ(alive, 1);
  });
  EXPECT_EQ(alive, 0);
  InThread([] { EXPECT_EQ(ThreadContext<Kind>()->uses, 0); });
  EXPECT_EQ(alive, 0);
}

TEST(ThreadContextTest, ACallInTheMidstOfAnotherGetsANewOne) {
  using Kind = Context<1>;
  InThread([] {
    ThreadContext<Kind> outer;
    outer->uses = 7;
    {
      ThreadContext<Kind> inner;
      EXPECT_EQ(inner->uses, 0);
      EXPECT_EQ(alive, 2);
    }
    EXPECT_EQ(outer->uses, 7);
  });
  EXPECT_EQ(alive, 0);
}

TEST(ThreadContextTest, WhatIsNotWorthKeepingIsNotKept) {
  using Kind = Context<2>;
  InThread([] {
    {
      ThreadContext<Kind> context;
      context->uses = 7;
      context->keep = false;
    }
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(ThreadContext<Kind>()->uses, 0);
  });
  EXPECT_EQ(alive, 0);
}

// Used at the end of a thread, when its own is gone already.
TEST(ThreadContextTest, ACallAtTheThreadsEndLeavesNothingBehind) {
  using Kind = Context<3>;
  struct User {
    ~User() {
      for (int i = 0; i < 2; ++i) {
        ThreadContext<Kind> context;
        EXPECT_EQ(context->uses++, 0);
        EXPECT_EQ(alive, 1);
      }
    }
  };
  InThread([] {
    // Made before the thread has a context of its own, so destroyed after it.
    thread_local User user;
    EXPECT_NE(&user, nullptr);
    ThreadContext<Kind>()->uses = 7;
  });
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace varve
