import Domain
import Proofs
import Testing

@testable import NotifierService

@Suite("Web Push subscriptions")
struct WebPushSubscriptionTests {
    @Test("a subscription is read from a device's address, and nothing else is")
    func address() throws {
        let json = #"{"endpoint":"https://push.example/1","p256dh":"BA","auth":"AA"}"#
        let read = WebPushSubscription(Redacted(Array(json.utf8)))
        #expect(read?.endpoint == "https://push.example/1")
        #expect(read?.receiver == WebPushReceiver(publicKey: [4], authenticationSecret: [0]))
        for text in ["", "{}", #"{"token":"a"}"#, json.replacing("BA", with: "!")] {
            #expect(WebPushSubscription(Redacted(Array(text.utf8))) == nil)
        }
    }
}
