import CZeroMQ
import Glibc

/// epoll(7), level-triggered, over libzmq's descriptors and one eventfd.
struct Poller: ~Copyable {
    private let descriptor: Int32
    private var events = [epoll_event](repeating: epoll_event(), count: 64)

    init() {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(descriptor >= 0, "the system has no epoll descriptor left")
    }

    deinit { close(descriptor) }

    borrowing func add(_ watched: Int32, token: UInt64) {
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: token))
        precondition(epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0, "a descriptor cannot be watched")
    }

    /// Before libzmq closes the descriptor.
    borrowing func remove(_ watched: Int32) { epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, nil) }

    /// Waits for at most `milliseconds` (-1: for ever) and calls `body` with the token of each that is readable.
    mutating func wait(milliseconds: Int32, _ body: (UInt64) -> Void) {
        let count = epoll_wait(descriptor, &events, Int32(events.count), milliseconds)
        guard count > 0 else { return }
        for index in 0..<Int(count) { body(events[index].data.u64) }
    }
}
