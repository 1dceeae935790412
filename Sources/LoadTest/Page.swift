import DeviceAPI
import Domain

/// The application's side of one sign-in: begin, wait, redeem.
struct Page: Sendable {
    static let waitSeconds = 25

    let api: PublicAPI
    let tenant: TenantID
    let client: String
    let desk: NumberDesk

    func signIn(_ username: String, _ figures: Figures) async {
        let clock = ContinuousClock()
        let started = clock.now
        do {
            let begun = try await api.send(
                "POST", APIPaths.signIns(tenant), headers: [("Authorization", client)],
                body: SignInRequest(username: username)
            ).decoded(SignInReply.self, expecting: 201, "begin")
            let begin = clock.now - started
            desk.put(begun.number, for: begun.id)
            let id = ChallengeID(begun.id)
            let headers = [("Authorization", client), (APIHeaders.signInSecret, begun.secret)]
            let status = try await api.send(
                "GET", APIPaths.signIn(tenant, id) + "?wait=\(Self.waitSeconds)", headers: headers
            )
            .decoded(SignInStatus.self, expecting: 200, "wait")
            guard status.status == .approved else {
                throw LoadTestError(description: "the wait ended with \(status.status)")
            }
            let redeemed = try await api.send("POST", APIPaths.redeem(tenant, id), headers: headers)
                .decoded(RedeemReply.self, expecting: 200, "redeem")
            guard redeemed.user.username == username else {
                throw LoadTestError(description: "somebody else was signed in")
            }
            figures.completed(begin: begin, whole: clock.now - started)
        } catch {
            figures.failed("\(error)")
        }
    }
}
