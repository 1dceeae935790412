/// Removes the people whom a run with `keeping` has left, and the file that says who they are.
package struct PeopleRemoval: Sendable {
    private let target: Target
    private let path: String

    package init(_ target: Target, keptIn path: String) {
        self.target = target
        self.path = path
    }

    /// How many could not be removed; the file stays then. Throws for a file that holds none.
    package func run() async throws -> Int {
        let kept = KeptPeople(path: path, gateway: target.base, tenant: target.tenant)
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
