import AsyncHTTPClient
import DeviceAPI
import Domain
import Foundation
import Messaging
import NIOCore
import NIOHTTP1
import ServiceKit
import Synchronization
import TestSupport
import Testing
import Wire

@testable import GatewayService

@Suite struct ConnectionTests {
    // MARK: who may connect

    private static func configuration(_ host: String, _ change: (inout GatewayConfiguration) -> Void = { _ in })
        -> GatewayConfiguration
    {
        var configuration = GatewayConfiguration(host: host, externalURL: "https://id.example")
        change(&configuration)
        return configuration
    }

    @Test("plain HTTP on an address that is not loopback stops the start, naming the keys that would help")
    func plainHTTP() throws {
        for host in ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1"] {
            let problem = try #require(Self.configuration(host).problem)
            for key in ["http.address", "http.tls.certificate", "http.tls.key", "http.trustedProxies"] {
                #expect(problem.contains(key))
            }
            #expect(Self.configuration(host) { $0.trustedProxies = ["10.0.0.0/8"] }.problem == nil)
            #expect(Self.configuration(host) { $0.tls = .init(certificate: "c", key: "k") }.problem == nil)
        }
        for host in ["127.0.0.1", "127.8.8.8", "::1", "localhost"] { #expect(Self.configuration(host).problem == nil) }
    }

    @Test(
        "an external URL is a scheme, a host and a port, as a browser writes an origin",
        arguments: [
            ("https://id.example.org", true), ("https://id.example.org/", true), ("https://id.example.org:8443", true),
            ("https://xn--bcher-kva.example", true), ("http://127.0.0.1:8080", true), ("http://[::1]:8080", true),
            ("http://localhost:1", true), ("https://[2001:db8::7]", true), ("https://a1.b-2.c3:65535", true),
            ("https://id.example.org/auth", false), ("https://id.example.org//", false), ("https://a b", false),
            ("https://h:99999", false), ("https://h:0", false), ("https://h:", false), ("https://h:+1", false),
            ("https://h:08443", false), ("https://h:1:2", false), ("https://h:443", false),
            ("http://127.0.0.1:80", false),
            ("http://127.0.0.1:8080/x?y", false), ("https://h?y", false), ("https://h#y", false),
            ("https://user@h", false), ("https://user:word@h", false), ("https://", false), ("https:///", false),
            ("https://:8443", false), ("HTTPS://h", false), ("https://ID.example.org", false), ("ftp://h", false),
            ("h", false), ("", false), ("https://-h", false), ("https://h..org", false), ("https://h.", false),
            ("https://bücher.example", false), ("https://999.1.1.1", false), ("https://1.2.3", false),
            ("https://[::1", false), ("https://[1.2.3.4]", false), ("https://[::1%eth0]", false),
            ("https://::1", false),
            ("https://[::1]8443", false), ("https://h\n", false), ("https://h%2Fx", false),
        ])
    func externalURL(text: String, isRight: Bool) {
        #expect((ExternalURL(text) != nil) == isRight)
        var configuration = GatewayConfiguration(externalURL: text)
        configuration.trustedProxies = ["10.0.0.0/8"]
        #expect(configuration.problem.map { $0.hasPrefix("http.externalURL must be ") } == (isRight ? nil : true))
    }

    @Test("an external URL of plain HTTP without a proxy is for this machine alone")
    func plainExternalURL() {
        for url in [
            "http://127.0.0.1:1", "http://127.9.9.9", "http://localhost", "http://[::1]:1", "https://id.example",
        ] {
            #expect(GatewayConfiguration(externalURL: url).problem == nil)
        }
        for url in ["http://10.0.0.1", "http://localhost.example", "http://[2001:db8::7]", "http://127.0.0.1.example"] {
            #expect(GatewayConfiguration(externalURL: url).problem?.contains("http.trustedProxies") == true)
        }
    }

    @Test("an external URL or a proxy that cannot be is named by its key")
    func otherProblems() {
        #expect(GatewayConfiguration(externalURL: "ftp://id").problem?.hasPrefix("http.externalURL ") == true)
        #expect(GatewayConfiguration(externalURL: "http://id.example").problem?.hasPrefix("http.externalURL ") == true)
        let proxies = Self.configuration("127.0.0.1") { $0.trustedProxies = ["nowhere"] }
        #expect(proxies.problem?.hasPrefix("http.trustedProxies ") == true)
    }

