import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import Proofs
import ServiceKit
import SwiftProtobuf
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Sections 2 and 3: a phone becomes a device, and then looks after itself.
struct Devices: Sendable {
    let edge: Edge

    func register(_ inbound: Inbound) async throws -> Reply {
        _ = try edge.tenants.tenant(inbound.tenant)
        let body = try inbound.decode(ActivationRequest.self)
        let request = try RegisterDevice.with {
            $0.tenant = inbound.tenant.rawValue
            $0.ticket = body.ticket
            $0.proof = body.proof
            $0.audience = edge.audience(inbound.tenant)
            $0.facts = .with {
                $0.name = body.device.name
                $0.platform = body.device.platform.rawValue
                $0.osVersion = body.device.osVersion
                $0.appVersion = body.device.appVersion
            }
            $0.push = try Self.address(body.push ?? PushRegistration(transport: .none))
        }
        let reply = try await edge.caller.call(
            request, inbound.context(try edge.effect(inbound, by: "ticket:\(body.ticket)")))
        let location = APIPaths.device(inbound.tenant, DeviceID(reply.device.id))
        return try .json(.created, try ActivationReply(reply, inbound.tenant), headers: [.location: location])
    }

    /// The members of the transport, and only those. Throws `invalid_value`.
    static func address(_ push: PushRegistration) throws -> PushAddress {
        let given = [
            "token": push.token, "topic": push.topic, "endpoint": push.endpoint, "p256dh": push.p256dh,
            "auth": push.auth,
        ]
        let (needed, optional): ([String], [String]) =
            switch push.transport {
            case .apns: (["token"], ["topic"])
            case .fcm: (["token"], [])
            case .webpush: (["endpoint", "p256dh", "auth"], [])
            case .none: ([], [])
            }
        for (name, value) in given {
            guard let value else {
                guard !needed.contains(name) else { throw misfit(name, "is missing") }
                continue
            }
            guard needed.contains(name) || optional.contains(name), (1...2048).contains(value.utf8.count) else {
                throw misfit(name, "does not fit the transport")
            }
            try check(name, value, of: push.transport)
        }
        let members = PushMembers(
            token: push.token, topic: push.topic, endpoint: push.endpoint, p256dh: push.p256dh, auth: push.auth)
        let json = try JSONWriter.bytes(of: members)
        return .with {
            $0.transport = push.transport.rawValue
            $0.address = Data(json)
        }
    }

    /// As far as one can tell without asking the provider.
    private static func check(_ name: String, _ value: String, of transport: PushTransport) throws {
        switch (transport, name) {
        case (.apns, "token"):
            guard value.utf8.count.isMultiple(of: 2), value.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
                throw misfit(name, "must be hexadecimal")
            }
        case (.webpush, "endpoint"):
            guard WebPushOrigin(endpoint: value) != nil else {
                throw misfit(name, "must be an https URL (RFC 8030 section 5)")
            }
        case (.webpush, "p256dh"):
            guard let point = Base64URL.decode(value), point.count == 65, point.first == 4 else {
                throw misfit(name, "must be an uncompressed P-256 point in base64url (RFC 8291 section 2.1)")
            }
        case (.webpush, "auth"):
            guard Base64URL.decode(value)?.count == 16 else {
                throw misfit(name, "must be 16 bytes in base64url (RFC 8291 section 2.1)")
            }
        default:
            guard value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw misfit(name, "must be printable ASCII without spaces")
            }
        }
    }

    private static func misfit(_ name: String, _ what: String) -> ServiceError {
        ServiceError(.invalidValue, "push.\(name) \(what)", members: ["member": "push.\(name)"])
    }

    /// A transport's own members, always in one order: a repeated request must be the same bytes.
    private struct PushMembers: Encodable {
        let token: String?
        let topic: String?
        let endpoint: String?
        let p256dh: String?
        let auth: String?
    }

    func challenges(_ inbound: Inbound) async throws -> Reply {
        let device = try await edge.authentication.device(inbound, evenAwaiting: true)
        let reply = try await edge.caller.call(
            ListPending.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = device.personID
                $0.deviceID = device.deviceID
            }, inbound.context())
        return try .json(.ok, PendingRequests(challenges: reply.challenges.compactMap { PendingRequest($0) }))
    }

    func read(_ inbound: Inbound) async throws -> Reply {
        let device = try await edge.authentication.device(inbound)
        return try .json(.ok, try DeviceDocument(try await edge.device(device.deviceID, inbound)))
    }

    func change(_ inbound: Inbound) async throws -> Reply {
        let device = try await edge.authentication.device(inbound)
        let body = try inbound.decode(DevicePatch.self)
        let reply = try await edge.caller.call(
            ChangeDevice.with {
                $0.tenant = inbound.tenant.rawValue
                $0.deviceID = device.deviceID
                if let name = body.name { $0.name = name }
                if let version = body.osVersion { $0.osVersion = version }
                if let version = body.appVersion { $0.appVersion = version }
                if let push = body.push { $0.push = try Self.address(push) }
            }, inbound.context())
        return try .json(.ok, try DeviceDocument(reply.device))
    }

    func remove(_ inbound: Inbound) async throws -> Reply {
        let device = try await edge.authentication.device(inbound)
        _ = try await edge.caller.call(
            RemoveDevice.with {
                $0.tenant = inbound.tenant.rawValue
                $0.deviceID = device.deviceID
                $0.personID = device.personID
                $0.actor = Self.actor(device)
                $0.requestID = inbound.originID.description
            }, inbound.context())
        return .noContent
    }

    static func actor(_ device: VerifyDeviceProofReply) -> Wire.Actor {
        .with {
            $0.kind = "device"
            $0.id = device.deviceID
            $0.name = device.username
        }
    }
}

