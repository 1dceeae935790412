import DeviceAPI
import Domain
import Logging
import Messaging
import Wire

/// `GET …/sign-ins/{id}/events`: the status now, then each change, then the end.
struct SignInEvents: Sendable {
    /// One parked wait at challenge; the stream outlives many of them.
    private static let wait = Duration.seconds(30)

    let edge: Edge

    func open(_ inbound: Inbound) async throws -> Reply {
        let (access, first) = try await inOwnTask {
            let access = try await SignIns(edge: edge).access(inbound)
            return (access, try SignInStatus(try await edge.caller.call(access.outcome, inbound.context())))
        }
        try edge.parked.enter(access.id)
        do {
            return try stream(access, first, inbound)
        } catch {
            edge.parked.leave(access.id)
            throw error
        }
    }

    /// Leaves the wait's place when it ends.
    private func stream(_ access: SignIns.Access, _ first: SignInStatus, _ inbound: Inbound) throws(ServiceError)
        -> Reply
    {
        try edge.stream(inbound, counts: false) { mailbox in
            do {
                try Self.send(first, to: mailbox)
                if first.status == .pending { try await follow(access, first, inbound, mailbox) }
            } catch {
                // The stream ends early, and the reader opens a new one: there is no status to tell.
                edge.logger.info("a sign-in's events ended early", metadata: ["requestId": "\(inbound.originID)"])
            }
            mailbox.end()
        } close: {
            edge.parked.leave(access.id)
        }
    }

    private static func send(_ status: SignInStatus, to mailbox: StreamMailbox) throws {
        mailbox.send(EventFraming.event("status", try JSONWriter.bytes(of: status)))
    }

    private func follow(_ access: SignIns.Access, _ first: SignInStatus, _ inbound: Inbound, _ mailbox: StreamMailbox)
        async throws
    {
        var last = first
        while !Task.isCancelled, last.status == .pending {
            var request = access.outcome
            request.waitMs = UInt32(Self.wait.milliseconds)
            let next = try SignInStatus(try await edge.caller.call(request, inbound.context(wait: Self.wait)))
            if next != last { try Self.send(next, to: mailbox) }
            last = next
        }
    }
}
