// Constants that Swift cannot import as macros are given names here.
#pragma once
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <zmq.h>

static inline int countersign_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// Of the calling thread; the system keeps 15 characters.
static inline void countersign_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// Built into every 4.3 library, but its name is only in the draft part of zmq.h.
enum { COUNTERSIGN_ZMQ_ZAP_ENFORCE_DOMAIN = 93 };
