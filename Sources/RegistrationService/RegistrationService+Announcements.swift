import Domain
import Foundation
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

// What processes of this service tell each other when they share a store: `activation <id>`, and `device <DeviceChange, base64>`.

extension RegistrationService {
    func announce(_ effects: Effects) {
        // Nobody shares the store: there is nothing to write down.
        guard store.announcements != nil else { return }
        for change in effects.changes {
            // A change of known members is always written.
            guard let bytes: [UInt8] = try? change.serializedBytes() else { continue }
            store.announce("device \(Data(bytes).base64EncodedString())")
        }
        for activation in effects.activations { store.announce("activation \(activation.rawValue)") }
    }

    /// A word that is not understood comes from a newer build: as good as missed.
    func hear(_ announcement: StoreAnnouncement) {
        guard case .told(let word) = announcement else { return lookAgain() }
        let parts = word.split(separator: " ", maxSplits: 1)
        switch parts.first {
        case "activation" where parts.count == 2: activations.advance(ActivationID(String(parts[1])))
        case "device" where parts.count == 2:
            guard let bytes = Data(base64Encoded: String(parts[1])),
                let change = try? DeviceChange(serializedBytes: bytes)
            else { return lookAgain() }
            feed.pass([change])
        default: lookAgain()
        }
    }

    private func lookAgain() {
        feed.forget()
        activations.advanceAll()
        callsChanged.advance()
    }
}
