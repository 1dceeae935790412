/// Where a callee listens: `tcp://host:port` (an IP literal, or a name that the bus resolves itself) or `ipc://path`.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    package enum Transport: Hashable, Sendable {
        case tcp(host: String, port: UInt16)
        case ipc(path: String)
    }

    package let transport: Transport

    package init(_ transport: Transport) { self.transport = transport }

    /// Reads `tcp://host:port`, `tcp://[v6]:port` or `ipc://path`; a port must be below 32768, where the kernel does not pick the
    /// ports of outgoing connections, because a connection to a closed port up there can meet itself.
    package init(_ text: String) throws(BusError) {
        if let path = text.dropping(prefix: "ipc://") {
            guard !path.isEmpty, path.utf8.count <= Self.pathBytesMax else {
                throw .configuration("\(text): the path is empty or too long")
            }
            transport = .ipc(path: path)
            return
        }
        guard let address = text.dropping(prefix: "tcp://"), let colon = address.lastIndex(of: ":") else {
            throw .configuration("\(text) is neither tcp://host:port nor ipc://path")
        }
        guard let port = UInt16(address[address.index(after: colon)...]), (1..<32768).contains(port) else {
            throw .configuration("\(text): the port is not in 1 to 32767")
        }
        var host = String(address[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { throw .configuration("\(text) names no host") }
        transport = .tcp(host: host, port: port)
    }

    package var description: String {
        switch transport {
        case .tcp(let host, let port): host.contains(":") ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
        case .ipc(let path): "ipc://\(path)"
        }
    }

    var isIPC: Bool { if case .ipc = transport { true } else { false } }

    /// sockaddr_un's 108 bytes with the closing zero.
    private static let pathBytesMax = 107
}

extension String {
    fileprivate func dropping(prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