extension Edge {
    /// Throws `not_found`.
    func device(_ id: String, _ inbound: Inbound) async throws(ServiceError) -> DeviceRecord {
        let reply = try await caller.call(
            ReadDevice.with {
                $0.tenant = inbound.tenant.rawValue
                $0.deviceID = id
            }, inbound.context())
        guard reply.found else { throw ServiceError(.notFound, "no such device") }
        return reply.device
    }
}

extension DeviceDocument {
    /// Throws `internal` for words that this version does not know.
    init(_ record: DeviceRecord) throws(ServiceError) {
        guard let platform = Platform(rawValue: record.facts.platform), let state = DeviceState(rawValue: record.state)
        else {
            throw ServiceError(.internal, "unknown platform or state")
        }
        let setUp = record.phoneSignIn && record.phoneSignInAtMs > 0
        self.init(
            id: record.id, name: record.facts.name, platform: platform, osVersion: record.facts.osVersion,
            appVersion: record.facts.appVersion, state: state, createdAt: Timestamp(milliseconds: record.createdAtMs),
            lastUsedAt: Timestamp(sent: record.lastUsedAtMs),
            pushTransport: PushTransport(rawValue: record.push.transport) ?? .none,
            phoneSignIn: PhoneSignInMethod(
                createdDateTime: setUp ? Timestamp(milliseconds: record.phoneSignInAtMs) : nil,
                device: setUp ? PhoneSignInDevice(id: record.id, name: record.facts.name) : nil))
    }
}

extension ActivationReply {
    init(_ reply: RegisterDeviceReply, _ tenant: TenantID) throws {
        let code = reply.offlineCode
        guard let state = DeviceState(rawValue: reply.device.state),
            let algorithm = CodeAlgorithm(rawValue: code.algorithm)
        else {
            throw ServiceError(.internal, "unknown state or algorithm")
        }
        let secret = Base32.encode(Array(code.secret))
        // otpauth: separates issuer and account by a colon, so neither may hold one (Key URI Format).
        let label = [reply.tenantName, reply.person.username].map { PercentText.encode($0.filter { $0 != ":" }) }
        self.init(
            deviceId: reply.device.id, state: state,
            user: ActivatedUser(username: reply.person.username, displayName: reply.person.displayName),
            tenant: TenantName(id: tenant.rawValue, name: reply.tenantName),
            offlineCode: OfflineCodeSecret(
                secret: secret, algorithm: algorithm, digits: Int(code.digits), period: Int(code.period),
                uri:
                    "otpauth://totp/\(label[0]):\(label[1])?secret=\(secret)&issuer=\(label[0])&algorithm=\(algorithm.rawValue)"
                    + "&digits=\(code.digits)&period=\(code.period)"))
    }
}
