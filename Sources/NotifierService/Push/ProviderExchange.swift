import Domain

/// Why a provider gave no answer.
enum ProviderFailure: Error, Hashable, Sendable {
    /// No connection: refused, no such name, or a certificate that is not trusted.
    case unreachable
    /// The connection ended before the answer. The request may have been taken.
    case interrupted
    case timedOut
}

/// One attempt at a provider: a request, and at most two more. A repeat harms nobody, because it replaces the first at the phone.
struct ProviderExchange {
    /// A connection's end takes the request that is on it, and may take the one that comes before the end is known.
    private static let requestsMax = 3

    let request: () async throws(ProviderFailure) -> ProviderAnswer
    let verdict: (ProviderAnswer) -> ProviderVerdict
    /// Gets another token; false when there is none to be had.
    let renewToken: () async -> Bool

    func outcome() async -> PushOutcome {
        var isRenewed = false
        for _ in 0..<Self.requestsMax {
            do throws(ProviderFailure) {
                switch verdict(try await request()) {
                case .ends(let outcome): return outcome
                case .reconnect: continue
                case .renewToken:
                    guard !isRenewed, await renewToken() else { return .configuration }
                    isRenewed = true
                }
            } catch {
                switch error {
                case .interrupted: continue
                case .timedOut: return .timeout
                case .unreachable: return .unreachable
                }
            }
        }
        return .retry(after: RetryPause.serverError)
    }
}
