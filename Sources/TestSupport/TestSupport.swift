// What tests share: a bus without sockets, seeded randomness, a clock that is set by hand.
