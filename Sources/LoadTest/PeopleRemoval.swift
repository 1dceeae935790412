import Foundation

/// Removes the people whom a run with `keeping` has left, and the file that says who they are.
package struct PeopleRemoval: Sendable {
    private let target: Target
    private let path: String

    package init(_ target: Target, keptIn path: String) {
        self.target = target
        self.path = path
    }

    /// The files that there are of runs that kept their people under this name: of one process, and of several.
    package static func files(named name: String) -> [String] {
        let parts = (0..<Share.countMax).map { Share(index: $0, count: Share.countMax) }
        return ([.whole] + parts).map { KeptPeople.path(name, $0) }.filter(FileManager.default.fileExists)
    }

    /// How many could not be removed; the file stays then. Throws for a file that holds none, and `PeopleInUse`.
    package func run() async throws -> Int {
        let kept = KeptPeople(path: path, gateway: target.base, tenant: target.tenant)
        let lock = try kept.lock()
        defer { lock.release() }
        let people = try kept.read()
        let left = try await Connection.open(to: target, connectionsMax: Population.atOnce) { connection in
            let population = Population(connection, target, kept: nil, woken: nil)
            population.adopt(people)
            return await population.removeAll()
        }
        if left == 0 { kept.remove() }
        return left
    }
}
