import Authenticator
import DeviceAPI
import Domain
import Foundation
import NIOHTTP1
import Proofs
import Synchronization

/// Makes people with phones through the public API alone, and removes them again, those too that were not finished.
final class Population: Sendable {
    /// How many are made or removed at the same time: passes are hashed slowly on purpose, and who asks for more gets 503.
    static let atOnce = 2
    /// How often one call is tried that the gateway asks to repeat later.
    private static let attemptsMax = 60

    /// A call that makes somebody. Repeated, it finds whom it made the first time.
    private struct Creation: Hashable {
        let username: String
        let idempotencyKey = UUID().uuidString
    }

    private let api: PublicAPI
    private let tenant: TenantID
    private let administrator: [(String, String)]
    private let transport: any Transport
    private let kept: KeptPeople?
    /// How phones without an event stream hear of requests; nil where each holds one.
    private let woken: Woken?
    private let created = Mutex<[PersonID]>([])
    private let asked = Mutex<Set<Creation>>([])

    init(_ connection: Connection, _ target: Target, kept: KeptPeople?, woken: Woken?) {
        api = connection.api
        tenant = target.tenant
        administrator = [("Authorization", "Bearer " + target.token)]
        transport = connection.transport
        self.kept = kept
        self.woken = woken
    }

    /// What one person may do, as the tenant is set.
    func limits() async throws -> PersonLimits {
        struct Settings: Decodable {
            let requestBudget: Int
            let offlineCodePeriodSeconds: Int
        }
        let settings = try await call("settings", .GET, APIPaths.settings(tenant)).decoded(
            Settings.self, expecting: 200)
        return PersonLimits(missesMax: settings.requestBudget, codeSeconds: settings.offlineCodePeriodSeconds)
    }

    /// Those who were kept, and as many more as are missing, who are kept then too.
    func members(_ count: Int, _ progress: @escaping @Sendable (Int) -> Void) async throws -> [Member] {
        guard let kept else { return try await make(count, progress) }
        let people = try kept.read()
        let known = try people.prefix(count).map { person in
            guard let member = Member(person, transport: transport) else {
                throw ScenarioError("\(kept.path): the key of \(person.account.username) is none")
            }
            return member
        }
        guard known.count < count else {
            progress(count)
            return known
        }
        let made = try await make(count - known.count) { progress(known.count + $0) }
        try kept.write(people + made.map(\.kept))
        created.withLock { $0 = [] }
        return known + made
    }

    /// Those are to be removed too.
    func adopt(_ people: [KeptPeople.Person]) { created.withLock { $0 += people.map { PersonID($0.id) } } }

    private func make(_ count: Int, _ progress: @escaping @Sendable (Int) -> Void) async throws -> [Member] {
        let run = String(UInt32.random(in: .min ... .max), radix: 36)
        return try await withThrowingTaskGroup(of: Member.self) { group in
            var members: [Member] = []
            for index in 0..<count {
                if index >= Self.atOnce, let member = try await group.next() {
                    members.append(member)
                    progress(members.count)
                }
                group.addTask { try await self.make("load-\(run)-\(index)") }
            }
            for try await member in group {
                members.append(member)
                progress(members.count)
            }
            return members
        }
    }

    /// Removes everybody who was made, until a call finds no gateway any more. Returns how many are left.
    func removeAll() async -> Int {
        // Whether they were made was not told any more.
        for creation in asked.withLock({ $0 }) { _ = try? await create(creation) }
        let unknown = asked.withLock { $0.count }
        let people = created.withLock { people in
            defer { people = [] }
            return people
        }
        return await withTaskGroup(of: PublicAPI.Reply?.self) { group in
            var (left, unanswered) = (people.count + unknown, 0)
            func count(_ reply: PublicAPI.Reply?) {
                // A connection may have been reset; where the gateway is gone, nobody who is asked for now gets an answer.
                unanswered = reply == nil ? unanswered + 1 : 0
                if [204, 404].contains(reply?.status) { left -= 1 }
            }
            for (index, person) in people.enumerated() {
                if index >= Self.atOnce, let reply = await group.next() { count(reply) }
                if unanswered == Self.atOnce { break }
                group.addTask { try? await self.call("remove", .DELETE, APIPaths.user(self.tenant, person)) }
            }
            for await reply in group { count(reply) }
            return left
        }
    }

    // MARK: one person

