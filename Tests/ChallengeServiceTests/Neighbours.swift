import Domain
import Foundation
import Messaging
import SwiftProtobuf
import Synchronization
import TestSupport
import Wire

/// Bytes that look random: the same seed gives the same ones.
final class SeededBytes: Sendable {
    private let generator: Mutex<SeededGenerator>

    init(seed: UInt64 = 1) { generator = Mutex(SeededGenerator(seed: seed)) }

    func next(_ count: Int) -> [UInt8] {
        generator.withLock { generator in (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) } }
    }
}

/// The services around challenge, as far as it sees them: they say what a test sets and remember what they were told.
final class Neighbours: Sendable {
    struct Heard<Request: Sendable>: Sendable {
        let request: Request
        let id: RequestID
    }

    struct State: Sendable {
        var people: [String: ResolvePersonReply] = [:]
        var resolved: [ResolvePerson] = []
        var verified: [VerifyCode] = []
        var notified: [Heard<Notify>] = []
        var confirmed: [Heard<ConfirmDevice>] = []
        var used: [[UsedDevice]] = []
    }

    static let code = "123456"
    static let password = "correct horse"

    let state = Mutex(State())

    var notified: [Notify] { state.withLock { $0.notified.map(\.request) } }
    var confirmed: [ConfirmDevice] { state.withLock { $0.confirmed.map(\.request) } }
    var verified: [VerifyCode] { state.withLock(\.verified) }
    /// The devices of each message.
    var used: [[String]] { state.withLock(\.used).map { $0.map(\.deviceID) } }

    /// Puts a person with these devices into the directory of a tenant, or replaces one.
    func add(
        _ username: String, id: String, devices: [DeviceRecord], tenant: TenantID = ChallengeBench.demo,
        _ change: (inout ResolvePersonReply) -> Void = { _ in }
    ) {
        var reply = ResolvePersonReply.with {
            $0.found = true
            $0.person.id = id
            $0.person.username = username
            $0.person.displayName = username.capitalized
            $0.devices = devices
            $0.mayUseCodes = !devices.isEmpty
        }
        change(&reply)
        state.withLock { $0.people[Self.key(tenant.rawValue, username)] = reply }
    }

    static func device(_ id: String, of person: String, phoneSignIn: Bool = true, state: DeviceState = .active)
        -> DeviceRecord
    {
        .with {
            $0.id = id
            $0.personID = person
            $0.state = state.rawValue
            $0.phoneSignIn = phoneSignIn
            $0.push.transport = "fcm"
            $0.push.address = Data("address-of-\(id)".utf8)
        }
    }

    private static func key(_ tenant: String, _ username: String) -> String { "\(tenant)/\(username.lowercased())" }

    var registration: Routes {
        var routes = Routes(service: .registration)
        routes.on(ResolvePerson.self) { request, _ in
            self.state.withLock { state in
                state.resolved.append(request)
                return state.people[Self.key(request.tenant, request.username)] ?? ResolvePersonReply()
            }
        }
        routes.on(ConfirmDevice.self) { request, context in
            self.state.withLock { $0.confirmed.append(.init(request: request, id: context.call.requestID)) }
            return Wire.Empty()
        }
        routes.on(NoteDeviceUse.self) { request, _ in
            self.state.withLock { $0.used.append(request.uses) }
            return Wire.Empty()
        }
        return routes
    }

    /// Accepts one code, of whoever may use codes.
    var verifier: Routes {
        var routes = Routes(service: .verifier)
        routes.on(VerifyCode.self) { request, _ in
            self.state.withLock { $0.verified.append(request) }
            let isPasswordRight = !request.passwordRequired || request.password == Data(Self.password.utf8)
            guard !request.personID.isEmpty, request.code == Self.code, isPasswordRight else {
                throw ServiceError(.invalidCode, "the code or the password is wrong")
            }
            return VerifyCodeReply.with { ($0.deviceID, $0.deviceName) = ("d1", "Phone") }
        }
        return routes
    }

    var notifier: Routes {
        var routes = Routes(service: .notifier)
        routes.on(Notify.self) { request, context in
            self.state.withLock { $0.notified.append(.init(request: request, id: context.call.requestID)) }
            return NotifyReply()
        }
        return routes
    }
}
