import Authenticator
import Domain
import Foundation
import Secrets

/// People who stay after a run, so that the next one need not make them: each with their phone's key, in one private file.
struct KeptPeople: Sendable {
    /// One of them. Whoever has this can sign in as them.
    struct Person: Sendable, Codable {
        let id: String
        let account: Account
        let privateKey: Data
    }

    private struct Document: Codable {
        var version = 1
        var gateway: String
        var tenant: String
        var people: [Person]
    }

    /// Some 700 bytes a person.
    private static let bytesMax = Phase.peopleMax * 2048

    /// Each of several processes has a file of its own.
    static func path(_ name: String, _ share: Share) -> String {
        share.count == 1 ? name : "\(name).\(share.index)"
    }

    let path: String
    /// Without a slash at the end.
    let gateway: String
    let tenant: TenantID

    /// Those of earlier runs; nobody where there is no file. Throws for a file that others can read, that is none, or whose people are
    /// another gateway's or tenant's.
    func read() throws(ScenarioError) -> [Person] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let bytes: [UInt8]
        do { bytes = try PrivateFile.read(path, bytesMax: Self.bytesMax) } catch {
            throw ScenarioError(error.description)
        }
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)), document.version == 1 else {
            throw ScenarioError("\(path) holds no people of countersign-loadtest")
        }
        guard document.gateway == gateway, document.tenant == tenant.rawValue else {
            throw ScenarioError("\(path) has people of \(document.tenant) at \(document.gateway)")
        }
        return document.people
    }

    /// Nobody else's while it is held. Throws `PeopleInUse`.
    func lock() throws -> KeptPeopleLock { try KeptPeopleLock(of: path) }

    /// In place of what was there, wholly or not at all.
    func write(_ people: [Person]) throws(ScenarioError) {
        let document = Document(gateway: gateway, tenant: tenant.rawValue, people: people)
        let part = path + ".part"
        do {
            unlink(part)
            try PrivateFile.make(part, Array(try JSONEncoder().encode(document)))
        } catch {
            throw ScenarioError((error as? PrivateFile.Fault)?.description ?? "\(path) cannot be written")
        }
        guard rename(part, path) == 0 else { throw ScenarioError("\(path) cannot be written") }
    }

    func remove() { unlink(path) }
}

extension Member {
    /// A person of an earlier run. Nil where the key is none.
    init?(_ kept: KeptPeople.Person, transport: any Transport) {
        guard let key = SoftwareKey(privateKey: kept.privateKey) else { return nil }
        let vault = MemoryVault(key: key, accounts: [kept.account])
        let authenticator = Authenticator(keys: vault, accounts: vault, transport: transport)
        self.init(
            id: PersonID(kept.id), account: kept.account, key: key,
            phone: SimulatedPhone(
                authenticator: authenticator, account: kept.account.id, desk: SignInDesk(), reception: nil),
            isKept: true)
    }

    var kept: KeptPeople.Person { KeptPeople.Person(id: id.rawValue, account: account, privateKey: key.privateKey) }
}
