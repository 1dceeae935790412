import Testing

@testable import NotifierService

@Suite("Which of a provider's connections takes requests")
struct ConnectionSuccessionTests {
    @Test("one that is left is replaced once, takes no more requests, and is closed with its last")
    func left() {
        var connections = ConnectionSuccession("first")
        let first = connections.begin().number
        #expect(connections.begin().number == first)
        var closed = connections.leave(first) { "second" }
        #expect(closed == nil)
        // Others that learn of the same end.
        closed = connections.leave(first) { "third" }
        #expect(closed == nil)
        let second = connections.begin()
        #expect(second.connection == "second" && second.number != first)
        closed = connections.end(second.number)
        #expect(closed == nil)
        closed = connections.end(first)
        #expect(closed == nil)
        closed = connections.end(first)
        #expect(closed == "first")
    }

    @Test("one that has no requests is closed when it is left")
    func idle() {
        var connections = ConnectionSuccession("first")
        let first = connections.begin().number
        var closed = connections.end(first)
        #expect(closed == nil)
        closed = connections.leave(first) { "second" }
        #expect(closed == "first")
        #expect(connections.begin().connection == "second")
    }

    @Test("no more than four have not ended yet: the last one is used until there are fewer")
    func bounded() {
        var connections = ConnectionSuccession(1)
        for next in 2...9 {
            let number = connections.begin().number
            let closed = connections.leave(number) { next }
            #expect(closed == nil)
        }
        #expect(connections.begin().connection == 5)
        let first = connections.end(1)
        #expect(first == 1)
        let number = connections.begin().number
        let closed = connections.leave(number) { 6 }
        #expect(closed == nil)
        #expect(connections.begin().connection == 6)
    }

    @Test("all that are open are closed together, and none is opened after them")
    func closed() {
        var connections = ConnectionSuccession("first")
        let first = connections.begin().number
        _ = connections.leave(first) { "second" }
        let second = connections.begin().number
        #expect(connections.close().sorted() == ["first", "second"])
        let closed = connections.leave(second) { "third" }
        #expect(closed == nil)
        let last = connections.end(first)
        #expect(last == nil)
        #expect(connections.begin().connection == "second")
    }
}
