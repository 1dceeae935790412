import Dispatch
import Storage
import TestSupport
import Testing

@testable import StoragePostgreSQL

/// What processes that share a schema tell each other.
@Suite struct PostgreSQLAnnouncementTests {
    private let server: PostgreSQLServer

    init() throws { server = try PostgreSQLServer.shared() }

    /// Passes over what a listener is told at its start.
    private func begin(_ announcements: inout AsyncStream<StoreAnnouncement>.Iterator) async {
        #expect(await announcements.next() == .missed)
    }

    @Test("a word is heard by the others, in order, and not by who said it; other schemas hear nothing")
    func told() async throws {
        let configuration = trialConfiguration(server)
        let (one, two) = (try await trialStore(configuration), try await trialStore(configuration))
        let stranger = try await trialStore(trialConfiguration(server))
        var (first, second, third) = (
            try #require(one.announcements).makeAsyncIterator(), try #require(two.announcements).makeAsyncIterator(),
            try #require(stranger.announcements).makeAsyncIterator()
        )
        await begin(&first)
        await begin(&second)
        await begin(&third)
        stranger.announce("elsewhere")
        let words = (1...50).map { "word \($0) δ" }
        for word in words { one.announce(word) }
        two.announce("mine")
        for word in words { #expect(await second.next() == .told(word)) }
        #expect(await first.next() == .told("mine"))
        for store in [one, two, stranger] { await store.close() }
        // Closing ends the announcements; nothing else was heard.
        #expect(await first.next() == nil)
        #expect(await second.next() == nil)
        #expect(await third.next() == nil)
    }

    @Test("words that could not be said are made good: the others are told that they missed something")
    func lost() async throws {
        let configuration = trialConfiguration(server)
        let (one, two) = (try await trialStore(configuration), try await trialStore(configuration))
        var announcements = try #require(two.announcements).makeAsyncIterator()
        await begin(&announcements)
        // The server takes no payload of 8,000 bytes or more (PostgreSQL documentation, NOTIFY), so the whole batch is lost.
        one.announce(String(repeating: "x", count: 8_000))
        #expect(await announcements.next() == .missed)
        one.announce("after")
        #expect(await announcements.next() == .told("after"))
        for store in [one, two] { await store.close() }
    }

    @Test("when more words wait than may, the others are told that they missed something")
    func tooMany() async throws {
        let configuration = trialConfiguration(server)
        let (one, two) = (try await trialStore(configuration), try await trialStore(configuration))
        var announcements = try #require(two.announcements).makeAsyncIterator()
        await begin(&announcements)
        // Nothing is said while every session has a body.
        let (sessions, held) = (configuration.connections, DispatchSemaphore(value: 0))
        let (begun, beginning) = AsyncStream<Void>.makeStream()
        try await withThrowingDiscardingTaskGroup { group in
            for _ in 0..<sessions {
                group.addTask {
                    try await one.read { _ in
                        beginning.yield()
                        held.wait()
                    }
                }
            }
            var busy = begun.makeAsyncIterator()
            for _ in 0..<sessions { await busy.next() }
            for number in 0...Announcer.waitingMax { one.announce("\(number)") }
            for _ in 0..<sessions { held.signal() }
        }
        #expect(await announcements.next() == .missed)
        #expect(await announcements.next() == .told("1"))
        for store in [one, two] { await store.close() }
    }

    @Test("a listener whose connection is cut learns that it may have missed something, and hears again")
    func cut() async throws {
        let configuration = trialConfiguration(server)
        let (one, two) = (try await trialStore(configuration), try await trialStore(configuration))
        var announcements = try #require(two.announcements).makeAsyncIterator()
        await begin(&announcements)
        one.announce("before")
        #expect(await announcements.next() == .told("before"))
        try administer(
            server,
            """
            SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
            WHERE query = 'LISTEN "countersign_\(configuration.schema)"'
            """)
        #expect(await announcements.next() == .missed)
        one.announce("after")
        #expect(await announcements.next() == .told("after"))
        for store in [one, two] { await store.close() }
    }
}
