#include "plugins/http/name_memo.hpp"

#include <cstring>

namespace rr::http {
namespace {

uint64_t Start(Bytes name) {
    uint64_t start = 0;
    for (size_t i = 0; i < sizeof start; ++i) {
        start = start << 8 | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0U);
    }
    return start;
}

}  // namespace

// Their ends tell names apart. Whoever makes two meet gains nothing.
size_t NameMemo::PlaceOf(Bytes name) {
    constexpr uint64_t kMix = 0x9e3779b97f4a7c15;
    uint64_t first = 0;
    uint64_t last = 0;
    if (name.size() >= sizeof first) {
        std::memcpy(&first, name.data(), sizeof first);
        std::memcpy(&last, name.data() + name.size() - sizeof last, sizeof last);
    } else {
        for (const char c : name) {
            first = first << 8 | static_cast<unsigned char>(c);
        }
    }
    return static_cast<size_t>(((first + name.size()) * kMix ^ last) * kMix >> 58);
}

NameMemo::Name NameMemo::Find(Bytes name) {
    if (name.empty()) {
        return {};
    }
    Place* place = name.size() <= kLongest ? &places_[PlaceOf(name)] : nullptr;
    if (place != nullptr && place->size == name.size() &&
        std::memcmp(place->name.data(), name.data(), name.size()) == 0) {
        place->turn = turn_;
        if (!place->token) {
            return {};
        }
        return {place->id == HeaderId::kOther ? Bytes(place->canonical.data(), place->size)
                                              : CanonicalName(place->id),
                place->id, place->start};
    }
    if (place == nullptr || place->turn == turn_) {
        const Name found = WorkOut(name, scratch_->tail());
        if (found.canonical.data() == scratch_->tail()) {
            scratch_->Commit(found.canonical.size());
        }
        return found;
    }
    const Name found = WorkOut(name, place->canonical.data());
    place->turn = turn_;
    place->size = static_cast<uint8_t>(name.size());
    place->token = !found.canonical.empty();
    place->id = found.id;
    place->start = found.start;
    std::memcpy(place->name.data(), name.data(), name.size());
    return found;
}

NameMemo::Name NameMemo::WorkOut(Bytes name, char* canonical) {
    uint32_t hash = 0;
    if (TokenPrefix(name, hash) != name.size()) {
        return {};
    }
    const HeaderId id = IdentifyHashed(name, hash);
    if (id != HeaderId::kOther) {
        return {CanonicalName(id), id, Start(CanonicalName(id))};
    }
    Canonicalise(name, canonical);
    const Bytes written(canonical, name.size());
    return {written, id, Start(written)};
}

}  // namespace rr::http
