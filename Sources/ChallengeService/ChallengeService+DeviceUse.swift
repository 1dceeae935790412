import Domain
import Logging
import Messaging
import ServiceKit
import SwiftProtobuf
import Synchronization
import Wire

// When devices were last used is registration's to know, and challenge is the one that sees it.

extension ChallengeService {
    /// Remembers which devices sign-ins were approved with. Registration hears of it later: no sign-in waits for that, or fails by it.
    func note(_ used: [DeviceUse]) {
        guard !used.isEmpty else { return }
        let begins = uses.withLock { ledger in used.map { ledger.note($0) } }
        if begins.contains(true) { usesChanged.advance() }
    }

    /// Tells registration which devices were used, each message when it is due, until the task is cancelled.
    func tellUses() async {
        while !Task.isCancelled {
            let seen = usesChanged.count
            await tellDueUses()
            await usesChanged.wait(past: seen, until: uses.withLock(\.nextDue), now: now())
        }
    }

    func tellDueUses() async {
        let now = now()
        let due = uses.withLock { $0.takeDue(at: now) }
        guard !due.isEmpty else { return }
        let message = NoteDeviceUse.with { message in
            message.uses = due.map { use in
                UsedDevice.with {
                    $0.tenant = use.tenant.rawValue
                    $0.deviceID = use.device.rawValue
                    $0.atMs = use.at.milliseconds
                }
            }
        }
        do {
            _ = try await caller.call(message, .background(at: now))
        } catch {
            // Also of a registration of an earlier version, which does not know the message: one attempt a pause, until it is exchanged.
            if OutboxDispatcher.mayGoThroughLater(error) { uses.withLock { $0.putBack(due, at: now) } }
            logger.info(
                "device uses not told", metadata: ["uses": "\(due.count)", "error": "\(error.code.name)"])
        }
    }
}
