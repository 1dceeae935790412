import Domain
import Storage
import StoragePostgreSQL
import TestSupport
import Testing

/// Verifiers that share a database, each with connections of its own: what may happen once happens once, whoever asks.
@Suite struct PostgreSQLRaceTests {
    private static let processes = 8
    private static let rounds: Int64 = 20

    private let configuration: PostgreSQLConfiguration

    init() throws {
        var configuration = trialConfiguration(try PostgreSQLServer.shared())
        configuration.connections = 1
        self.configuration = configuration
    }

    /// Runs `body` at every process at once, round after round; each round's results go to `check`.
    private func race<Result: Sendable>(
        _ body: @escaping @Sendable (any VerifierRecords, _ process: Int, _ round: Int64) throws -> Result,
        _ check: ([Result]) -> Void
    ) async throws {
        var stores: [PostgreSQLStore<any VerifierRecords>] = []
        for _ in 0..<Self.processes { stores.append(try await PostgreSQLStore.verifier(configuration)) }
        for round in 0..<Self.rounds {
            let results = try await withThrowingTaskGroup(of: Result.self) { group in
                for (process, store) in stores.enumerated() {
                    group.addTask { try await store.write { try body($0, process, round) } }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            check(results)
        }
        for store in stores { await store.close() }
    }

    @Test("of eight verifiers that are given one code at once, one accepts it")
    func codeStep() async throws {
        try await race {
            try $0.advance(DeviceID("phone"), tenant: TenantID("demo"), to: 100 + $2)
        } _: { results in
            #expect(results.filter { $0 }.count == 1)
        }
    }

    @Test("of eight verifiers that are given one signed request at once, one takes it, and the others learn which")
    func proof() async throws {
        try await race { records, process, round in
            let request = RequestID(high: UInt64(round), low: UInt64(process))
            let digest = [UInt8](repeating: UInt8(round), count: 32)
            let taken = try records.take(
                ProofIdentifier(digest: digest, usedBy: request, keptUntil: Timestamp(seconds: 9)))
            return (request: request, takenBy: taken)
        } _: { results in
            let winners = results.filter { $0.takenBy == nil }.map(\.request)
            #expect(winners.count == 1)
            #expect(results.compactMap(\.takenBy).allSatisfy { [$0] == winners })
        }
    }
}
