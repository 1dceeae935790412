/// The one timer of the process: whatever has to be looked over now and then is told that a second has passed.
struct SecondTicker: Sendable {
    let tick: @Sendable () -> Void

    /// Ticks until cancelled.
    func run() async {
        let clock = ContinuousClock()
        var next = clock.now
        while !Task.isCancelled {
            next += .seconds(1)
            // Time itself is what is waited for here, nothing that happens.
            try? await clock.sleep(until: next)
            tick()
        }
    }
}
