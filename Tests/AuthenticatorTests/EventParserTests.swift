import Domain
import Foundation
import Testing

@testable import Authenticator

@Suite("Server-sent events")
struct EventParserTests {
    private static let text =
        "\u{FEFF}: hello\r\n\r\nevent: challenge\r\ndata: {\"a\":\"ä🔑\"}\r\n\r\n: tick\n\nevent:settled\ndata:one\ndata: two\n\nid: 7\nretry: 5\n\rdata\r\rdata: last\n"

    private static let expected = [
        ServerSentEvent(name: "challenge", data: "{\"a\":\"ä🔑\"}"), ServerSentEvent(name: "settled", data: "one\ntwo"),
        ServerSentEvent(name: "message", data: ""),
    ]

    @Test("the same events come out wherever the bytes are cut")
    func everyCut() throws {
        let bytes = Array(Self.text.utf8)
        for size in 1...bytes.count {
            var parser = EventParser()
            var events: [ServerSentEvent] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                events += try parser.feed(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(events == Self.expected, "cut every \(size) bytes")
        }
    }

    @Test("an event without its blank line is not told")
    func unfinished() throws {
        var parser = EventParser()
        #expect(try parser.feed(Array("data: half\n".utf8)).isEmpty)
        #expect(try parser.feed(Array("\n".utf8)) == [ServerSentEvent(name: "message", data: "half")])
    }

    @Test("a line that never ends is refused")
    func endless() throws {
        var parser = EventParser()
        let piece = [UInt8](repeating: 0x61, count: 64 * 1024)
        #expect(throws: AuthenticatorError.unexpectedReply) {
            for _ in 0..<10 { _ = try parser.feed(piece) }
        }
    }
}

@Suite("Waiting and clocks")
struct WaitingTests {
    @Test("waits double up to the longest, with at least half of each step")
    func delays() {
        let policy = ReconnectPolicy(first: .milliseconds(500), longest: .seconds(30))
        #expect(policy.delay(failures: 1, random: 0) == .milliseconds(250))
        #expect(policy.delay(failures: 3, random: 0) == .seconds(1))
        #expect(policy.delay(failures: 1000, random: 0) == .seconds(15))
        #expect(policy.delay(failures: 1000, random: 0.999) < .seconds(30))
        #expect(policy.delay(failures: 1, random: 0, wish: .seconds(7)) == .seconds(7))
        #expect(policy.delay(failures: 1, random: 0, wish: .seconds(100_000)) == .seconds(300))
    }

    @Test("the Date header is read, and nothing else")
    func dates() {
        #expect(HTTPDate.parse("Sun, 06 Nov 1994 08:49:37 GMT")?.seconds == 784_111_777)
        for text in [
            "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        ] {
            #expect(HTTPDate.parse(text) == nil)
        }
    }

    @Test("a link to a server without TLS elsewhere is exposed; this machine and TLS are not")
    func exposure() throws {
        func link(_ server: String) throws -> ActivationLink {
            try ActivationLink(
                "countersign://activate?server=\(server)&tenant=demo&ticket=AAAAAAAAAAAAAAAAAAAAAAAA&issuer=a&account=b"
            )
        }
        for server in [
            "https%3A%2F%2Fexample.org", "http%3A%2F%2F127.0.0.1%3A8080", "http%3A%2F%2Flocalhost",
            "http%3A%2F%2F%5B%3A%3A1%5D%3A80",
        ] {
            #expect(try !link(server).isExposed, "\(server)")
        }
        for server in [
            "http%3A%2F%2Fexample.org", "http%3A%2F%2F127.example.org", "http%3A%2F%2Flocalhost.example.org",
        ] {
            #expect(try link(server).isExposed, "\(server)")
        }
        for server in [
            "https%3A%2F%2Fbank.example%40evil.example", "https%3A%2F%2F", "ftp%3A%2F%2Fa", "https%3A%2F%2Fa%3Fb",
        ] {
            #expect(throws: AuthenticatorError.invalidActivationLink) { try link(server) }
        }
    }
}
