import Authenticator
import Testing

@testable import LoadTest

@Suite("What is lost and taken up again")
struct ReconnectionTests {
    private let start = ContinuousClock.now
    private let lost = AuthenticatorError.transport(.interrupted)

    // MARK: waits

    private func failure(_ isPassing: Bool = true, retryAfter: Duration? = nil) -> CallFailure {
        CallFailure(kind: "wait: 502", retryAfter: retryAfter, isPassing: isPassing)
    }

    @Test("a wait that is lost is repeated after growing pauses, and no sooner than the gateway asks")
    func pauses() {
        var repeats = WaitRepeats(until: start + .seconds(300))
        let pauses = (0..<6).map { _ in repeats.next(after: failure(), at: start) }
        #expect(pauses == [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(8)])
        #expect(repeats.next(after: failure(retryAfter: .seconds(20)), at: start) == .seconds(20))
    }

    @Test("a wait is repeated until its request expires, and not at all where the gateway refuses it")
    func bounds() {
        var repeats = WaitRepeats(until: start + .seconds(10))
        #expect(repeats.next(after: failure(false), at: start) == nil)
        #expect(repeats.next(after: failure(retryAfter: .seconds(10)), at: start) == nil)
        #expect(repeats.next(after: failure(), at: start + .seconds(9)) == .milliseconds(500))
        #expect(repeats.next(after: failure(), at: start + .seconds(10)) == nil)
    }

    // MARK: event streams

    /// What a report is, in words.
    private func words(_ report: PhoneReport?) -> String? {
        switch report {
        case .reconnected(let kind): "again: \(kind)"
        case .failed(let kind): "failed: \(kind)"
        case .connected, .mismatched, nil: nil
        }
    }

    private let kind = "event stream: the connection was lost"

    @Test("a stream that is open again within the time is a reconnection, once, however often it was tried")
    func again() {
        var watch = StreamWatch()
        #expect(words(watch.connected(at: start)) == nil)
        #expect(words(watch.disconnected(lost, at: start)) == nil)
        #expect(words(watch.disconnected(.unavailable(retryAfter: nil), at: start + .seconds(1))) == nil)
        #expect(words(watch.connected(at: start + .seconds(2))) == "again: \(kind)")
        #expect(words(watch.connected(at: start + .seconds(3))) == nil)
        #expect(words(watch.ended()) == nil)
    }

    @Test("a stream that is away for longer is a failure, once, and so is the next such loss")
    func away() {
        var watch = StreamWatch()
        #expect(words(watch.disconnected(lost, at: start)) == nil)
        #expect(words(watch.disconnected(lost, at: start + .seconds(31))) == "failed: \(kind)")
        #expect(words(watch.disconnected(lost, at: start + .seconds(60))) == nil)
        #expect(words(watch.connected(at: start + .seconds(61))) == nil)
        #expect(words(watch.disconnected(lost, at: start + .seconds(70))) == nil)
        #expect(words(watch.connected(at: start + .seconds(101))) == "failed: \(kind)")
    }

    @Test("at the end a stream that could not be opened again is a failure; one that was lost just then is none")
    func end() {
        var watch = StreamWatch()
        #expect(words(watch.disconnected(lost, at: start)) == nil)
        #expect(words(watch.ended()) == nil)
        #expect(words(watch.disconnected(lost, at: start + .seconds(1))) == nil)
        #expect(words(watch.ended()) == "failed: \(kind)")
    }
}
