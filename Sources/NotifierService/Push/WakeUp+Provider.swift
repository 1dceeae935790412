import Domain
import Foundation
import Proofs
import Secrets

/// A wake-up in the terms that providers share.
extension WakeUp {
    /// The same for all wake-ups of one request, so that a repeat, or its withdrawal, takes the first one's place; says nothing of it. 32 characters of
    /// base64url: what Web Push allows for a topic, and the least of the providers' limits.
    var collapseID: String { Base64URL.encode(Array(sha256(Array(challenge.rawValue.utf8)).prefix(24))) }

    /// The same for each attempt to send this wake-up: a UUID of version 8 (RFC 9562 section 5.8), in lower case.
    var messageID: String {
        var bytes = Array(
            sha256(Array("\(challenge.rawValue) \(device.rawValue)\(isWithdrawal ? " withdrawal" : "")".utf8)).prefix(
                16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        // As many bytes as an UUID has.
        return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }.uuidString.lowercased()
    }

    /// Whole seconds that it is of use, for the request that is sent at this very time. With none a provider delivers it now or not at all
    /// (RFC 8030 section 5.2). Throws `notAsked` when its time is over: then nothing is sent.
    func secondsLeft(now: Timestamp) throws(ProviderFailure) -> Int64 {
        guard now < expiresAt else { throw .notAsked }
        return (expiresAt - now).components.seconds
    }
}
