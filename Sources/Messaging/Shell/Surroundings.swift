import Glibc
import Wire

/// What must be looked at now and then, off the reactor: the addresses of names, and the key folder.
enum Surroundings {
    /// The end points with names replaced by all their addresses. A name that does not resolve now keeps what `known` has for it.
    static func resolve(_ endpoints: [Endpoint], known: [Endpoint: [Endpoint]]) async -> [Endpoint: [Endpoint]] {
        await offThread {
            var resolved: [Endpoint: [Endpoint]] = [:]
            for endpoint in endpoints {
                let addresses = addresses(of: endpoint)
                resolved[endpoint] = addresses.isEmpty ? known[endpoint] ?? [] : addresses
            }
            return resolved
        }
    }

    static func readTrusted(_ keys: CurveKeys) async -> TrustedKeys { await offThread { keys.readTrusted() } }

    /// getaddrinfo and files block, and the pool's threads must not.
    private static func offThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Reactor.startThread(named: "bus-lookup") { continuation.resume(returning: body()) }
        }
    }

    static func addresses(of endpoint: Endpoint) -> [Endpoint] {
        guard case .tcp(let host, let port) = endpoint.transport, !isLiteral(host) else { return [endpoint] }
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

    private static func isLiteral(_ host: String) -> Bool {
        var v4 = in_addr()
        var v6 = in6_addr()
        return inet_pton(AF_INET, host, &v4) == 1 || inet_pton(AF_INET6, host, &v6) == 1
    }
}
