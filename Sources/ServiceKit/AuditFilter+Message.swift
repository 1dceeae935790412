import Domain
package import Storage
package import Wire

extension Storage.AuditFilter {
    package init(_ message: Wire.AuditFilter) {
        self.init()
        actor = message.actor.nonEmpty
        action = message.action.nonEmpty
        target = message.target.nonEmpty
        from = Timestamp(sent: message.fromMs)
        to = Timestamp(sent: message.toMs)
    }
}
