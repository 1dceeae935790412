import Domain
import Proofs
import Secrets
import ServiceKit

extension PushTransport {
    /// Enough to tell services apart.
    private static let serviceBytes = 9

    /// Which of the transport's services an address is of: a word of the same length for each, for a store that must not know addresses.
    /// Empty where there is only one, and for what is no address.
    func service(of address: Redacted<[UInt8]>) -> String {
        guard self == .webpush, let subscription = WebPushSubscription(address),
            let origin = WebPushOrigin(endpoint: subscription.endpoint)
        else { return "" }
        return Base64URL.encode(Array(sha256(Array(origin.text.utf8)).prefix(Self.serviceBytes)))
    }
}
