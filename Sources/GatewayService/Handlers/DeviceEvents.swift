import DeviceAPI
import Domain
import Logging
import Messaging
import Synchronization
import Wire

/// `GET …/devices/{deviceId}/events`: what is open now, then what comes, until the device loses the right to it.
struct DeviceEvents: Sendable {
    let edge: Edge

    func open(_ inbound: Inbound) async throws -> Reply {
        let device = try await inOwnTask { try await edge.authentication.device(inbound, evenAwaiting: true) }
        let listener = DeviceStreams.Listener(
            tenant: inbound.tenant, device: DeviceID(device.deviceID), person: PersonID(device.personID))
        let hub = edge.hub
        let context = inbound.context()
        let listening = Mutex<UInt64?>(nil)
        return try edge.stream(inbound) { mailbox in
            let id = hub.open(listener, mailbox)
            listening.withLock { $0 = id }
            do {
                // Its end, when the device lost the right between the look at its proof and now, was told to nobody.
                guard try await hub.mayListen(listener, context) else { return mailbox.end() }
                // Listening comes first: what begins while the list is read is heard, and told once. From then on the hub feeds it.
                try await hub.list(listener, context)
            } catch {
                edge.logger.info("a device's events ended early", metadata: ["requestId": "\(inbound.originID)"])
                mailbox.end()
            }
        } close: {
            if let id = listening.withLock(\.self) { hub.close(id, listener.device) }
        }
    }
}
