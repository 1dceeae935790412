import Domain

/// Why a provider gave no answer.
enum ProviderFailure: Error, Hashable, Sendable {
    /// No connection: refused, no such name, or a certificate that is not trusted.
    case unreachable
    /// The connection ended before the answer. The request may have been taken.
    case interrupted
    case timedOut
    /// The provider was not asked: it takes no more at the same time, or this connection is given up for another.
    case notAsked
}

extension ProviderFailure {
    var report: PushReport {
        switch self {
        case .unreachable: PushReport(.unreachable)
        case .timedOut: PushReport(.timeout)
        case .notAsked: PushReport(.paused(after: .zero))
        case .interrupted: PushReport(.retry(after: RetryPause.serverError))
        }
    }
}

/// One attempt at a provider: a request, and at most two more. A repeat harms nobody, because it replaces the first at the phone.
struct ProviderExchange {
    /// A connection's end takes the request that is on it, and may take the one that comes before the end is known.
    private static let requestsMax = 3

    let connection: ProviderConnection
    let request: () async throws(ProviderFailure) -> ProviderAnswer
    let verdict: (ProviderAnswer) -> ProviderVerdict
    /// The provider's name for what it refuses.
    let reason: (ProviderAnswer) -> String?
    /// Whether an answer that calls our settings wrong is meant of all that we send, and not of this address or message.
    let refusesAccount: (ProviderAnswer) -> Bool
    /// Gets another token in the place of the one that was refused.
    let renewToken: () async -> TokenRenewal

    func report() async -> PushReport {
        var (isRenewed, isInterrupted) = (false, false)
        var last: ProviderAnswer?
        for _ in 0..<Self.requestsMax {
            do throws(ProviderFailure) {
                let answer = try await request()
                last = answer
                switch verdict(answer) {
                case .ends(let outcome): return report(outcome, answer)
                case .reconnect: connection.leave(answer)
                case .renewToken:
                    guard !isRenewed else { return report(.configuration, answer) }
                    switch await renewToken() {
                    case .renewed: isRenewed = true
                    case .unchanged: return report(.configuration, answer)
                    case .failed(let report): return report
                    }
                }
            } catch {
                switch error {
                case .interrupted: isInterrupted = true
                // The one before may have been taken: it was an attempt.
                case .notAsked where isInterrupted: return report(.retry(after: RetryPause.serverError), last)
                case .notAsked, .timedOut, .unreachable: return error.report
                }
            }
        }
        return report(.retry(after: RetryPause.serverError), last)
    }

    private func report(_ outcome: PushOutcome, _ answer: ProviderAnswer?) -> PushReport {
        let word = outcome == .delivered ? nil : answer.flatMap(reason)
        return PushReport(
            outcome, status: answer?.status, reason: ProviderAnswer.reason(word),
            refusesAccount: outcome == .configuration && answer.map(refusesAccount) == true)
    }
}
