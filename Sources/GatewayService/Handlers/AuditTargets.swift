import DeviceAPI
import Domain
import Messaging
import SwiftProtobuf
import Wire

/// What the people and groups are called now that entries of the audit log name by their ids alone, as a policy does.
struct AuditTargets: Sendable {
    /// Of one page. What is beyond is shown by its ids.
    private static let askedMax = 1000

    /// Of each change of policy, by the entry's id.
    private let targets: [String: [AuthenticatorPolicy.Target]]
    /// Nil where the directory could not be asked: the log is shown all the same.
    private var names: [AuthenticatorPolicy.Target: String]?
    private var asked: Set<AuthenticatorPolicy.Target> = []

    /// Asks the directory about the targets of these entries, if there are any.
    init(of entries: [AuditEntry], _ edge: Edge, _ inbound: Inbound) async {
        let changes = entries.filter { $0.action == "policy.change" }.map { ($0.id, Self.targets(of: $0)) }
        targets = Dictionary(changes) { first, _ in first }
        var wanted: Set<AuthenticatorPolicy.Target> = []
        for (_, targets) in changes where wanted.union(targets).count <= Self.askedMax { wanted.formUnion(targets) }
        guard !wanted.isEmpty else {
            names = [:]
            return
        }
        asked = wanted
        let request = CheckTargets.with {
            $0.tenant = inbound.tenant.rawValue
            $0.withNames = true
            $0.personIds = wanted.filter { $0.targetType == .user }.map(\.id).sorted()
            $0.groupIds = wanted.filter { $0.targetType == .group }.map(\.id).sorted()
        }
        guard let reply = try? await edge.caller.call(request, inbound.context()), Self.knowsNames(reply, request)
        else {
            return
        }
        let people = reply.personNames.map { (AuthenticatorPolicy.Target(targetType: .user, id: $0.key), $0.value) }
        let groups = reply.groupNames.map { (AuthenticatorPolicy.Target(targetType: .group, id: $0.key), $0.value) }
        names = Dictionary(people + groups) { first, _ in first }
    }

    /// False for a directory of an older version, which says only what is unknown.
    private static func knowsNames(_ reply: CheckTargetsReply, _ request: CheckTargets) -> Bool {
        reply.personNames.count + reply.unknownPersonIds.count == request.personIds.count
            && reply.groupNames.count + reply.unknownGroupIds.count == request.groupIds.count
    }

    /// Nil of whatever is no change of policy, and where what they are called is not known.
    func named(in entry: AuditEntry) -> [AuditTarget]? {
        guard let targets = targets[entry.id], let names, asked.isSuperset(of: targets) else { return nil }
        return targets.map { AuditTarget(targetType: $0.targetType, id: $0.id, name: names[$0]) }
    }

    /// Those that the documents of a change of policy name, in their order; those that stand for everybody and nobody have no name.
    private static func targets(of entry: AuditEntry) -> [AuthenticatorPolicy.Target] {
        var seen: Set<AuthenticatorPolicy.Target> = []
        let documents = [entry.beforeJson, entry.afterJson].compactMap { try? JSONValue(parsing: $0) }
        let named = documents.compactMap { try? AuthenticatorPolicy(document: $0) }.flatMap(\.namedTargets)
        return named.map(\.target).filter { seen.insert($0).inserted }
    }
}
