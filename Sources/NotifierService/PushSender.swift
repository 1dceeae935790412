import Domain
import Foundation
import Logging
import Messaging
import Secrets
import Storage
import SwiftProtobuf
import Telemetry
import Wire

/// One device that is to be rung, and where.
struct PushAim: Sendable {
    let wakeUp: WakeUp
    let transport: PushTransport
    /// JSON of the transport's own members.
    let address: Redacted<[UInt8]>
}

/// What one attempt came to.
struct PushAttempt: Sendable {
    let report: PushReport
    let delivery: DeliveryRecord
    /// This process was stopped before an answer came.
    let isInterrupted: Bool
}

/// Makes single attempts through the drivers, for what is owed and for an administrator's check alike.
struct PushSender: Sendable {
    /// How long registration may take to drop an address. When it does not, the next wake-up of the device finds the same.
    private static let dropTimeout = Duration.seconds(5)

    private let drivers: [PushTransport: any PushDriver]
    private let held: HeldDevices
    private let caller: any ServiceCaller
    private let configuration: NotifierConfiguration
    private let metrics: NotifierMetrics
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let pause: @Sendable (Duration) async throws -> Void

    init(_ given: NotifierService.Dependencies, configuration: NotifierConfiguration, metrics: NotifierMetrics) {
        drivers = Dictionary(given.drivers.map { ($0.transport, $0) }) { _, _ in
            preconditionFailure("a transport has one driver")
        }
        held = HeldDevices(devicesMax: configuration.heldDevicesMax)
        caller = given.caller
        logger = given.logger
        now = given.now
        pause = given.pause
        self.configuration = configuration
        self.metrics = metrics
    }

    func hasDriver(_ transport: PushTransport, for tenant: TenantID) -> Bool {
        drivers[transport]?.serves(tenant) ?? false
    }

    /// Nil when there is no driver for the tenant.
    func route(_ transport: PushTransport, to address: Redacted<[UInt8]>, of tenant: TenantID) -> PushRoute? {
        guard let driver = drivers[transport], driver.serves(tenant) else { return nil }
        return driver.route(to: address, of: tenant)
    }

    /// As one more in the metrics: of what is written down, so that both say the same.
    func count(_ delivery: DeliveryRecord, _ purpose: PushPurpose) {
        metrics.outcomes.increment(delivery.transport, delivery.outcome, purpose.rawValue)
    }

    /// Sends once, unless the device is held back. Gives up at `timeout`.
    func attempt(_ aim: PushAim, over route: PushRoute, timeout: Duration) async -> PushAttempt {
        let start = now()
        let report: PushReport
        if let pause = held.pause(of: aim, at: start) {
            report = PushReport(.paused(after: pause))
        } else {
            let began = ContinuousClock.now
            report = await send(aim.wakeUp, over: route, timeout: timeout)
            metrics.durations.observe(.now - began, aim.transport.rawValue)
        }
        if case .throttled(let pause) = report.outcome { held.hold(aim, for: pause, at: now()) }
        let isInterrupted = Task.isCancelled && report.outcome != .delivered
        if !isInterrupted { tell(report, aim) }
        let outcome = isInterrupted ? UnansweredOutcome.interrupted.rawValue : report.outcome.label
        let delivery = DeliveryRecord(
            tenant: aim.wakeUp.tenant, challenge: aim.wakeUp.challenge, device: aim.wakeUp.device,
            transport: aim.transport.rawValue, outcome: outcome, at: start, latency: now() - start)
        return PushAttempt(report: report, delivery: delivery, isInterrupted: isInterrupted)
    }

    private func send(_ wakeUp: WakeUp, over route: PushRoute, timeout: Duration) async -> PushReport {
        await withTaskGroup(of: PushReport?.self) { group in
            group.addTask { await route.send(wakeUp) }
            group.addTask { [pause] in
                // Cut short when the driver has answered.
                try? await pause(timeout)
                return nil
            }
            // A driver that is given up knows best how far it came.
            for await report in group {
                group.cancelAll()
                if let report { return report }
            }
            return PushReport(.timeout)
        }
    }

    private func tell(_ report: PushReport, _ aim: PushAim) {
        guard report.outcome == .configuration || report.outcome == .foreignAddress else { return }
        logger.error(
            "a push provider refuses our settings",
            metadata: [
                "tenant": "\(aim.wakeUp.tenant)", "transport": "\(aim.transport.rawValue)",
                "outcome": "\(report.outcome.label)", "status": "\(report.status ?? 0)",
                "reason": "\(report.reason ?? "")",
            ])
    }

    /// Tells registration that the provider does not know the address any more. A phone that has registered another one keeps that.
    func drop(_ aim: PushAim, by deadline: ContinuousClock.Instant? = nil) async {
        let request = DropPushAddress.with {
            $0.tenant = aim.wakeUp.tenant.rawValue
            $0.deviceID = aim.wakeUp.device.rawValue
            $0.transport = aim.transport.rawValue
            $0.addressDigest = Data(sha256(aim.address.value))
        }
        let id = RequestID.make(at: now())
        let longest = ContinuousClock.now + Self.dropTimeout
        do throws(ServiceError) {
            _ = try await caller.call(
                request,
                CallContext(requestID: id, originID: id, deadline: deadline.map { min($0, longest) } ?? longest))
        } catch {
            logger.warning(
                "dead push address not dropped",
                metadata: ["device": "\(aim.wakeUp.device)", "error": "\(error.code.name)"])
        }
    }
}
