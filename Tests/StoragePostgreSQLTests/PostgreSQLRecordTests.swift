import Storage
import StorageConformance
import StoragePostgreSQL
import TestSupport
import Testing

@Suite struct PostgreSQLRecordTests {
    let configuration: PostgreSQLConfiguration

    init() throws { configuration = trialConfiguration(try PostgreSQLServer.shared()) }

    private func hold<Records>(
        _ store: PostgreSQLStore<Records>, _ promises: (any Store<Records>) async throws -> Void
    ) async throws {
        try await promises(store)
        await store.close()
    }

    @Test("policy's records keep what they promise")
    func policy() async throws {
        try await hold(try await PostgreSQLStore.policy(configuration), RecordConformance().policy)
    }

    @Test("registration's records keep what they promise")
    func registration() async throws {
        try await hold(try await PostgreSQLStore.registration(configuration), RecordConformance().registration)
    }

    @Test("challenge's records keep what they promise")
    func challenge() async throws {
        try await hold(try await PostgreSQLStore.challenge(configuration), RecordConformance().challenge)
    }

    @Test("the verifier's records keep what they promise")
    func verifier() async throws {
        try await hold(try await PostgreSQLStore.verifier(configuration), RecordConformance().verifier)
    }

    @Test("the notifier's records keep what they promise")
    func notifier() async throws {
        try await hold(try await PostgreSQLStore.notifier(configuration), RecordConformance().notifier)
    }
}
