import Domain
import Foundation
import Testing

@testable import LoadTest

@Suite("Kept people")
struct KeptPeopleTests {
    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("kept-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func kept(_ share: Share = .whole) -> KeptPeople {
        KeptPeople(
            path: KeptPeople.path(folder + "/people.json", share), gateway: "http://127.0.0.1:8080",
            tenant: TenantID("demo"))
    }

    @Test("people are one run's until it gives them up, each share by itself, and nothing is left behind")
    func lock() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try kept().lock()
        let error = #expect(throws: PeopleInUse.self) { try kept().lock() }
        #expect(error?.description.contains("people.json: another run uses these people") == true)
        let share = try kept(Share(index: 1, count: 2)).lock()
        first.release()
        let second = try kept().lock()
        second.release()
        share.release()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }

    @Test("of many that ask for one file's people again and again, one has them at a time")
    func race() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let holders = Holders()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<200 {
                        guard let lock = try? kept().lock() else { continue }
                        await holders.enter()
                        await holders.leave()
                        lock.release()
                    }
                }
            }
        }
        let (most, times) = await (holders.most, holders.times)
        #expect(most == 1 && times > 0)
    }

    private actor Holders {
        private(set) var most = 0
        private(set) var times = 0
        private var now = 0

        func enter() {
            now += 1
            times += 1
            most = max(most, now)
        }

        func leave() { now -= 1 }
    }

    @Test("a file that cannot be made is named")
    func noFolder() {
        try? FileManager.default.removeItem(atPath: folder)
        let error = #expect(throws: ScenarioError.self) { try kept().lock() }
        #expect(error?.description.contains("people.json.lock cannot be made") == true)
    }
}
