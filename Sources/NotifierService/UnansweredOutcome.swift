import Domain
import Storage

/// How a wake-up ended, or one attempt at it, about which no provider said anything.
enum UnansweredOutcome: String, Sendable {
    /// There is no provider for the device.
    case noDriver = "no_driver"
    /// Too many are owed already.
    case overloaded
    /// Its request ended by expiry before a provider was asked once; of a word of the end, before it was sent.
    case expired
    /// The process that asked ended, or was stopped, before it had an answer and had written it down.
    case interrupted
}

extension DeliveryRecord {
    init(_ wakeUp: WakeUpRecord, _ outcome: UnansweredOutcome, at time: Timestamp) {
        self.init(
            tenant: wakeUp.tenant, challenge: wakeUp.challenge, device: wakeUp.device,
            transport: wakeUp.transport.rawValue, outcome: outcome.rawValue, at: time, latency: .zero)
    }
}
