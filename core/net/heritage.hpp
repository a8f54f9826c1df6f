// Heritage: listening sockets that a program hands to the one that replaces it in the same process
// (SIGUSR2), so that clients who connect in between wait instead of being refused. Bound UDP sockets
// go the same way, with the datagrams that wait in them.
//
//   before the drain:   heritage::Keep();               // duplicates what listens now
//   before the exec:    heritage::Variable();           // goes into the successor's environment
//   in the successor:   heritage::Receive();            // first thing in main
//                       Listener::Bind(...)             // claims the socket with its address;
//                                                       // so does Datagrams::Bind
//                       heritage::Drop();               // when everything is up
//
// State of the process, like the descriptors themselves, and therefore not an object.
//
// Thread: Keep, Receive, Drop on the main thread; Claim, NoteChosenPort and Kept anywhere.
#pragma once

#include <cstdint>
#include <string>

struct sockaddr;

namespace rr::net::heritage {

inline constexpr const char* kVariable = "RR_LISTENERS";

// Duplicates every listening TCP and Unix socket and every UDP server's of this process. From here on no Listener removes
// its socket file.
void Keep();
bool Kept();
// Takes Keep back: the replacement did not happen.
void Forget();

// `RR_LISTENERS=5,6*`; the kept descriptors survive an exec. A star: the kernel chose the port.
std::string Variable();

// Takes the descriptors that the variable names, and the variable out of the environment.
void Receive();

// The received socket that is bound to this address, or -1. The caller owns it. Port 0 stands for
// a socket of that host whose port the kernel had chosen: clients know that port by now.
// type: SOCK_STREAM or SOCK_DGRAM.
int Claim(const sockaddr* address, int type);

// A listener asked for port 0 and got this one.
void NoteChosenPort(uint16_t port, int type);

// Closes what nobody claimed.
void Drop();

}  // namespace rr::net::heritage
