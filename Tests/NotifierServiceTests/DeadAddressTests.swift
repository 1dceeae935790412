import Domain
import Messaging
import NotifierService
import Secrets
import ServiceKit
import Storage
import StorageSQLite
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

/// registration, as far as a notifier sees it.
final class RegistrationDouble: Sendable {
    private let heard = Mutex<[DropPushAddress]>([])
    var dropped: [DropPushAddress] { heard.withLock(\.self) }

    var routes: Routes {
        var routes = Routes(service: .registration)
        routes.on(DropPushAddress.self) { [self] request, _ in
            heard.withLock { $0.append(request) }
            return Wire.Empty()
        }
        return routes
    }

    func heard(_ count: Int) async { while dropped.count < count { await Task.yield() } }
}

/// A provider that has taken something of our account, and knows this address as another's.
private struct ForeignDriver: PushDriver {
    let transport = PushTransport.fcm

    func send(_ wakeUp: WakeUp, to address: Redacted<[UInt8]>) async -> PushReport {
        var report = PushReport(.foreignAddress)
        report.isAccountProven = true
        return report
    }
}

@Suite("Addresses that a provider does not know", .timeLimit(.minutes(1)))
struct DeadAddressTests {
    private static let digest = sha256(Array("secret-address".utf8))

    @Test("registration is told, by the address's digest, and only of those")
    func dropped() async throws {
        let driver = ScriptedDriver(.apns, [.foreignAddress, .configuration, .tooLarge, .expiredAddress])
        let (bench, registration) = (try NotifierBench(drivers: [driver]), RegistrationDouble())
        bench.bus.add(registration.routes)
        try await running(bench.service) {
            for number in 0..<4 {
                try await bench.notify(["d\(number)"], challenge: "c\(number)", transport: "apns")
                _ = try await outcomes(bench, number + 1)
            }
            await registration.heard(1)
        }
        #expect(registration.dropped.map(\.deviceID) == ["d3"])
        #expect(registration.dropped.map(\.transport) == ["apns"])
        #expect(registration.dropped.map { Array($0.addressDigest) } == [Self.digest])
        #expect(registration.dropped.map(\.tenant) == ["demo"])
    }

    @Test("registration is told of another's address when the account is known to be right, by whomever it is found")
    func foreign() async throws {
        let (bench, registration) = (try NotifierBench(drivers: [ForeignDriver()]), RegistrationDouble())
        bench.bus.add(registration.routes)
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            await registration.heard(1)
        }
        #expect(try await PushCheckTests.check(bench).outcome == "foreign_address")
        #expect(registration.dropped.map(\.transport) == ["fcm", "fcm"])
    }

    @Test("registration is not told of an address that the phone has registered since")
    func registeredSince() async throws {
        let driver = ScriptedDriver(.apns, [.reregisteredAddress, .expiredAddress])
        let (bench, registration) = (try NotifierBench(drivers: [driver]), RegistrationDouble())
        bench.bus.add(registration.routes)
        try await running(bench.service) {
            for number in 0..<2 {
                try await bench.notify(["d\(number)"], challenge: "c\(number)", transport: "apns")
                #expect(try await outcomes(bench, number + 1).allSatisfy { $0 == "expired_address" })
            }
            await registration.heard(1)
        }
        #expect(registration.dropped.map(\.deviceID) == ["d1"])
    }

    @Test("a registration that is slow keeps no place of those who are to be rung")
    func slow() async throws {
        let driver = ScriptedDriver(.fcm, [.expiredAddress])
        let (bench, registration) = (try NotifierBench(drivers: [driver]) { $0.sendersMax = 1 }, RegistrationDouble())
        let isAwake = ChangeSignal()
        bench.bus.add(registration.routes)
        bench.bus.inject(DropPushAddress.self) { await isAwake.wait(past: 0) }
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            _ = try await outcomes(bench, 1)
            try await bench.notify(["d2"], challenge: "c2", transport: "fcm")
            let found = try await outcomes(bench, 2)
            #expect(found == ["expired_address", "delivered"])
            #expect(registration.dropped.isEmpty)
            isAwake.advance()
            await registration.heard(1)
        }
    }

    @Test("a registration that is away costs nothing but the dropping, and a dead address delays no other")
    func away() async throws {
        let driver = ScriptedDriver(.fcm, [.expiredAddress, .delivered])
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1", "d2"], transport: "fcm")
            #expect(try await Set(outcomes(bench, 2)) == ["expired_address", "delivered"])
        }
        let owed = try await bench.store.read { try $0.countWakeUps() }
        #expect(owed == 0)
    }
}

@Suite("An administrator's check of one device", .timeLimit(.minutes(1)))
struct PushCheckTests {
    fileprivate static func check(_ bench: NotifierBench, transport: String = "fcm") async throws(ServiceError)
        -> TestPushReply
    {
        try await bench.bus.caller(.gateway).call(
            TestPush.with {
                $0.tenant = "demo"
                $0.deviceID = "d1"
                $0.push = .with {
                    $0.transport = transport
                    $0.address = .init("secret-address".utf8)
                }
            }, bench.context())
    }

    @Test("rings it past its event stream, and is recorded as an attempt")
    func rings() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        _ = try await bench.subscribe("g1", ["d1"])
        let reply = try await Self.check(bench)
        #expect(reply.outcome == "delivered")
        #expect(driver.sent.map(\.device) == [DeviceID("d1")])
        let deliveries = try await bench.deliveries()
        #expect(deliveries.map(\.outcome) == ["delivered"])
        #expect(deliveries.map(\.challengeID) == driver.sent.map(\.challenge.rawValue))
    }

    @Test("says when nobody serves the transport, and refuses a device without one")
    func nobody() async throws {
        let bench = try NotifierBench()
        #expect(try await Self.check(bench).outcome == "no_driver")
        await #expect(throws: ServiceError.self) { try await Self.check(bench, transport: "none") }
        #expect(try await bench.deliveries().isEmpty)
    }

    @Test("leaves a device alone whose provider wants that, and says so")
    func held() async throws {
        let driver = ScriptedDriver(.fcm, [.throttled(after: .seconds(20))])
        let bench = try NotifierBench(drivers: [driver])
        let found = [try await Self.check(bench).outcome, try await Self.check(bench).outcome]
        #expect(found == ["throttled", "paused"])
        #expect(driver.sent.count == 1)
    }

    @Test("drops an address that the provider does not know any more")
    func drops() async throws {
        let (bench, registration) = (
            try NotifierBench(drivers: [ScriptedDriver(.fcm, [.expiredAddress])]), RegistrationDouble()
        )
        bench.bus.add(registration.routes)
        #expect(try await Self.check(bench).outcome == "expired_address")
        #expect(registration.dropped.map(\.deviceID) == ["d1"])
    }

    @Test("says which key a browser subscribes for, and nothing where Web Push is not set up")
    func key() async throws {
        let bench = try NotifierBench()
        let reply = try await bench.bus.caller(.gateway).call(ReadPushKey.with { $0.tenant = "demo" }, bench.context())
        #expect(reply.applicationServerKey.isEmpty)
    }
}
