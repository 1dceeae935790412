import CZeroMQ
import Glibc
import Synchronization
import Wire

/// The way to the one thread that owns every socket: a mailbox whose whole content is taken at once, and an eventfd that wakes it.
///
/// The mailbox is bounded by what may put into it: unanswered calls (`callsMax`), running handlers, and a few orders of the owner.
final class Reactor: Sendable {
    enum Command {
        case call(PendingCall)
        case cancel(PendingCall)
        case finished(SlabKey, HandlerResult)
        case start(CheckedContinuation<Result<Void, BusError>, Never>)
        /// Take work from now on.
        case open
        case addresses(ServiceName, [Endpoint])
        case trust(TrustedKeys)
        case watch(UInt64, ServiceName, AsyncStream<Set<InstanceID>>.Continuation)
        case unwatch(UInt64, ServiceName)
        case drain
        /// Close everything at once, as a killed process would.
        case abandon
    }

    private struct Mail {
        var commands: [Command] = []
        var isWakePending = false
        var isClosed = false
    }

    private let mail = Mutex(Mail())
    private let wakeDescriptor: Int32

    init() {
        wakeDescriptor = countersign_eventfd()
        precondition(wakeDescriptor >= 0, "the system has no eventfd left")
    }

    deinit { close(wakeDescriptor) }

    /// Hands a command to the thread; false when it has ended.
    @discardableResult
    func post(_ command: Command) -> Bool {
        let (isTaken, mustWake) = mail.withLock { mail in
            guard !mail.isClosed else { return (false, false) }
            mail.commands.append(command)
            defer { mail.isWakePending = true }
            return (true, !mail.isWakePending)
        }
        if mustWake {
            var one: UInt64 = 1
            _ = write(wakeDescriptor, &one, 8)
        }
        return isTaken
    }

    // MARK: the thread's side

    func watch(with poller: borrowing Poller, token: UInt64) { poller.add(wakeDescriptor, token: token) }

    func clearWake() {
        var count: UInt64 = 0
        _ = read(wakeDescriptor, &count, 8)
    }

    /// Swaps `commands`, which is empty, with the mailbox's.
    func take(into commands: inout [Command]) {
        mail.withLock { mail in
            swap(&mail.commands, &commands)
            mail.isWakePending = false
        }
    }

    /// Takes no more, and gives what is left.
    func close() -> [Command] {
        mail.withLock { mail in
            mail.isClosed = true
            defer { mail.commands = [] }
            return mail.commands
        }
    }

    private func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    /// Starts a thread that runs `body` to its end; false when the system has none left.
    static func startThread(named name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        let box = Unmanaged.passRetained(
            Box {
                countersign_name_thread(name)
                body()
            })
        let failure = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, box.toOpaque())
        guard failure == 0 else {
            box.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}

/// What a handler came to: a status (0 or an error code) and a body.
struct HandlerResult: Sendable {
    let status: UInt32
    let body: [UInt8]
}

/// A call on its way: what was asked, and who waits.
///
/// Unchecked: `continuation` is set once before the call is posted, and from then on it and the three below are touched on the reactor
/// thread only; the mailbox's lock orders the two.
final class PendingCall: @unchecked Sendable {
    typealias Answer = Result<[UInt8], ServiceError>

    let method: Method
    let instance: InstanceID?
    let context: CallContext
    let body: [UInt8]
    var continuation: CheckedContinuation<Answer, Never>?
    var key: SlabKey?
    var isOver = false
    var isCancelled = false

    init(_ method: Method, at instance: InstanceID?, _ context: CallContext, body: [UInt8]) {
        self.method = method
        self.instance = instance
        self.context = context
        self.body = body
    }

    /// Wakes the waiting task; the second time does nothing.
    func finish(_ answer: Answer) {
        isOver = true
        continuation?.resume(returning: answer)
        continuation = nil
    }
}