    @Test(
        "without TLS only loopback and the named proxies may connect, however the socket shows their address",
        arguments: [
            ("127.0.0.1", true), ("127.1.2.3", true), ("::1", true), ("::ffff:127.0.0.1", true), ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true), ("2001:db8::7", true), ("11.0.0.1", false), ("::ffff:11.0.0.1", false),
            ("2001:db9::1", false), ("", false),
        ])
    func peers(peer: String, isLet: Bool) {
        let addresses = ClientAddress(
            trusted: ["10.0.0.0/8", "2001:db8::/32"].compactMap { AddressBlock($0) })
        #expect(addresses.mayConnect(peer, isTLS: false) == isLet)
        #expect(addresses.mayConnect(peer, isTLS: true))
    }

    /// An address of this machine that is not loopback.
    private static let ownAddress: String? = try? System.enumerateDevices().lazy.compactMap { device in
        guard case .v4 = device.address, let address = device.address?.ipAddress, !ClientAddress.isLoopback(address)
        else { return nil }
        return address
    }.first

    @Test(
        "a peer that is neither loopback nor named is refused whatever it asks for",
        .enabled(if: ownAddress != nil, "this machine has loopback only"))
    func stranger() async throws {
        let own = try #require(Self.ownAddress)
        for (block, status) in [("203.0.113.0/24", 403), ("\(own)/32", 200)] {
            try await GatewayHarness.run {
                $0 = GatewayConfiguration(host: "0.0.0.0", port: 0, externalURL: "https://id.example")
                $0.trustedProxies = [block]
            } _: { gateway in
                #expect(try await gateway.send(.GET, "/healthz").status == 200)
                let url = gateway.url.replacing("127.0.0.1", with: own)
                let reply = try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: url + "/healthz"), timeout: .seconds(30))
                #expect(Int(reply.status.code) == status)
                let elsewhere = try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: url + "/nothing"), timeout: .seconds(30))
                #expect(Int(elsewhere.status.code) == (status == 200 ? 404 : 403))
            }
        }
    }

    // MARK: how many, how long

    @Test("a gateway counts as listening once its port is bound, and not before: nobody is sent to it too early")
    func listening() async throws {
        let service = GatewayHarness().service(GatewayConfiguration(port: 0, externalURL: "http://127.0.0.1"))
        #expect(!service.isListening)
        let run = Task { try await service.run() }
        #expect(await service.boundPort() ?? 0 > 0)
        #expect(service.isListening)
        run.cancel()
        _ = await run.result
    }

    @Test("who connects while the port closes is served or turned away, and the process ends as it should")
    func stopping() async throws {
        // Who is turned away is turned away.
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        for _ in 0..<20 {
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            let answers = AsyncStream<Void>.makeStream()
            let asking = Mutex<Task<Void, Never>?>(nil)
            // Ends the gateway in the middle of it.
            try await GatewayHarness.run { gateway in
                let health = gateway.request(.GET, "/healthz", [("Connection", "close")])
                asking.withLock {
                    $0 = Task {
                        await withDiscardingTaskGroup { group in
                            for _ in 0..<50 {
                                group.addTask {
                                    while (try? await client.execute(health, timeout: .seconds(30))) != nil {
                                        answers.continuation.yield()
                                    }
                                }
                            }
                        }
                    }
                }
                var seen = answers.stream.makeAsyncIterator()
                for _ in 0..<50 { await seen.next() }
            }
            await asking.withLock { $0 }?.value
            try await client.shutdown()
        }
    }

    @Test("a connection more than there may be waits until one ends")
    func connectionsMax() async throws {
        try await GatewayHarness.run {
            $0.connectionsMax = 1
        } _: { gateway in
            let (first, second) = (
                HTTPClient(eventLoopGroupProvider: .singleton), HTTPClient(eventLoopGroupProvider: .singleton)
            )
            let health = gateway.request(.GET, "/healthz")
            // To its end, so that the connection stays and is used again.
            let opening = try await first.execute(health, timeout: .seconds(30))
            _ = try await opening.body.collect(upTo: 1024)
            let isAnswered = Mutex(false)
            async let late: HTTPResponseStatus = {
                let status = try await second.execute(health, timeout: .seconds(30)).status
                isAnswered.withLock { $0 = true }
                return status
            }()
            for _ in 0..<100 {
                let reply = try await first.execute(health, timeout: .seconds(30))
                _ = try await reply.body.collect(upTo: 1024)
            }
            #expect(!isAnswered.withLock { $0 })
            try await first.shutdown()
            #expect(try await late == .ok)
            try await second.shutdown()
        }
    }

    #if os(Linux)
    @Test("what a connection's peer does not confirm ends it after 30 s")
    func deadConnection() async throws {
        try await GatewayHarness.run { gateway in
            let port = try #require(gateway.url.split(separator: ":").last.flatMap { UInt16($0) })
            let client = HTTPClient(eventLoopGroupProvider: .singleton)
            let reply = try await client.execute(gateway.request(.GET, "/healthz"), timeout: .seconds(30))
            _ = try await reply.body.collect(upTo: 1024)
            // The gateway's end of it is in this process too.
            let accepted = Self.sockets.filter { $0.localPort == port && $0.isConnected }
            #expect(!accepted.isEmpty && accepted.allSatisfy { $0.userTimeoutMilliseconds == 30_000 })
            try await client.shutdown()
        }
    }

    /// All of this process's.
    private static var sockets: [OpenSocket] {
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return descriptors.compactMap { Int32($0).flatMap(OpenSocket.init) }
    }
    #endif

    @Test(
        "a body that does not come ends the connection",
        arguments: ["/v1/demo/sign-ins", "/v1/demo/admin/users:import"])
    func slowBody(path: String) async throws {
        try await GatewayHarness.run {
            ($0.bodyTimeout, $0.importTimeout) = (.zero, .zero)
        } _: { gateway in
            gateway.policy()
            let (pieces, body) = AsyncStream<ByteBuffer>.makeStream()
            body.yield(ByteBuffer(string: "{"))
            var request = gateway.request(
                .POST, path,
                [
                    GatewayHarness.administrator,
                    ("Content-Type", path.hasSuffix("import") ? "application/x-ndjson" : "application/json"),
                ])
            request.body = .stream(pieces, length: .unknown)
            let started = ContinuousClock.now
            await #expect(throws: (any Error).self) {
                try await HTTPClient.shared.execute(request, timeout: .seconds(60))
            }
            #expect(ContinuousClock.now - started < .seconds(50), "the gateway ended it, not the client")
            body.finish()
            let health = try await gateway.send(.GET, "/healthz")
            #expect(health.status == 200)
        }
    }
}
