import CZeroMQ
import Logging
import Wire

/// Who may connect: the ZAP handler (RFC 27 of the ZeroMQ project) and the table that it asks.
extension Engine {
    static let zapDomain = "countersign"

    func startZAP() throws(BusError) {
        let socket = try Socket(context, ZMQ_REP)
        socket.set(ZMQ_LINGER, 0)
        if let reason = socket.bind("inproc://zeromq.zap.01") { throw .configuration("ZAP cannot start: \(reason)") }
        _ = addPort(.zap, socket)
    }

    /// The table changed: connections whose key is no longer their service's are dropped at once, on both sides, and callees that were
    /// waited for are tried.
    func trust(_ keys: TrustedKeys) {
        guard keys != trusted else { return }
        if isExchangingKeys { exchangeSettlesAt = now + limits.keyReadInterval * 2 }
        trusted = keys
        // A key that moved to another service must not keep the authority of the first, so the service is compared, not its presence.
        for (session, key) in sessionKeys where keys.service(of: key) != worker?.caller(of: session) { forget(session) }
        carryOutWorker()
        for group in groups.values {
            for link in group.links.values {
                if let key = link.serverKey, keys.service(of: key) != group.service { apply(.lost(.denied), link) }
                apply(.hurry, link)
            }
        }
    }

    /// Answers one question: version, request id, domain, address, identity, mechanism, and for CURVE the 32-byte key.
    func answerZAP(_ message: inout Message, _ port: Port) {
        var parts = [message.copy()]
        while message.hasMore(), parts.count < 16 {
            guard port.receive(&message) == .done else { return }
            parts.append(message.copy())
        }
        let user =
            parts.count == 7 && parts[0] == Array("1.0".utf8) ? self.user(mechanism: parts[5], key: parts[6]) : nil
        if user == nil {
            metrics(.refusedConnection)
            func text(_ part: Int) -> String { String(decoding: part < parts.count ? parts[part] : [], as: UTF8.self) }
            logger.warning("a connection was refused", metadata: ["address": "\(text(3))", "mechanism": "\(text(5))"])
        }
        let requestID = parts.count > 1 ? parts[1] : []
        let answer: [[UInt8]] = [
            Array("1.0".utf8), requestID, Array((user == nil ? "400" : "200").utf8),
            Array((user == nil ? "refused" : "OK").utf8),
            Array((user ?? "").utf8), [],
        ]
        for (index, part) in answer.enumerated() {
            var out = Message(part)
            guard send(&out, on: port, more: index < answer.count - 1) == .done else { return }
        }
    }

    /// The service that a key belongs to, with the key itself, so that the connection can be ended when the key is removed.
    private func user(mechanism: [UInt8], key: [UInt8]) -> String? {
        guard mechanism == Array("CURVE".utf8), key.count == 32 else { return nil }
        var text = [CChar](repeating: 0, count: 41)
        guard zmq_z85_encode(&text, key, 32) != nil else { return nil }
        let encoded = KeyFile.text(text)
        return trusted.service(of: encoded).map { "\($0.rawValue) \(encoded)" }
    }

    /// Whether this service has several keys, of which a caller can know only by trying which one a process has.
    private var isExchangingKeys: Bool {
        trusted.keys(of: configuration.service).count > 1 || exchangeSettlesAt.map { now < $0 } ?? false
    }

    /// Counts connections and how their handshakes ended; nothing else of the ROUTER's monitor is needed, but it must be read.
    func receiveRouterEvent(_ message: inout Message, _ port: Port) {
        guard let (event, value) = monitorEvent(&message, port) else { return }
        switch Int32(event) {
        case ZMQ_EVENT_ACCEPTED: metrics(.acceptedConnection)
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: metrics(.trustedConnection)
        // What was sealed for another key than ours.
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
        where value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC && isExchangingKeys:
            metrics(.exchangedKey)
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: metrics(.refusedConnection)
        default: break
        }
    }
}
