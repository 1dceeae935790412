import Domain
import Proofs
import PushDouble
import Synchronization
import Testing

@testable import NotifierService

@Suite("The double of a push service makes subscriptions", .timeLimit(.minutes(1)))
struct PushServiceDoubleTests {
    private static let options = (name: "content-type", value: "application/webpush-options+json; charset=utf-8")

    /// Paths of a new subscription and of its push resource.
    private static func subscribe(
        at double: WebPushDouble, options: String? = nil
    ) throws -> (resource: String, endpoint: String) {
        let reply = double.reply(
            to: DoubleRequest(
                method: "POST", path: "/subscribe", headers: options == nil ? [] : [Self.options],
                body: Array((options ?? "").utf8)))
        #expect(reply.status == 201)
        let link = try #require(reply.headers["link"])
        let relation = ">; rel=\"urn:ietf:params:push\""
        #expect(link.hasPrefix("</push/") && link.hasSuffix(relation))
        return (try #require(reply.headers["location"]), String(link.dropFirst().dropLast(relation.count)))
    }

    private static func address(_ endpoint: String, _ keys: WebPushKeys) -> Redacted<[UInt8]> {
        let (point, secret) = (keys.receiver.publicKey, keys.receiver.authenticationSecret)
        return Redacted(
            Array(
                #"{"endpoint":"\#(endpoint)","p256dh":"\#(Base64URL.encode(point))","auth":"\#(Base64URL.encode(secret))"}"#
                    .utf8))
    }

    @Test("one that was asked for gets what is sent to it as it was sealed, until it is deleted")
    func lifetime() async throws {
        let delivered = Mutex<[(String, [UInt8])]>([])
        let push = try await WebPushBench(onDelivery: { endpoint, body in
            delivered.withLock { $0.append((endpoint, body)) }
        })
        let keys = WebPushKeys()
        let (resource, path) = try Self.subscribe(at: push.double)
        let address = Self.address(push.origin + path, keys)
        #expect(await push.driver.send(push.bench.wakeUp(), to: address).outcome == .delivered)
        let (endpoint, body) = try #require(delivered.withLock { $0 }.first)
        #expect(endpoint == push.origin + path)
        #expect(try keys.open(body) == Array(#"{"c":"challenge-1"}"#.utf8))
        #expect(push.double.delivered == 1 && push.double.opened.isEmpty)

        #expect(resource.hasPrefix(push.origin + "/subscription/"))
        let removal = DoubleRequest(method: "DELETE", path: String(resource.dropFirst(push.origin.count)))
        #expect(push.double.reply(to: removal).status == 204)
        #expect(await push.driver.send(push.bench.wakeUp(), to: address).outcome == .expiredAddress)
        #expect(push.double.reply(to: removal).status == 404)
        await push.stop()
    }

    @Test("one that is restricted to a server takes nothing from another (RFC 8292 section 4)")
    func restricted() async throws {
        let (push, other) = (try await WebPushBench(), try await WebPushBench())
        func outcome(_ key: String) async throws -> PushOutcome {
            let (_, path) = try Self.subscribe(at: push.double, options: #"{"vapid":"\#(key)"}"#)
            return await push.driver.send(
                push.bench.wakeUp(), to: Self.address(push.origin + path, WebPushKeys())
            ).outcome
        }
        #expect(try await outcome(push.key.publicKey) == .delivered)
        #expect(try await outcome(other.key.publicKey) == .foreignAddress)
        await push.stop()
        await other.stop()
    }

    @Test("no two have a word in common, and there is an end to their number")
    func bounded() throws {
        let double = WebPushDouble(now: { 0 }, subscriptionsMax: 2)
        let (first, second) = (try Self.subscribe(at: double), try Self.subscribe(at: double))
        #expect(Set([first.resource, first.endpoint, second.resource, second.endpoint]).count == 4)
        let request = DoubleRequest(method: "POST", path: "/subscribe")
        #expect(double.reply(to: request).status == 503)
        #expect(double.reply(to: DoubleRequest(method: "DELETE", path: first.endpoint)).status == 404)
        #expect(double.reply(to: DoubleRequest(method: "DELETE", path: first.resource)).status == 204)
        #expect(double.reply(to: request).status == 201)
    }

    @Test(
        "a request for one that is none is refused",
        arguments: [(#"{"vapid":"BA"}"#, 400), ("{}", 400), ("vapid", 400)])
    func refused(body: String, status: Int) {
        let double = WebPushDouble(now: { 0 })
        let request = DoubleRequest(method: "POST", path: "/subscribe", headers: [Self.options], body: Array(body.utf8))
        #expect(double.reply(to: request).status == status)
        let untyped = DoubleRequest(method: "POST", path: "/subscribe", body: Array(body.utf8))
        #expect(double.reply(to: untyped).status == 415)
        #expect(double.reply(to: DoubleRequest(method: "GET", path: "/subscribe")).status == 405)
    }
}
