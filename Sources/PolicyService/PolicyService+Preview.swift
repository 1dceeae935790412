import Domain
import Foundation
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension PolicyService {
    /// What a change would mean for everybody: the rules of a change are checked, nothing is stored.
    ///
    /// Registration judges the directory batch by batch, because it knows who is in which group and who has which phone. The
    /// caller's deadline bounds the whole.
    func previewPolicy(_ request: PreviewPolicy, _ context: HandlerContext) async throws -> PreviewPolicyReply {
        let id = TenantID(request.tenant)
        let patch = Array(request.mergePatch)
        let targets = await checkedTargets(patch, of: id, context)
        let (before, after) = try await store.read { records in
            let before = try DocumentKind.policy.document(of: records.existing(id))
            return (before, try DocumentKind.policy.merging(patch, into: before))
        }
        try targets.check(added: Self.added(before, after))
        var tally = ModeTally()
        var request = CompareModes.with {
            $0.tenant = id.rawValue
            $0.beforeJson = Data(before.canonicalText.utf8)
            $0.afterJson = Data(after.canonicalText.utf8)
        }
        var batch: UInt16 = 0
        repeat {
            let reply = try await caller.call(request, context.call.child(CompareModes.method.id, index: batch))
            tally.add(reply.modes)
            request.afterPersonID = reply.next
            batch &+= 1
        } while !request.afterPersonID.isEmpty
        return PreviewPolicyReply.with {
            $0.etag = before.entityTag
            $0.modes = tally.modeCounts
        }
    }
}
