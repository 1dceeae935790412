import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension RegistrationService {
    /// People judged in one message: some tens of milliseconds of work, so that a directory of any size holds nobody up.
    private static let comparedAtOnce = 2000

    /// What a change of policy would mean for the next people of the directory, blocked ones included. Each batch is a snapshot of
    /// its own: who is added or removed meanwhile may or may not be counted.
    func compareModes(_ request: CompareModes, _ context: HandlerContext) async throws -> CompareModesReply {
        let tenant = TenantID(request.tenant)
        let before = try Self.policy(Array(request.beforeJson))
        let after = try Self.policy(Array(request.afterJson))
        let start = request.afterPersonID.nonEmpty.map { PersonID($0) }
        let found = try await store.read {
            try $0.policySubjects(tenant: tenant, after: start, limit: Self.comparedAtOnce + 1)
        }
        var tally = ModeTally()
        for subject in found.prefix(Self.comparedAtOnce) {
            let change = ModeTally.Change(
                before: before.verdict(person: subject.person, groups: subject.groups).mode,
                after: after.verdict(person: subject.person, groups: subject.groups).mode)
            tally.add(
                ModeTally.Count(
                    people: 1, withDevice: subject.hasDevice ? 1 : 0, withPhoneSignIn: subject.hasPhoneSignIn ? 1 : 0),
                to: change)
        }
        return CompareModesReply.with {
            $0.modes = tally.modeCounts
            if found.count > Self.comparedAtOnce { $0.next = found[Self.comparedAtOnce - 1].person.rawValue }
        }
    }

    private static func policy(_ json: [UInt8]) throws(ServiceError) -> AuthenticatorPolicy {
        do {
            return try AuthenticatorPolicy(document: JSONValue(parsing: json))
        } catch {
            throw ServiceError(.malformed, "the policy cannot be read")
        }
    }
}
