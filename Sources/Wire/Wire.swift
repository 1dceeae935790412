// What services say to each other: the messages, generated from `Schemas`, and the table of who may ask what.
//
// Owns: the numbers of methods and errors, who answers and who may call, what may be repeated. Must not know: how messages travel,
// or what a service does with one. Start reading at `Requests.swift`, then `Method` and `ErrorCode`.
