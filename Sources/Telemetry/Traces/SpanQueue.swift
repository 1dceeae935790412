import Synchronization

/// Ended spans on their way to the collector: bounded, and never in the way of who ends one. What finds no room is dropped and counted.
package final class SpanQueue: Sendable {
    /// Spans of one message to the collector.
    static let batchMax = 512

    private struct State {
        var records: [RecordedSpan.Record] = []
        var dropped = 0
    }

    private let state = Mutex(State())
    private let spansMax: Int
    private let onBatch: @Sendable () -> Void

    /// `onBatch` is called, from any thread, when there are enough spans for a message.
    package init(spansMax: Int, onBatch: @escaping @Sendable () -> Void = {}) {
        self.spansMax = spansMax
        self.onBatch = onBatch
    }

    package var count: Int { state.withLock(\.records.count) }
    /// How many found no room since the start.
    package var dropped: Int { state.withLock(\.dropped) }

    func append(_ record: RecordedSpan.Record) {
        let count = state.withLock { state in
            guard state.records.count < spansMax else {
                state.dropped += 1
                return 0
            }
            state.records.append(record)
            return state.records.count
        }
        if count == min(Self.batchMax, spansMax) { onBatch() }
    }

    /// The oldest spans as a message, and how many they are; nil when there are none.
    package func take(from process: OTLPResource) throws -> (message: [UInt8], spans: Int)? {
        let records = state.withLock { state in
            let batch = Array(state.records.prefix(Self.batchMax))
            state.records.removeFirst(batch.count)
            return batch
        }
        return records.isEmpty ? nil : (try OTLPMessage(process, records).json(), records.count)
    }
}
