import Synchronization

/// Who watches a run. Calls come from several tasks.
package protocol RunObserver: Sendable {
    /// So many of the people are ready.
    func made(_ count: Int, of total: Int)
    func began(_ phase: Phase)
    /// A second has passed. `interval` is what was timed in it.
    func passed(_ slice: Slice, of phase: Phase, _ interval: [Latency: Histogram], failures: [String: Int])
    /// Timed after the phase's last whole second, `second` seconds after its start.
    func ended(_ phase: Phase, at second: Double, _ interval: [Latency: Histogram])
    /// So many of the people could not be removed.
    func removed(left: Int)
}

/// One phase while it lasts: sign-ins fall due, and each second is told.
struct PhaseRun: Sendable {
    private static let sliceSeconds = 1.0

    let tally: Tally
    let dispatcher: Dispatcher
    let meter: RequestMeter
    let share: Share
    private let clock = ContinuousClock()

    init(tally: Tally, dispatcher: Dispatcher, meter: RequestMeter, share: Share) {
        self.tally = tally
        self.dispatcher = dispatcher
        self.meter = meter
        self.share = share
    }

    func run(_ observer: any RunObserver) async {
        observer.began(tally.phase)
        let started = clock.now
        let requests = meter.total
        dispatcher.enter(tally.phase, tally)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await tell(observer, from: started) }
            if case .rate(let from, let to) = tally.phase.load {
                let seconds = tally.phase.duration.inSeconds
                await offer(ArrivalSchedule(from: from, to: to, duration: seconds), from: started)
            }
            // Ends early when the run is canceled.
            try? await clock.sleep(until: started + tally.phase.duration, tolerance: .zero)
            tally.end(after: (clock.now - started).inSeconds, requests: meter.total - requests)
            group.cancelAll()
        }
    }

    /// Everything that is due is offered at its time, or as soon after it as this process is given a processor: latencies count from
    /// the time that the schedule says.
    private func offer(_ schedule: ArrivalSchedule, from started: ContinuousClock.Instant) async {
        for index in share.indices(of: schedule.count) {
            let due = started + .seconds(schedule.time(of: index))
            if due > clock.now {
                do { try await clock.sleep(until: due, tolerance: .zero) } catch { return }
            }
            dispatcher.offer(Arrival(intended: due, tally: tally))
        }
    }

    private func tell(_ observer: any RunObserver, from started: ContinuousClock.Instant) async {
        var second = Self.sliceSeconds
        while (try? await clock.sleep(until: started + .seconds(second), tolerance: .zero)) != nil {
            let (slice, interval) = tally.slice(at: second)
            observer.passed(slice, of: tally.phase, interval, failures: tally.failures)
            second += Self.sliceSeconds
        }
    }
}

/// The phase that runs now: what phones have to tell counts there.
final class CurrentTally: Sendable {
    private let tally: Mutex<Tally>

    init(_ tally: Tally) { self.tally = Mutex(tally) }

    func set(_ tally: Tally) { self.tally.withLock { $0 = tally } }

    func count(_ report: PhoneReport) {
        let tally = tally.withLock { $0 }
        switch report {
        case .connected: break
        case .reconnected(let what): tally.reconnected(what)
        case .failed(let what): tally.troubled(what)
        case .mismatched(let what): tally.mismatched(what)
        }
    }
}
