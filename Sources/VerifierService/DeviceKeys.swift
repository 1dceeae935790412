import Domain
import Logging
import Messaging
import Proofs
import ServiceKit
import SwiftProtobuf
import Synchronization
import Telemetry
import Wire

/// Looks up the key behind a signature: from memory while registration tells of every change, else from registration.
final class DeviceKeys: Sendable {
    /// How much longer than its wait a parked call may take.
    private static let grace = Duration.seconds(5)

    private let caller: any ServiceCaller
    private let logger: Logger
    private let metrics: VerifierMetrics
    private let now: @Sendable () -> Timestamp
    private let watchWait: Duration
    private let cache: Mutex<DeviceKeyCache>

    init(
        caller: any ServiceCaller, configuration: VerifierConfiguration, metrics: VerifierMetrics, logger: Logger,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.caller = caller
        self.logger = logger
        self.metrics = metrics
        self.now = now
        watchWait = configuration.watchWait
        cache = Mutex(DeviceKeyCache(max: configuration.deviceKeysMax, unwatchedAge: configuration.unwatchedKeyAge))
    }

    /// The device, from memory only with the rights that are needed there: of several registrations another may have given one just now,
    /// and said so to its caller. A right that is taken away is told. Nil for a device that does not exist or was removed. Throws what
    /// registration refused, `unavailable` first of all.
    func device(
        _ device: DeviceID, tenant: TenantID, _ call: CallContext,
        needing hasRights: (KnownDevice) -> Bool = { _ in true }
    ) async throws(ServiceError) -> KnownDevice? {
        let key = DeviceKeyCache.Key(tenant: tenant, device: device)
        let readAt = now()
        let (known, edition) = cache.withLock { ($0.device(key, now: readAt), $0.edition) }
        if let known, hasRights(known) {
            metrics.keys.increment("memory")
            return known
        }
        metrics.keys.increment("registration")
        guard let read = try await read(key, call) else { return nil }
        cache.withLock { $0.insert(read, for: key, readAt: readAt, edition: edition) }
        return read
    }

    private func read(_ key: DeviceKeyCache.Key, _ call: CallContext) async throws(ServiceError) -> KnownDevice? {
        let request = ReadDevice.with {
            $0.tenant = key.tenant.rawValue
            $0.deviceID = key.device.rawValue
        }
        let reply: ReadDeviceReply
        do {
            reply = try await caller.call(request, call.child(ReadDevice.method.id))
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        guard reply.found, reply.device.state != DeviceState.removed.rawValue,
            let publicKey = try? PublicKeyJWK(x963: Array(reply.device.publicKey))
        else { return nil }
        return KnownDevice(
            record: reply.device, key: publicKey, username: reply.username, isPersonBlocked: reply.personBlocked)
    }

    /// Follows registration's changes, one parked call after another, until cancelled.
    func watch() async {
        var backOff = BackOff(first: .milliseconds(50), longest: .seconds(1))
        var registration = FollowedInstance(of: .registration, caller)
        while !Task.isCancelled {
            do throws(ServiceError) {
                let reply = try await ask(&registration)
                cache.withLock { $0.take(reply) }
                backOff.reset()
            } catch {
                cache.withLock { $0.watchLost() }
                guard !Task.isCancelled else { return }
                logger.warning("device changes not heard", metadata: ["error": "\(error.code.name)"])
                // Cancelled while pausing: the loop's condition ends it.
                try? await Task.sleep(for: backOff.next())
            }
        }
    }

    private func ask(_ registration: inout FollowedInstance) async throws(ServiceError) -> WatchDevicesReply {
        let position = cache.withLock(\.position)
        let request = WatchDevices.with {
            $0.knownRevision = position.revision
            $0.epoch = position.epoch
            $0.waitMs = UInt32(watchWait.milliseconds)
        }
        let id = RequestID.make(at: now())
        return try await registration.call(
            request, CallContext(requestID: id, originID: id, deadline: .now + watchWait + Self.grace))
    }
}
