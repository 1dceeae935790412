package import Domain
import Foundation
package import Proofs

/// What a browser or a UnifiedPush distributor gave the phone: where to send, and for whom to seal (RFC 8030 section 2, RFC 8291 section 2).
package struct WebPushSubscription: Hashable, Sendable {
    /// The push resource: whoever knows it may send to it.
    package let endpoint: String
    package let receiver: WebPushReceiver

    /// Reads `{"endpoint","p256dh","auth"}`. Nil when a member is missing or cannot be one.
    package init?(_ address: Redacted<[UInt8]>) {
        struct Members: Decodable {
            let endpoint: String
            let p256dh: String
            let auth: String
        }
        guard let members = try? JSONDecoder().decode(Members.self, from: Data(address.value)),
            let publicKey = Base64URL.decode(members.p256dh), let secret = Base64URL.decode(members.auth)
        else { return nil }
        endpoint = members.endpoint
        receiver = WebPushReceiver(publicKey: publicKey, authenticationSecret: secret)
    }
}
