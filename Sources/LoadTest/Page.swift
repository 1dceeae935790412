import Authenticator
import DeviceAPI
import Domain
import NIOHTTP1

/// The application's side of sign-ins: begin, wait, redeem, and look whether each came to what its phone intended.
struct Page: Sendable {
    /// Of one long poll.
    private static let waitSeconds = 25
    /// After a request has expired, until its page must have been told.
    private static let graceMax = Duration.seconds(2)
    /// How long a page waits that nobody is going to answer, in seconds.
    private static let patienceSeconds = 1

    let api: PublicAPI
    let tenant: TenantID
    /// `Authorization` of the client application.
    let client: String

    /// What did not come to what was intended.
    struct Mismatch: Error {
        let what: String
    }

    private struct Begun {
        let id: ChallengeID
        let number: String
        let headers: [(String, String)]
        let expiry: ContinuousClock.Instant
    }

    /// One sign-in of `member`, whose phone does what `intention` says after `delay`. Everything is counted in the arrival's tally.
    /// Returns whether it came to what was intended.
    func signIn(_ member: Member, _ arrival: Arrival, _ intention: Intention, delay: Duration) async -> Bool {
        let tally = arrival.tally
        var begun: Begun?
        do {
            let request = try await begin(member, intention)
            begun = request
            tally.record(.begin, .now - arrival.intended)
            member.desk.put(
                SignInDesk.Instruction(
                    request: request.id.rawValue, intention: intention, number: request.number, delay: delay))
            switch intention {
            case .approve: try await approve(request, member, tally)
            case .decline: try await deny(request, member, tally, .declined)
            case .wrongNumber: try await deny(request, member, tally, .wrongNumber)
            case .noAnswer: try await giveUp(request, tally)
            case .code: try await useCode(request, member)
            }
            tally.completed(intention, .now - arrival.intended)
            return true
        } catch let mismatch as Mismatch {
            tally.failed("\(intention.rawValue): mismatch")
            tally.mismatched("\(intention.rawValue): \(mismatch.what)")
        } catch {
            // What an interruption cut off is no failure of the gateway's.
            if Task.isCancelled { return false }
            tally.failed((error as? CallFailure)?.kind ?? "\(error)")
        }
        // What is left open would count among the requests that the person may have open.
        if let begun { _ = try? await cancel(begun) }
        return false
    }

    private func begin(_ member: Member, _ intention: Intention) async throws -> Begun {
        let body = SignInRequest(
            username: member.username, factor: intention == .code ? .secondFactor : .passwordless)
        let reply = try await api.send(
            "begin", .POST, APIPaths.signIns(tenant), headers: [("Authorization", client)], body: body
        ).decoded(SignInReply.self, expecting: 201)
        return Begun(
            id: ChallengeID(reply.id), number: reply.number,
            headers: [("Authorization", client), (APIHeaders.signInSecret, reply.secret)],
            expiry: .now + (reply.expiresAt - reply.createdAt))
    }

    private func approve(_ request: Begun, _ member: Member, _ tally: Tally) async throws {
        let status = try await settled(request, member, tally)
        guard status.status == .approved, status.method == .push else { throw Mismatch(what: Self.words(status)) }
        let reply = try await redeem(request, member)
        guard reply.method == .push else { throw Mismatch(what: "redeemed by \(reply.method.rawValue)") }
        if let fault = member.receipt.fault(in: reply, of: request.id, number: request.number) {
            throw Mismatch(what: fault)
        }
    }

    private func deny(_ request: Begun, _ member: Member, _ tally: Tally, _ reason: DenialReason) async throws {
        let status = try await settled(request, member, tally)
        guard status.status == .denied, status.reason == reason.rawValue else {
            throw Mismatch(what: Self.words(status))
        }
    }

    private func giveUp(_ request: Begun, _ tally: Tally) async throws {
        let status = try await wait(request, seconds: Self.patienceSeconds, tally)
        guard status.status == .pending else { throw Mismatch(what: Self.words(status)) }
        try await cancel(request).expect(204)
        let canceled = try await wait(request, seconds: 0, tally)
        guard canceled.status == .canceled else { throw Mismatch(what: Self.words(canceled)) }
    }

    private func useCode(_ request: Begun, _ member: Member) async throws {
        let status = try await api.send(
            "code", .POST, APIPaths.signInCode(tenant, request.id), headers: request.headers,
            body: CodeRequest(code: member.offlineCode())
        ).decoded(SignInStatus.self, expecting: 200)
        guard status.status == .approved, status.method == .code else { throw Mismatch(what: Self.words(status)) }
        let reply = try await redeem(request, member)
        guard reply.method == .code, reply.receipt == nil else {
            throw Mismatch(what: "redeemed by \(reply.method.rawValue)")
        }
    }

    private func redeem(_ request: Begun, _ member: Member) async throws -> RedeemReply {
        let reply = try await api.send(
            "redeem", .POST, APIPaths.redeem(tenant, request.id), headers: request.headers
        ).decoded(RedeemReply.self, expecting: 200)
        guard reply.user.id == member.id.rawValue, reply.user.username == member.username else {
            throw Mismatch(what: "somebody else was signed in")
        }
        return reply
    }

    /// Waits until the phone has answered, and records how long its answer took to come here.
    private func settled(_ request: Begun, _ member: Member, _ tally: Tally) async throws -> SignInStatus {
        while ContinuousClock.now < request.expiry + Self.graceMax {
            let status = try await wait(request, seconds: Self.waitSeconds, tally)
            guard status.status != .pending else { continue }
            if let answered = member.desk.answerTime(of: request.id.rawValue) {
                tally.record(.answerToPage, .now - answered)
            }
            if status.status == .expired { throw CallFailure(kind: "wait: expired") }
            return status
        }
        throw CallFailure(kind: "wait: still pending")
    }

    /// One wait, asked for again where it is lost: it changes nothing, and a gateway that stops lets go of those that it holds.
    private func wait(_ request: Begun, seconds: Int, _ tally: Tally) async throws -> SignInStatus {
        var repeats = WaitRepeats(until: request.expiry)
        var seconds = seconds
        while true {
            do {
                return try await status(request, seconds: seconds)
            } catch let failure as CallFailure {
                guard let pause = repeats.next(after: failure, at: .now) else { throw failure }
                tally.reconnected(failure.kind)
                try await Task.sleep(for: pause)
                // At once, to know that somebody answers again.
                seconds = 0
            }
        }
    }

    private func status(_ request: Begun, seconds: Int) async throws -> SignInStatus {
        try await api.send(
            "wait", .GET, APIPaths.signIn(tenant, request.id) + (seconds > 0 ? "?wait=\(seconds)" : ""),
            headers: request.headers
        ).decoded(SignInStatus.self, expecting: 200)
    }

    @discardableResult
    private func cancel(_ request: Begun) async throws -> PublicAPI.Reply {
        try await api.send("cancel", .DELETE, APIPaths.signIn(tenant, request.id), headers: request.headers)
    }

    private static func words(_ status: SignInStatus) -> String {
        [status.status.rawValue, status.reason ?? "", status.method?.rawValue ?? ""].filter { !$0.isEmpty }
            .joined(separator: " ")
    }
}
