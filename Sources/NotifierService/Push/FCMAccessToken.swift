import Domain
import Foundation
import NIOHTTP1
import Proofs

/// The access token of a service account, asked for once for all who need it (RFC 7523 section 2.1).
actor FCMAccessToken {
    enum Result: Hashable, Sendable {
        case token(String)
        case none(PushReport)
    }

    /// So long before its end a token is asked for anew: requests with the old one are still on their way.
    private static let renewedBefore = Duration.seconds(300)
    private static let lifetimeMax = Duration.seconds(3600)

    private let account: FCMServiceAccount
    private let connection: ProviderConnection
    private let now: @Sendable () -> Timestamp
    private var current: (text: String, expiresAt: Timestamp)?
    private var asking: Task<Result, Never>?

    init(_ account: FCMServiceAccount, _ connection: ProviderConnection, now: @escaping @Sendable () -> Timestamp) {
        self.account = account
        self.connection = connection
        self.now = now
    }

    /// `refused` is a token that was not taken, if any.
    func get(insteadOf refused: String? = nil) async -> Result {
        // Who comes next need not be refused as well, where there is none in its place yet.
        if let refused, current?.text == refused { current = nil }
        // One that would last for longer than any does is of a clock that has been set back since: its end comes sooner than that.
        if let current {
            let rest = current.expiresAt - now()
            if rest > Self.renewedBefore, rest <= Self.lifetimeMax + ClockSkew.tolerated { return .token(current.text) }
        }
        if let asking { return await asking.value }
        // Unstructured because all who wait share it, and one that gives up must not take it from the others.
        let task = Task { await ask() }
        asking = task
        let result = await task.value
        asking = nil
        return result
    }

    private func ask() async -> Result {
        struct Body: Decodable {
            let accessToken: String
            let expiresIn: Int64
        }
        let time = now()
        guard let assertion = try? account.assertion(issuedAt: time) else { return .none(PushReport(.configuration)) }
        let form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=\(assertion)"
        do throws(ProviderFailure) {
            let answer = try await connection.post(
                account.tokenURL, headers: ["content-type": "application/x-www-form-urlencoded"],
                body: Array(form.utf8))
            guard answer.status == 200 else { return .none(FCMAnswer.tokenRefusal(answer, now: time)) }
            guard let body = try? JSONDecoder.snakeCase.decode(Body.self, from: Data(answer.body)),
                body.accessToken.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else { return .none(PushReport(.configuration, status: answer.status, refusesAccount: true)) }
            // A peer's number: bounded before it is used.
            let seconds = min(max(body.expiresIn, 0), Self.lifetimeMax.components.seconds)
            current = (body.accessToken, time + .seconds(seconds))
            return .token(body.accessToken)
        } catch {
            return .none(error.report)
        }
    }
}
