import CZeroMQ

/// libzmq's context: its IO threads and the inproc name space. One a bus, made and ended on the reactor thread.
final class Context {
    fileprivate let raw: UnsafeMutableRawPointer
    private var isTerminated = false

    init() {
        guard let context = zmq_ctx_new() else { preconditionFailure("libzmq has no memory for a context") }
        raw = context
        // Before the first socket: 4.3.4 reads options without a lock.
        zmq_ctx_set(raw, ZMQ_IO_THREADS, 1)
        zmq_ctx_set(raw, ZMQ_MAX_SOCKETS, 8_192)
    }

    /// Waits for what lingering sockets may still send. All sockets must have been closed.
    func terminate() {
        guard !isTerminated else { return }
        isTerminated = true
        zmq_ctx_shutdown(raw)
        while zmq_ctx_term(raw) != 0, zmq_errno() == EINTR {}
    }

    deinit { terminate() }
}

/// What a call on a socket said.
enum SocketResult: Equatable {
    case done
    /// Not now: nothing to read, or no room.
    case again
    /// ROUTER knows no such connection (any more).
    case unreachable
    /// The context has ended, or something that only a programmer's error explains.
    case failed(Int32)
}

/// A ZeroMQ socket: closed exactly once, used on the reactor thread only. Not copyable and not Sendable, so it cannot leave the `Port`
/// that holds it there.
struct Socket: ~Copyable {
    private let raw: UnsafeMutableRawPointer

    init(_ context: Context, _ type: Int32) throws(BusError) {
        guard let socket = zmq_socket(context.raw, type) else {
            throw .configuration("a socket cannot be made: \(String(cString: zmq_strerror(zmq_errno())))")
        }
        raw = socket
    }

    deinit { zmq_close(raw) }

    borrowing func set(_ option: Int32, _ value: Int32) {
        var value = value
        let result = zmq_setsockopt(raw, option, &value, MemoryLayout<Int32>.size)
        // A setting that did not take effect could leave connections open to anybody, so it stops the process.
        precondition(result == 0, "libzmq refused option \(option)")
    }

    borrowing func set(_ option: Int32, bytes value: Int64) {
        var value = value
        precondition(
            zmq_setsockopt(raw, option, &value, MemoryLayout<Int64>.size) == 0, "libzmq refused option \(option)")
    }

    borrowing func set(_ option: Int32, _ text: String) {
        precondition(zmq_setsockopt(raw, option, text, text.utf8.count) == 0, "libzmq refused option \(option)")
    }

    /// Nil when it worked, else the system's reason.
    borrowing func bind(_ endpoint: String) -> String? {
        zmq_bind(raw, endpoint) == 0 ? nil : String(cString: zmq_strerror(zmq_errno()))
    }

    borrowing func connect(_ endpoint: String) -> String? {
        zmq_connect(raw, endpoint) == 0 ? nil : String(cString: zmq_strerror(zmq_errno()))
    }

    /// Says on `endpoint` (inproc) what happens to this socket's connections.
    borrowing func startMonitor(_ endpoint: String) -> Bool { zmq_socket_monitor(raw, endpoint, ZMQ_EVENT_ALL) == 0 }

    /// Must precede closing: an undrained monitor blocks libzmq's IO thread.
    borrowing func stopMonitor() { zmq_socket_monitor(raw, nil, 0) }

    /// Belongs to libzmq: may be waited on, never read, written or closed.
    borrowing func fileDescriptor() -> Int32 {
        var descriptor: Int32 = -1
        var size = MemoryLayout<Int32>.size
        precondition(zmq_getsockopt(raw, ZMQ_FD, &descriptor, &size) == 0, "a socket has no descriptor")
        return descriptor
    }

    borrowing func receive(_ message: inout Message) -> SocketResult {
        while true {
            if zmq_msg_recv(&message.raw, raw, ZMQ_DONTWAIT) >= 0 { return .done }
            if zmq_errno() != EINTR { return Self.failure() }
        }
    }

    /// Takes the message's content when it is sent; leaves it alone when not.
    borrowing func send(_ message: inout Message, more: Bool = false) -> SocketResult {
        while true {
            if zmq_msg_send(&message.raw, raw, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) >= 0 { return .done }
            if zmq_errno() != EINTR { return Self.failure() }
        }
    }

    private static func failure() -> SocketResult {
        switch zmq_errno() {
        case EAGAIN: .again
        case EHOSTUNREACH: .unreachable
        default: .failed(zmq_errno())
        }
    }
}

/// A ZeroMQ message part, closed exactly once.
struct Message: ~Copyable {
    // libzmq moves its messages by copying these 64 bytes, so Swift may move them too.
    fileprivate var raw = zmq_msg_t()

    /// Empty, to receive into.
    init() { zmq_msg_init(&raw) }

    init(count: Int) { precondition(zmq_msg_init_size(&raw, count) == 0, "libzmq has no memory for a message") }

    init(_ bytes: [UInt8]) {
        self.init(count: bytes.count)
        withMutableBytes { $0.copyBytes(from: bytes) }
    }

    init(_ text: String) { self.init(Array(text.utf8)) }

    deinit {
        var last = raw
        zmq_msg_close(&last)
    }

    mutating func withMutableBytes(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
        body(UnsafeMutableRawBufferPointer(start: zmq_msg_data(&raw), count: zmq_msg_size(&raw)))
    }

    /// The bytes, valid only inside `body`.
    mutating func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(start: zmq_msg_data(&raw), count: zmq_msg_size(&raw)))
    }

    mutating func copy() -> [UInt8] { withBytes { Array($0) } }

    mutating func hasMore() -> Bool { zmq_msg_more(&raw) != 0 }

    /// What ZAP said who the sender is. To be read from the body part: 4.3.4 loses it on a ROUTER's identity part.
    mutating func userID() -> String? {
        guard let text = zmq_msg_gets(&raw, "User-Id") else { return nil }
        return String(cString: text)
    }
}
