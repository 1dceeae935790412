import Domain
import Messaging
import Storage
import SwiftProtobuf
import Wire

/// ListDeliveries: which attempts to wake phones were made, newest first.
struct DeliveryHandler: Sendable {
    private static let pageDefault = 100
    private static let pageMax = 1000

    let store: any Store<any NotifierRecords>

    func handle(_ request: ListDeliveries, _ context: HandlerContext) async throws -> ListDeliveriesReply {
        let limit = request.page.limit == 0 ? Self.pageDefault : min(Int(request.page.limit), Self.pageMax)
        let before = Int64(request.page.cursor)
        guard request.page.cursor.isEmpty || before != nil else {
            throw ServiceError(.malformed, "the cursor is not one that was given")
        }
        let challenge = request.challengeID.isEmpty ? nil : ChallengeID(request.challengeID)
        let records = try await store.read {
            try $0.deliveries(tenant: TenantID(request.tenant), challenge: challenge, before: before, limit: limit)
        }
        return .with { reply in
            reply.deliveries = records.map(Delivery.init)
            if records.count == limit, let last = records.last { reply.next = String(last.sequence) }
        }
    }
}

extension Delivery {
    init(_ record: DeliveryRecord) {
        self = .with {
            $0.challengeID = record.challenge.rawValue
            $0.deviceID = record.device.rawValue
            $0.transport = record.transport
            $0.outcome = record.outcome
            $0.atMs = record.at.milliseconds
            $0.latencyMs = UInt32(clamping: record.latency.milliseconds)
        }
    }
}
