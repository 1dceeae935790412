import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import SwiftProtobuf
import Wire

/// Groups and who is in them.
struct AdminGroups: Sendable {
    let edge: Edge

    func create(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        let body = try inbound.decode(GroupRequest.self)
        let effect = try edge.effect(inbound, by: "\(actor.kind):\(actor.id)")
        let reply = try await edge.caller.call(
            CreateGroup.with {
                $0.tenant = inbound.tenant.rawValue
                $0.name = body.name
                $0.actor = actor
                $0.requestID = effect.description
            }, inbound.context(effect))
        return try Self.document(
            .created, reply, location: APIPaths.group(inbound.tenant, GroupID(reply.group.id)))
    }

    func list(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let page = try inbound.query.page
        let reply = try await edge.caller.call(
            ListGroups.with {
                $0.tenant = inbound.tenant.rawValue
                $0.page = page
                $0.search = inbound.query["search"] ?? ""
            }, inbound.context())
        return try .json(
            .ok, Page(items: reply.groups.map { GroupDocument($0) }, next: reply.next.nonEmpty))
    }

    func read(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let reply = try await edge.caller.call(
            ReadGroup.with {
                $0.tenant = inbound.tenant.rawValue
                $0.groupID = inbound.parameter("group")
            }, inbound.context())
        return try Self.document(.ok, reply)
    }

    func change(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        let body = try inbound.decode(GroupRequest.self)
        let reply = try await edge.caller.call(
            ChangeGroup.with {
                $0.tenant = inbound.tenant.rawValue
                $0.groupID = inbound.parameter("group")
                $0.name = body.name
                $0.actor = actor
                $0.requestID = inbound.originID.description
                $0.ifMatch = inbound.headers[.ifMatch] ?? ""
            }, inbound.context())
        return try Self.document(.ok, reply)
    }

    func remove(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        _ = try await edge.caller.call(
            DeleteGroup.with {
                $0.tenant = inbound.tenant.rawValue
                $0.groupID = inbound.parameter("group")
                $0.actor = actor
                $0.requestID = inbound.originID.description
            }, inbound.context())
        return .noContent
    }

    func members(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let page = try inbound.query.page
        let reply = try await edge.caller.call(
            ListMembers.with {
                $0.tenant = inbound.tenant.rawValue
                $0.groupID = inbound.parameter("group")
                $0.page = page
            }, inbound.context())
        return try .json(
            .ok, Page(items: reply.people.map { UserDocument($0) }, next: reply.next.nonEmpty))
    }

    func changeMembers(_ inbound: Inbound) async throws -> Reply {
        try await change(inbound) { try inbound.decode(MembersPatch.self) }
    }

    func removeMember(_ inbound: Inbound) async throws -> Reply {
        _ = try await change(inbound) { MembersPatch(remove: [inbound.parameter("user")]) }
        return .noContent
    }

    private func change(_ inbound: Inbound, members: () throws -> MembersPatch) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        let members = try members()
        let effect = try edge.effect(inbound, by: "\(actor.kind):\(actor.id)")
        let reply = try await edge.caller.call(
            ChangeMembers.with {
                $0.tenant = inbound.tenant.rawValue
                $0.groupID = inbound.parameter("group")
                $0.add = members.add ?? []
                $0.remove = members.remove ?? []
                $0.actor = actor
                $0.requestID = effect.description
                $0.ifMatch = inbound.headers[.ifMatch] ?? ""
            }, inbound.context(effect))
        return try Self.document(.ok, reply)
    }

    private static func document(_ status: HTTPResponse.Status, _ reply: GroupReply, location: String? = nil) throws
        -> Reply
    {
        var headers: HTTPFields = [.eTag: reply.etag]
        if let location { headers[.location] = location }
        return try .json(status, GroupDocument(reply.group), headers: headers)
    }
}

extension GroupDocument {
    init(_ group: GroupRecord) {
        self.init(
            id: group.id, name: group.name, memberCount: Int(group.memberCount),
            createdAt: Timestamp(milliseconds: group.createdAtMs))
    }
}
