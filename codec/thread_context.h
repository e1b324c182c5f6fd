// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_THREAD_CONTEXT_H_
#define VARVE_CODEC_THREAD_CONTEXT_H_

#include <memory>
#include <utility>

namespace varve {

// A context of a compression library, lent to one call. Making one costs more
// than to decompress a small batch, so each thread keeps the last one that it
// used, until it ends. A call that comes in the midst of another, or after the
// thread's own was destroyed at its end, gets a new one.
//
// `Context` is default-constructible, and may throw std::bad_alloc there. What
// its last user left in it is still there: who borrows it resets it. Its
// `bool worth_keeping() const` says whether the thread keeps it.
//
// A context is plain memory: after fork(2), parent and child each have theirs.
//
// Thread safety: belongs to the thread that made it.
template <typename Context>
class ThreadContext {
 public:
  ThreadContext() : context_(Take()) {
    if (context_ == nullptr) context_ = std::make_unique<Context>();
  }
  ThreadContext(const ThreadContext&) = delete;
  ThreadContext& operator=(const ThreadContext&) = delete;
  ~ThreadContext() {
    if (!ended_ && context_->worth_keeping()) {
      Kept().context = std::move(context_);
    }
  }

  Context* operator->() const { return context_.get(); }

 private:
  struct Keeper {
    Keeper() = default;
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;
    ~Keeper() { ended_ = true; }

    std::unique_ptr<Context> context;
  };

  static Keeper& Kept() {
    thread_local Keeper keeper;
    return keeper;
  }

  static std::unique_ptr<Context> Take() {
    return ended_ ? nullptr : std::move(Kept().context);
  }

  // Whether the thread has destroyed its keeper. It has no destructor itself,
  // so that it can be read even then.
  static inline constinit thread_local bool ended_ = false;

  std::unique_ptr<Context> context_;
};

}  // namespace varve

#endif  // VARVE_CODEC_THREAD_CONTEXT_H_