    /// Made by the administrator, signed in by a Temporary Access Pass, phone activated and set up.
    private func make(_ username: String) async throws -> Member {
        let person = try await create(Creation(username: username))
        let browser = try await session(username, person)
        let activation = try await call("activation", .POST, APIPaths.myActivations(tenant), browser).decoded(
            ActivationCreated.self, expecting: 201)

        let key = SoftwareKey()
        let vault = MemoryVault(key: key, accounts: [])
        let authenticator = Authenticator(keys: vault, accounts: vault, transport: transport)
        let link = try ActivationLink(activation.activationUri)
        let profile = DeviceProfile(name: "load test", platform: .cli, osVersion: "1", appVersion: "1")
        let reception = try await woken?.register()
        let account = try await repeated {
            try await authenticator.activate(link, as: profile, push: reception?.address)
        }
        let progress = try await call(
            "activation", .GET, APIPaths.myActivation(tenant, ActivationID(activation.id)) + "?wait=10", browser
        ).decoded(ActivationProgress.self, expecting: 200)
        guard let number = progress.number else {
            throw CallFailure(kind: "activation: no number within 10 s, it is \(progress.state.rawValue)")
        }
        try await approveOnly(authenticator, account.id, number)
        let setup = try await repeated {
            try await authenticator.setUpPhoneSignIn(account.id, with: .activationSession)
        }
        try await approveOnly(authenticator, account.id, setup.number)
        return Member(
            // As it is now: confirmed and set up.
            id: person, account: await vault.accounts().first { $0.id == account.id } ?? account, key: key,
            phone: SimulatedPhone(
                authenticator: authenticator, account: account.id, desk: SignInDesk(), reception: reception),
            isKept: false)
    }

    private func create(_ creation: Creation) async throws -> PersonID {
        asked.withLock { _ = $0.insert(creation) }
        let reply = try await call(
            "user", .POST, APIPaths.users(tenant), body: UserCreation(username: creation.username),
            once: creation.idempotencyKey)
        let isRefused = 400..<500 ~= reply.status
        if isRefused { asked.withLock { _ = $0.remove(creation) } }
        let person = PersonID(try reply.decoded(UserDocument.self, expecting: 201).id)
        created.withLock { $0.append(person) }
        asked.withLock { _ = $0.remove(creation) }
        return person
    }

    /// The cookie of a session.
    private func session(_ username: String, _ person: PersonID) async throws -> [(String, String)] {
        let pass = try await call(
            "pass", .POST, APIPaths.temporaryAccessPass(tenant, person), body: PassRequest()
        ).decoded(PassReply.self, expecting: 201)
        let reply = try await call(
            "session", .POST, APIPaths.session(tenant), [],
            body: SessionRequest(username: username, temporaryAccessPass: pass.temporaryAccessPass))
        try reply.expect(200)
        guard let cookie = reply.headers.first(name: "Set-Cookie")?.split(separator: ";").first else {
            throw CallFailure(kind: "session: no cookie")
        }
        return [("Cookie", String(cookie))]
    }

    private func approveOnly(_ authenticator: Authenticator, _ account: Account.ID, _ number: String) async throws {
        let pending = try await repeated { try await authenticator.pending(account) }
        guard let challenge = pending.first else { throw CallFailure(kind: "activation: no request on the phone") }
        let outcome = try await repeated {
            try await authenticator.answer(challenge.shown { _ in }, with: .approve(number: number))
        }
        guard outcome == .approved else { throw CallFailure(kind: "activation: \(outcome)") }
    }

    // MARK: what is asked to come back later

    /// As the administrator, unless other headers are given.
    private func call(
        _ step: String, _ method: HTTPMethod, _ path: String, _ headers: [(String, String)]? = nil,
        body: (any Encodable & Sendable)? = nil, once key: String = UUID().uuidString
    ) async throws -> PublicAPI.Reply {
        // A repeat of what was done, but not told in time, gets the first reply.
        let once = method == .POST ? [(APIHeaders.idempotencyKey, key)] : []
        let headers = (headers ?? administrator) + once
        for _ in 1..<Self.attemptsMax {
            let reply = try await api.send(step, method, path, headers: headers, body: body)
            guard reply.status == 503 || reply.status == 429 else { return reply }
            let wait = reply.headers.first(name: "Retry-After").flatMap { Int64($0) } ?? 1
            try await Task.sleep(for: .seconds(min(wait, 10)))
        }
        return try await api.send(step, method, path, headers: headers, body: body)
    }

    private func repeated<Value: Sendable>(_ call: () async throws -> Value) async throws -> Value {
        for _ in 1..<Self.attemptsMax {
            do {
                return try await call()
            } catch AuthenticatorError.unavailable(let wait) {
                try await Task.sleep(for: min(wait ?? .seconds(1), .seconds(10)))
            }
        }
        return try await call()
    }
}
