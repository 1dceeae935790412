import Testing

@testable import LoadTest

@Suite("Desk", .timeLimit(.minutes(1)))
struct SignInDeskTests {
    @Test("who asks about a request of somebody else's is let go when the desk is closed, and so is who asks later")
    func closed() async {
        let desk = SignInDesk()
        async let waiting = desk.instruction(for: "another's")
        desk.close()
        let (first, later) = (await waiting, await desk.instruction(for: "another's"))
        #expect(first == nil)
        #expect(later == nil)
    }
}
