import Glibc
import Synchronization
import Wire

/// What must be looked at now and then, off the reactor: the addresses of names, and the key folder.
enum LookUps {
    /// The end points with names replaced by all their addresses. A name that does not resolve now keeps what `known` has for it. Nil
    /// when the task was cancelled, or there is no thread to ask on.
    static func resolve(
        _ endpoints: [Endpoint], known: [Endpoint: [Endpoint]], by lookUp: @escaping @Sendable (Endpoint) -> [Endpoint]
    ) async -> [Endpoint: [Endpoint]]? {
        await offThread {
            var resolved: [Endpoint: [Endpoint]] = [:]
            for endpoint in endpoints {
                let addresses = lookUp(endpoint)
                resolved[endpoint] = addresses.isEmpty ? known[endpoint] ?? [] : addresses
            }
            return resolved
        }
    }

    /// Nil as for `resolve`.
    static func readTrusted(_ keys: CurveKeys, after last: TrustedKeys) async -> (keys: TrustedKeys, problem: String?)?
    {
        await offThread { keys.readTrusted(after: last) }
    }

    /// getaddrinfo and files block, and the pool's threads must not. Nor can a blocked thread be interrupted: a task that is cancelled
    /// goes on at once, and the late answer is nobody's.
    private static func offThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
        let answer = FirstAnswer<Value>()
        if !Reactor.startThread(named: "bus-lookup", { answer.give(body()) }) { return nil }
        return await answer.wait()
    }

    static func addresses(of endpoint: Endpoint) -> [Endpoint] {
        guard case .tcp(let host, let port) = endpoint.transport, !isAddress(endpoint) else { return [endpoint] }
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        var found: [Endpoint] = []
        var next = first
        while let info = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(
                info.pointee.ai_addr, info.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
                == 0
            {
                let address = Endpoint(.tcp(host: KeyFile.text(text), port: port))
                if !found.contains(address) { found.append(address) }
            }
            next = info.pointee.ai_next
        }
        return found
    }

    /// Whether there is nothing to look up.
    static func isAddress(_ endpoint: Endpoint) -> Bool {
        guard case .tcp(let host, _) = endpoint.transport else { return true }
        var v4 = in_addr()
        var v6 = in6_addr()
        return inet_pton(AF_INET, host, &v4) == 1 || inet_pton(AF_INET6, host, &v6) == 1
    }
}

/// One answer from a thread to one task, or nil when the task is cancelled first.
private final class FirstAnswer<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Value?, Never>)
        case given(Value?)
    }

    private let state = Mutex(State.open)

    func give(_ value: Value?) {
        let waiting = state.withLock { state -> CheckedContinuation<Value?, Never>? in
            switch state {
            case .open:
                state = .given(value)
                return nil
            case .awaited(let continuation):
                state = .given(nil)
                return continuation
            case .given: return nil
            }
        }
        waiting?.resume(returning: value)
    }

    func wait() async -> Value? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let given = state.withLock { state -> Value?? in
                    if case .given(let value) = state { return .some(value) }
                    state = .awaited(continuation)
                    return .none
                }
                if let given { continuation.resume(returning: given) }
            }
        } onCancel: {
            give(nil)
        }
    }
}
