// TlsNames: which certificate a client gets by the server name that it asks for.
//
// `www.example.com` is that name, `*.example.com` every name with exactly one label in place of the
// star. A name of its own comes before a wildcard; of several certificates with one name the first
// wins.
//
// Thread: a value. Names from clients may be anything.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct x509_st;

namespace rr::net {

class TlsNames {
public:
    static constexpr int kNone = -2;

    void Add(std::string_view name, int which);
    // kNone: nobody has it.
    int Find(std::string_view name) const;

private:
    std::unordered_map<std::string, int> exact_;     // in lower case
    std::unordered_map<std::string, int> wildcard_;  // without `*`: `.example.com`
};

// The DNS names of a certificate; one without any has its common name.
std::vector<std::string> NamesOf(x509_st* certificate);

}  // namespace rr::net
