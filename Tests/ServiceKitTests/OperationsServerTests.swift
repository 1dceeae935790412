import Glibc
import Logging
import Telemetry
import Testing

@testable import ServiceKit

@Suite("The operator's server", .timeLimit(.minutes(1)))
struct OperationsServerTests {
    private let port = UInt16.random(in: 20_000..<32_000)

    @Test("serves as many connections as its limit says, and the next when one of them ends")
    func limit() async throws {
        let server = OperationsServer(
            address: try #require(SocketAddressText("127.0.0.1:\(port)")), readiness: Readiness(),
            metrics: MetricsRegistry(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { try await server.run() }
        defer { running.cancel() }
        let first = await connected()
        #expect(reply(on: first, within: 10_000))
        close(first)

        var idle: [Int32] = []
        for _ in 0..<OperationsServer.connectionsMax { idle.append(await connected()) }
        let next = await connected()
        #expect(!reply(on: next, within: 300))
        for descriptor in idle { close(descriptor) }
        #expect(hasAnswered(next, within: 10_000))
        close(next)
    }

    /// A connection, once the server listens.
    private func connected() async -> Int32 {
        while true {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let isConnected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isConnected { return descriptor }
            close(descriptor)
            await Task.yield()
        }
    }

    private func reply(on descriptor: Int32, within milliseconds: Int32) -> Bool {
        let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        _ = send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL))
        return hasAnswered(descriptor, within: milliseconds)
    }

    private func hasAnswered(_ descriptor: Int32, within milliseconds: Int32) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, milliseconds) == 1
    }
}
