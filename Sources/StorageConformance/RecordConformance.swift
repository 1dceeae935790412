import Domain
import Storage

/// What every service's records promise, tried method by method on a store that holds nothing yet.
package struct RecordConformance: Sendable {
    let tenant = TenantID("demo")
    let other = TenantID("other")

    package init() {}

    func time(_ seconds: Int64) -> Timestamp { Timestamp(seconds: seconds) }

    func bytes(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }

    /// Runs `body` in a transaction of its own and expects it to fail in this way, and to leave nothing behind.
    func expect<Records>(
        _ error: StorageError, in store: any Store<Records>, _ what: String,
        _ body: @escaping @Sendable (Records) throws -> Void
    ) async throws {
        do {
            try await store.write(body)
        } catch let found as StorageError where found == error {
            return
        }
        throw ConformanceFailure("\(what) is not refused as \(error)")
    }

    func expectEqual<Value: Equatable>(_ found: Value, _ wanted: Value, _ what: String) throws {
        try StorageConformance.expect(found == wanted, "\(what): found \(found), wanted \(wanted)")
    }
}
