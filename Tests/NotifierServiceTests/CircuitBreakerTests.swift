import Domain
import Testing

@testable import NotifierService

@Suite("The circuit breaker of a provider")
struct CircuitBreakerTests {
    private static let start = Timestamp(seconds: 1_750_000_000)

    private static func opened() -> CircuitBreaker {
        var breaker = CircuitBreaker()
        for _ in 0..<5 { breaker.failed(now: start) }
        return breaker
    }

    @Test("failures that are not one after another change nothing")
    func scattered() {
        var breaker = CircuitBreaker()
        for _ in 0..<10 {
            for _ in 0..<4 { breaker.failed(now: Self.start) }
            breaker.succeeded()
        }
        #expect(breaker.admit(now: Self.start) == .ask)
    }

    @Test("the fifth failure one after another ends the asking for a second")
    func opens() {
        var breaker = Self.opened()
        #expect(breaker.admit(now: Self.start) == .wait(.seconds(1)))
        #expect(breaker.admit(now: Self.start + .milliseconds(900)) == .wait(.milliseconds(100)))
    }

    @Test("after the pause one asks, and the others wait for what it hears")
    func probes() {
        var breaker = Self.opened()
        let later = Self.start + .seconds(1)
        #expect(breaker.admit(now: later) == .ask)
        #expect(breaker.admit(now: later) == .wait(.seconds(1)))
        breaker.succeeded()
        #expect(breaker.admit(now: later) == .ask)
        #expect(breaker.isClosed)
    }

    @Test("one that hears nothing is followed by another")
    func silentProbe() {
        var breaker = Self.opened()
        #expect(breaker.admit(now: Self.start + .seconds(1)) == .ask)
        #expect(breaker.admit(now: Self.start + .seconds(2)) == .ask)
    }

    @Test("pauses double, up to half a minute, and begin anew after a success")
    func doubles() {
        var breaker = Self.opened()
        var time = Self.start
        var pauses: [Duration] = []
        for _ in 0..<7 {
            guard case .wait(let pause) = breaker.admit(now: time) else { continue }
            pauses.append(pause)
            time = time + pause
            #expect(breaker.admit(now: time) == .ask)
            breaker.failed(now: time)
        }
        #expect(pauses == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        breaker.succeeded()
        for _ in 0..<5 { breaker.failed(now: time) }
        #expect(breaker.admit(now: time) == .wait(.seconds(1)))
    }

    @Test("a provider that asks to be left alone is, after its first word, and then one asks first")
    func heldBack() {
        var breaker = CircuitBreaker()
        breaker.heldBack(now: Self.start, for: .seconds(40))
        breaker.heldBack(now: Self.start + .seconds(1), for: .seconds(5))
        #expect(breaker.admit(now: Self.start + .seconds(39)) == .wait(.seconds(1)))
        let later = Self.start + .seconds(40)
        #expect(breaker.admit(now: later) == .ask)
        #expect(breaker.admit(now: later) == .wait(.seconds(1)))
        breaker.heldBack(now: later, for: .seconds(20))
        #expect(breaker.admit(now: later) == .wait(.seconds(20)))
        breaker.succeeded()
        // No time at all is a failure like any other.
        for _ in 0..<4 { breaker.heldBack(now: later, for: .zero) }
        #expect(breaker.admit(now: later) == .ask)
    }

    @Test("a provider that asks for a longer pause gets it, even from an answer that comes late")
    func wanted() {
        var breaker = CircuitBreaker()
        for _ in 0..<5 { breaker.failed(now: Self.start, wanted: .seconds(90)) }
        #expect(breaker.admit(now: Self.start) == .wait(.seconds(90)))
        breaker.failed(now: Self.start + .seconds(10), wanted: .seconds(5))
        #expect(breaker.admit(now: Self.start) == .wait(.seconds(90)))
        breaker.failed(now: Self.start + .seconds(10), wanted: .seconds(100))
        #expect(breaker.admit(now: Self.start) == .wait(.seconds(110)))
    }
}
