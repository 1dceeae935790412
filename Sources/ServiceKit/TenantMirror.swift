package import Domain
package import Logging
package import Messaging
import ServiceLifecycle
import SwiftProtobuf
import Synchronization
package import Wire

/// The tenants as policy last told them, followed by one parked call after another.
///
/// A saved change is here as soon as policy's reply is: milliseconds. While policy cannot be reached the last known set stays in
/// force, so its loss stops nobody from signing in. A snapshot that cannot be read leaves the tenant as it was.
package final class TenantMirror: Tenants, Service {
    /// How long one call is parked, and how much longer its reply may take.
    private static let wait = Duration.seconds(25)
    private static let grace = Duration.seconds(5)

    private let caller: any ServiceCaller
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let pause: @Sendable (Duration) async throws -> Void
    private let state = Mutex(State())
    /// Advances after each reply of policy.
    private let taken = ChangeSignal()

    /// `pause` waits out a back-off.
    package init(
        caller: any ServiceCaller, logger: Logger, now: @escaping @Sendable () -> Timestamp,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.caller = caller
        self.logger = logger
        self.now = now
        self.pause = pause
    }

    /// Whether the whole set has been received once: what `/readyz` names.
    package var isReady: Bool { state.withLock(\.tenants.isKnown) }

    package func tenant(_ id: TenantID) throws(ServiceError) -> TenantView {
        let (view, isKnown) = state.withLock { ($0.tenants.views[id], $0.tenants.isKnown) }
        guard isKnown else {
            throw ServiceError(.unavailable, "the tenants are not known yet", retryAfter: .seconds(1))
        }
        guard let view else { throw ServiceError(.notFound, "no such tenant") }
        return view
    }

    /// Every tenant known now.
    package var all: [TenantView] { state.withLock { Array($0.tenants.views.values) } }

    /// Calls `body` after each change with the tenants that changed or went, for those who hold caches. It runs before the next
    /// change is asked for, so it must be short.
    package func onChange(_ body: @escaping @Sendable (Set<TenantID>) -> Void) {
        state.withLock { $0.observers.append(body) }
    }

    /// Returns once the whole set is known; throws `CancellationError` when the caller's task is cancelled first.
    package func waitUntilReady() async throws {
        while true {
            let seen = taken.count
            if isReady { return }
            try Task.checkCancellation()
            await taken.wait(past: seen)
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var backOff = BackOff(first: .milliseconds(50), longest: .seconds(1))
            var policy = FollowedInstance(of: .policy, self.caller)
            while !Task.isCancelled {
                do {
                    self.take(try await self.ask(&policy))
                    backOff.reset()
                } catch let error as ServiceError {
                    self.logger.warning("tenants not refreshed", metadata: ["error": "\(error.code.name)"])
                    // Cancelled while pausing: the loop's condition ends it.
                    try? await self.pause(backOff.next())
                } catch {
                    return
                }
            }
        }
    }

    private func ask(_ policy: inout FollowedInstance) async throws -> WatchPolicyReply {
        let request = state.withLock { state in
            WatchPolicy.with {
                $0.knownRevision = state.tenants.revision
                $0.epoch = state.tenants.epoch
                $0.waitMs = UInt32(Self.wait.milliseconds)
            }
        }
        let id = RequestID.make(at: now())
        try Task.checkCancellation()
        return try await policy.call(
            request, CallContext(requestID: id, originID: id, deadline: .now + Self.wait + Self.grace))
    }

    private func take(_ reply: WatchPolicyReply) {
        let (changed, unreadable, observers) = state.withLock { state in
            let effect = state.tenants.take(reply)
            return (effect.changed, effect.unreadable, state.observers)
        }
        for id in unreadable { logger.error("tenant snapshot not readable", metadata: ["tenant": "\(id)"]) }
        if !changed.isEmpty { for observer in observers { observer(changed) } }
        taken.advance()
    }

    private struct State {
        var tenants = MirroredTenants()
        var observers: [@Sendable (Set<TenantID>) -> Void] = []
    }
}
