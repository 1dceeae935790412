import ArgumentParser
import DeviceAPI
import Domain
import Foundation

/// What a browser would show, in a terminal, so that an installation can be tried and scripted before anybody has a page.
struct TryCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "try", abstract: "Be the page in a terminal: add a phone to a person, sign a person in.",
        subcommands: [AddPhone.self, SignIn.self])

    /// A long poll, as pages use it.
    static let waitSeconds = "25"

    struct AddPhone: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add-phone",
            abstract: "Shows an activation link and then the number that the phone must be told.",
            discussion: """
                Opens the person's session with a Temporary Access Pass that is issued for this, as an administrator would who helps somebody
                to a first phone. Ends when the phone is confirmed.
                """)
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name or id.") var user: String

        func run() async throws {
            try await connection.run { tenant in
                let person = try await tenant.person(user)
                let browser = try await tenant.browser(of: person)
                let created: ActivationCreated = try await tenant.client.call(
                    browser.post(APIPaths.myActivations(tenant.tenant))
                ).decode()
                try tenant.output.one(created, [("Activation link", created.activationUri)])
                let path = APIPaths.myActivation(tenant.tenant, ActivationID(created.id))
                var known = ActivationState.waiting
                while true {
                    let query = [("wait", TryCommands.waitSeconds), ("state", known.rawValue)]
                    let progress: ActivationProgress = try await tenant.client.call(browser.get(path, query)).decode()
                    guard progress.state != known else { continue }
                    known = progress.state
                    switch known {
                    case .waiting: break
                    case .confirming: try tenant.output.one(progress, [("Number", progress.number ?? "")])
                    case .active:
                        return try tenant.output.one(progress, [("Done", "\(person.username) has a phone.")])
                    case .expired:
                        throw AdminFailure(.refused, "the activation expired, or the phone was told another number")
                    }
                }
            }
        }
    }

    struct SignIn: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign-in",
            abstract: "Asks for a sign-in as an application, shows the number, waits, and redeems.",
            discussion: "Needs no administrator's token. Exits with 77 when the request was denied or expired.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name.") var user: String
        @Flag(help: "As a second factor, which reaches phones without phone sign-in too.") var secondFactor = false
        @Option(help: ArgumentHelp("The application's id; with --demo its own.", valueName: "id")) var client: String?
        @Option(help: ArgumentHelp("A file with the application's secret.", valueName: "file"))
        var clientSecretFile: String?

        func run() async throws {
            try await connection.run(asAdministrator: false) { tenant in
                let request = SignInRequest(username: user, factor: secondFactor ? .secondFactor : .passwordless)
                let page = Credentials(authorization: try authorization())
                let begun: SignInReply = try await tenant.client.call(
                    page.post(APIPaths.signIns(tenant.tenant), request)
                ).decode()
                try tenant.output.one(begun, [("Number", begun.number)])
                let (secret, id) = ([(APIHeaders.signInSecret, begun.secret)], ChallengeID(begun.id))
                var status: SignInStatus
                repeat {
                    let query = [("wait", TryCommands.waitSeconds)]
                    status = try await tenant.client.call(
                        page.get(APIPaths.signIn(tenant.tenant, id), query, headers: secret)
                    ).decode()
                } while status.status == .pending
                guard status.status == .approved else {
                    let reason = status.reason.map { ": \($0)" } ?? ""
                    throw AdminFailure(.refused, "the request is \(status.status.rawValue)\(reason)")
                }
                let redeemed: RedeemReply = try await tenant.client.call(
                    page.post(APIPaths.redeem(tenant.tenant, id), headers: secret)
                ).decode()
                try tenant.output.one(
                    redeemed,
                    [
                        ("Signed in", "\(redeemed.user.displayName) (\(redeemed.user.username))"),
                        ("Method", redeemed.method.rawValue), ("amr", redeemed.amr.joined(separator: " ")),
                        ("acr", redeemed.acr), ("Receipt", redeemed.receipt ?? "none"),
                    ])
            }
        }

        private func authorization() throws -> String {
            let demo = try connection.demo.map { try DemoFile.read($0).client }
            guard let id = client ?? demo?.id else { throw AdminFailure(.usage, "--client or --demo is needed") }
            guard let secret = try clientSecretFile.map({ try SecretFile.token($0) }) ?? demo?.secret else {
                throw AdminFailure(.usage, "--client-secret-file or --demo is needed")
            }
            return "Basic " + Data("\(id):\(secret)".utf8).base64EncodedString()
        }
    }
}

/// Who calls, in place of the administrator: an application, or a person's browser.
private struct Credentials {
    var authorization = ""
    var cookie: String?

    func get(_ path: String, _ query: [(String, String?)], headers: [(String, String)] = []) -> GatewayCall {
        signed(.get(path, query), headers)
    }

    func post(_ path: String, _ body: (any Encodable)? = nil, headers: [(String, String)] = []) throws -> GatewayCall {
        signed(try .post(path, body), headers)
    }

    private func signed(_ call: GatewayCall, _ headers: [(String, String)]) -> GatewayCall {
        var call = call
        call.authorization = authorization
        call.headers = headers + (cookie.map { [("Cookie", $0)] } ?? [])
        return call
    }
}

extension TenantAdministration {
    /// A session of this person, opened with a pass that is good for this once.
    fileprivate func browser(of person: UserDocument) async throws -> Credentials {
        let path = APIPaths.temporaryAccessPass(tenant, PersonID(person.id))
        let pass: PassReply = try await client.call(.post(path, PassRequest(usableOnce: true))).decode()
        let opening = try await client.call(
            Credentials().post(
                APIPaths.session(tenant),
                SessionRequest(username: person.username, temporaryAccessPass: pass.temporaryAccessPass)))
        guard let cookie = opening.cookie else { throw AdminFailure(.unexpectedReply, "the gateway set no cookie") }
        return Credentials(cookie: cookie)
    }
}
