import Storage
import StorageConformance
import StorageSQLite
import TestSupport
import Testing

@Suite struct SQLiteRecordTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var path: String { folder.file("records.sqlite") }

    private func hold<Records>(
        _ store: SQLiteStore<Records>, _ promises: (any Store<Records>) async throws -> Void
    ) async throws {
        try await promises(store)
        await store.close()
    }

    @Test("policy's records keep what they promise")
    func policy() async throws {
        try await hold(try SQLiteStore.policy(path: path), RecordConformance().policy)
    }

    @Test("registration's records keep what they promise")
    func registration() async throws {
        try await hold(try SQLiteStore.registration(path: path), RecordConformance().registration)
    }

    @Test("challenge's records keep what they promise")
    func challenge() async throws {
        try await hold(try SQLiteStore.challenge(path: path), RecordConformance().challenge)
    }

    @Test("the verifier's records keep what they promise")
    func verifier() async throws {
        try await hold(try SQLiteStore.verifier(path: path), RecordConformance().verifier)
    }

    @Test("the notifier's records keep what they promise")
    func notifier() async throws {
        try await hold(try SQLiteStore.notifier(path: path), RecordConformance().notifier)
    }
}
