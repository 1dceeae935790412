import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import Proofs
import Secrets
import SwiftProtobuf
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// People: their accounts, passes, devices, and whether they are blocked.
struct AdminUsers: Sendable {
    let edge: Edge

    func create(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        let body = try inbound.decode(UserCreation.self)
        try SignIns.check(username: body.username)
        let effect = try edge.effect(inbound, by: "\(actor.kind):\(actor.id)")
        let reply = try await edge.caller.call(
            CreateUser.with {
                $0.tenant = inbound.tenant.rawValue
                $0.username = body.username
                $0.displayName = body.displayName ?? body.username
                $0.password = Data((body.password ?? "").utf8)
                $0.roles = body.roles ?? []
                $0.groups = body.groups ?? []
                $0.actor = actor
                $0.requestID = effect.description
            }, inbound.context(effect))
        return try Self.document(
            .created, reply, location: APIPaths.user(inbound.tenant, PersonID(reply.person.id)))
    }

    func list(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let page = try inbound.query.page
        let reply = try await edge.caller.call(
            ListUsers.with {
                $0.tenant = inbound.tenant.rawValue
                $0.page = page
                $0.search = inbound.query["search"] ?? ""
            }, inbound.context())
        return try .json(
            .ok, Page(items: reply.people.map { UserDocument($0) }, next: reply.next.nonEmpty))
    }

    func read(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        return try Self.document(.ok, try await user(inbound))
    }

    private func user(_ inbound: Inbound) async throws(ServiceError) -> UserReply {
        try await edge.caller.call(
            ReadUser.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = inbound.parameter("user")
            }, inbound.context())
    }

    func change(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        let body = try inbound.decode(UserPatch.self)
        let reply = try await edge.caller.call(
            ChangeUser.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = inbound.parameter("user")
                if let name = body.displayName { $0.displayName = name }
                if let password = body.password { $0.password = Data(password.utf8) }
                $0.changeRoles = body.roles != nil
                $0.roles = body.roles ?? []
                $0.changeGroups = body.groups != nil
                $0.groups = body.groups ?? []
                $0.actor = actor
                $0.requestID = inbound.originID.description
                $0.ifMatch = inbound.headers[.ifMatch] ?? ""
            }, inbound.context())
        return try Self.document(.ok, reply)
    }

    func remove(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        _ = try await edge.caller.call(
            DeleteUser.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = inbound.parameter("user")
                $0.actor = actor
                $0.requestID = inbound.originID.description
            }, inbound.context())
        return .noContent
    }

    func block(_ inbound: Inbound) async throws -> Reply { try await set(blocked: true, inbound) }
    func unblock(_ inbound: Inbound) async throws -> Reply { try await set(blocked: false, inbound) }

    private func set(blocked: Bool, _ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        let reply = try await edge.caller.call(
            SetBlocked.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = inbound.parameter("user")
                $0.blocked = blocked
                $0.actor = actor
                $0.requestID = inbound.originID.description
            }, inbound.context())
        return try Self.document(.ok, reply)
    }

    func unlockCodes(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        let username = try await user(inbound).person.username
        _ = try await edge.caller.call(
            UnlockCodes.with {
                $0.tenant = inbound.tenant.rawValue
                $0.username = username
                $0.actor = actor
                $0.requestID = inbound.originID.description
            }, inbound.context())
        return .noContent
    }

    func issuePass(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        let body = try inbound.decode(PassRequest.self)
        let minutes = body.lifetimeMinutes ?? 0
        let range = TemporaryAccessPass.lifetimeMinutes
        guard body.lifetimeMinutes.map(range.contains) ?? true else {
            let (low, high) = (range.lowerBound, range.upperBound)
            throw ServiceError(
                .outOfRange, "lifetimeMinutes is from \(low) to \(high)",
                members: ["member": "lifetimeMinutes", "range": "\(low)-\(high)"])
        }
        let effect = try edge.effect(inbound, by: "\(actor.kind):\(actor.id)")
        let reply = try await edge.caller.call(
            IssuePass.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = inbound.parameter("user")
                $0.lifetimeMinutes = UInt32(minutes)
                if let once = body.usableOnce { $0.usableOnce = once }
                $0.actor = actor
                $0.requestID = effect.description
            }, inbound.context(effect))
        return try .json(
            .created,
            PassReply(
                id: reply.id, temporaryAccessPass: reply.pass, expiresAt: Timestamp(milliseconds: reply.expiresAtMs),
                usableOnce: reply.usableOnce))
    }

    func readPass(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let reply = try await edge.caller.call(
            ReadPass.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = inbound.parameter("user")
            }, inbound.context())
        return try .json(.ok, PassState(reply))
    }

    func withdrawPass(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        _ = try await edge.caller.call(
            WithdrawPass.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = inbound.parameter("user")
                $0.actor = actor
                $0.requestID = inbound.originID.description
            }, inbound.context())
        return .noContent
    }

    // MARK: devices

    func devices(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let reply = try await edge.caller.call(
            ListDevices.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = inbound.parameter("user")
            }, inbound.context())
        return try .json(.ok, Page(items: try reply.devices.map { try DeviceDocument($0) }))
    }

    func removeDevice(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        _ = try await edge.caller.call(
            RemoveDevice.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = inbound.parameter("user")
                $0.deviceID = inbound.parameter("device")
                $0.actor = actor
                $0.requestID = inbound.originID.description
            }, inbound.context())
        return .noContent
    }

    // MARK: documents

    private static func document(_ status: HTTPResponse.Status, _ user: UserReply, location: String? = nil) throws
        -> Reply
    {
        var headers: HTTPFields = [.eTag: user.etag]
        if let location { headers[.location] = location }
        return try .json(status, UserDocument(user.person), headers: headers)
    }
}

extension PassState {
    fileprivate init(_ reply: ReadPassReply) {
        guard reply.outstanding else {
            self.init(outstanding: false)
            return
        }
        self.init(
            outstanding: true, id: reply.id, issuedAt: Timestamp(milliseconds: reply.issuedAtMs),
            expiresAt: Timestamp(milliseconds: reply.expiresAtMs), usableOnce: reply.usableOnce)
    }
}

extension UserDocument {
    init(_ person: PersonRecord) {
        self.init(
            id: person.id, username: person.username, displayName: person.displayName, blocked: person.blocked,
            roles: person.roles,
            groups: person.groups, createdAt: Timestamp(milliseconds: person.createdAtMs))
    }
}
