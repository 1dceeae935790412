import Domain
import ServiceKit
import SwiftProtobuf
import Synchronization
import Wire

/// Recent changes of devices and people, for those who cache keys or hold event streams.
///
/// In memory: a restart is a new epoch, in which every watcher starts again. At most `capacity` changes are kept; who is further
/// behind is told to forget everything.
final class DeviceFeed: Sendable {
    /// As many as fit into one message by far; a follower that is further behind asks again.
    private static let changesInReplyMax = 1_000

    private struct State {
        var revision: UInt64 = 0
        /// Changes numbered `revision - changes.count + 1` to `revision`.
        var changes: [DeviceChange] = []
    }

    let epoch: UInt64
    private let capacity: Int
    private let state = Mutex(State())
    private let changed = ChangeSignal()
    private let followers = Followers()

    init(capacity: Int, epoch: UInt64 = .random(in: 1...UInt64.max)) {
        self.capacity = capacity
        self.epoch = epoch
    }

    /// The process has begun to serve: changes wait for those who followed the one before it.
    func expectArrivals() { followers.expectArrivals() }

    /// Tells the followers, and returns when they have taken it over: whoever is told of a change finds it true everywhere.
    func publish(_ changes: [DeviceChange]) async {
        guard !changes.isEmpty else { return }
        let revision = append(changes)
        await followers.wait(at: revision, announce: changed.advance)
    }

    /// Tells the followers of what another process has changed, and waits for nobody.
    func pass(_ changes: [DeviceChange]) {
        _ = append(changes)
        changed.advance()
    }

    /// Changes were missed: whoever asks next forgets everything.
    func forget() {
        state.withLock { state in
            state.revision += 1
            state.changes = []
        }
        changed.advance()
    }

    private func append(_ changes: [DeviceChange]) -> UInt64 {
        state.withLock { state in
            state.revision += UInt64(changes.count)
            state.changes.append(contentsOf: changes)
            // Cut in halves, so that the cost of a cut is spread over many changes.
            if state.changes.count > 2 * capacity { state.changes.removeFirst(state.changes.count - capacity) }
            return state.revision
        }
    }

    /// What changed after `revision`, as soon as there is something, or after `limit`.
    func changes(after revision: UInt64, epoch: UInt64, atMost limit: Duration) async -> WatchDevicesReply {
        await followers.following(epoch == self.epoch ? revision : nil) {
            let seen = changed.count
            if let reply = reply(after: revision, epoch: epoch) { return reply }
            if limit > .zero { await changed.wait(past: seen, atMost: limit) }
            return reply(after: revision, epoch: epoch)
                ?? WatchDevicesReply.with {
                    $0.revision = revision
                    $0.epoch = epoch
                }
        }
    }

    /// Nil when there is nothing to tell.
    private func reply(after known: UInt64, epoch: UInt64) -> WatchDevicesReply? {
        state.withLock { state in
            var reply = WatchDevicesReply()
            reply.revision = state.revision
            reply.epoch = self.epoch
            let oldest = state.revision - UInt64(state.changes.count)
            if epoch != self.epoch || known < oldest || known > state.revision {
                reply.resync = true
                return reply
            }
            if known == state.revision { return nil }
            reply.changed = Array(state.changes[Int(known - oldest)...].prefix(Self.changesInReplyMax))
            reply.revision = known + UInt64(reply.changed.count)
            return reply
        }
    }
}
