/// Which of a provider's connections takes requests, and which of the former ones have some under way still. A value: no IO.
///
/// They have numbers, so that one that many requests find at its end is replaced once.
struct ConnectionSuccession<Connection: Sendable>: Sendable {
    private struct Place: Sendable {
        let connection: Connection
        /// Under way.
        var requests = 0
    }

    /// Former ones with requests under way at the same time. Providers take whoever connects again and again for an attacker.
    static var formerMax: Int { 4 }

    private var current: Place
    private var number = 1
    private var former: [Int: Place] = [:]
    private var isClosed = false

    init(_ first: Connection) { current = Place(connection: first) }

    /// A request begins, over the connection with this number.
    mutating func begin() -> (number: Int, connection: Connection) {
        current.requests += 1
        return (number, current.connection)
    }

    /// A request over one of them has ended. Returns the connection if it is to be closed with it, its last.
    mutating func end(_ number: Int) -> Connection? {
        guard number != self.number else {
            current.requests -= 1
            return nil
        }
        guard var place = former[number] else { return nil }
        place.requests -= 1
        former[number] = place.requests > 0 ? place : nil
        return place.requests > 0 ? nil : place.connection
    }

    /// One of them is at its end: `next` takes the requests from now on. Returns the connection if it is to be closed at once, because it has
    /// no requests. Nothing is done when it has been left before, nor while too many have not ended yet.
    mutating func leave(_ number: Int, for next: () -> Connection) -> Connection? {
        guard !isClosed, number == self.number, former.count < Self.formerMax else { return nil }
        let left = current
        current = Place(connection: next())
        self.number += 1
        guard left.requests > 0 else { return left.connection }
        former[number] = left
        return nil
    }

    /// None is left for another any more. Returns all that are open, which are to be closed.
    mutating func close() -> [Connection] {
        isClosed = true
        defer { former = [:] }
        return [current.connection] + former.values.map(\.connection)
    }
}
