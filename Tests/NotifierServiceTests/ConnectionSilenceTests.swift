import Testing

@testable import NotifierService

@Suite("The silence of a connection")
struct ConnectionSilenceTests {
    @Test("one that is silent is asked, and ended when it stays so")
    func dead() {
        var silence = ConnectionSilence()
        silence.heard()
        #expect(silence.look(isAwaited: true) == .nothing)
        #expect(silence.look(isAwaited: true) == .ask)
        #expect(silence.look(isAwaited: true) == .end)
    }

    @Test("one that answers is alive, and is asked again when it is silent once more")
    func alive() {
        var silence = ConnectionSilence()
        for _ in 0..<3 {
            #expect(silence.look(isAwaited: true) == .ask)
            silence.heard()
            #expect(silence.look(isAwaited: true) == .nothing)
        }
    }

    @Test("one on which nothing is awaited may be silent, and is asked anew when something is")
    func idle() {
        var silence = ConnectionSilence()
        for _ in 0..<3 { #expect(silence.look(isAwaited: false) == .nothing) }
        #expect(silence.look(isAwaited: true) == .ask)
        #expect(silence.look(isAwaited: false) == .nothing)
        #expect(silence.look(isAwaited: true) == .ask)
        #expect(silence.look(isAwaited: true) == .end)
    }
}
