import Domain
package import Storage
import SwiftProtobuf
package import Wire

extension AuditEntry {
    /// A service's own line as the others see it. The id is unique over all services.
    package init(_ record: AuditRecord, of service: ServiceName) {
        self = .with {
            $0.id = "\(service.rawValue)-\(record.sequence)"
            $0.atMs = record.at.milliseconds
            $0.actor = .with {
                $0.kind = record.actorKind
                $0.id = record.actorID
                $0.name = record.actorName
            }
            $0.action = record.action
            $0.target = record.target
            $0.beforeJson = record.beforeJSON
            $0.afterJson = record.afterJSON
            $0.requestID = record.requestID
        }
    }
}
