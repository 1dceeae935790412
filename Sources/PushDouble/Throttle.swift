/// So many requests in each whole second of a clock, and no more. A value: no clock.
struct Throttle: Hashable, Sendable {
    let requestsPerSecond: Int
    private var second: Int64 = .min
    private var count = 0

    init(requestsPerSecond: Int) { self.requestsPerSecond = requestsPerSecond }

    mutating func admits(at time: Int64) -> Bool {
        if time != second { (second, count) = (time, 0) }
        count += 1
        return count <= requestsPerSecond
    }
}
