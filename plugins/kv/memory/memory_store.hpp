// The driver `memory`: keys live in the server's memory, and as long as it does.
//
//   max_memory: 256MB    ours; beyond it what was not used for longest is dropped; 0: no bound
//
// Thread: its loop.
#pragma once

#include <memory>

#include "plugins/kv/store.hpp"

namespace rr::kv {

std::unique_ptr<Store> MakeMemoryStore(const config::Section& section, const StoreContext& context);

// For tests, and for whoever has no section. max_memory: bytes; 0: no bound.
std::unique_ptr<Store> MakeMemoryStore(uint64_t max_memory, Loop& loop);

}  // namespace rr::kv
