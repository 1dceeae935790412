import Glibc

/// Hashes and checks passwords and passes with scrypt (RFC 7914), on threads of its own.
///
/// A hash takes tens to hundreds of milliseconds and 128 MiB at the standard cost, so as many run as the machine has cores, a few
/// wait, and the excess is told `busy` at once: a flood of log-ins must not take the machine.
package final class PasswordHasher: Sendable {
    /// What one hash costs: N = 2^log2N, block size r, parallelisation p.
    package struct Cost: Sendable, Hashable {
        package let log2N: Int
        package let r: Int
        package let p: Int

        package init(log2N: Int, r: Int, p: Int) {
            self.log2N = log2N
            self.r = r
            self.p = p
        }

        /// N = 2^17, r = 8, p = 1: the least that OWASP's password storage guidance asks of scrypt.
        package static let standard = Cost(log2N: 17, r: 8, p: 1)
        /// Fast, and safe for nothing.
        package static let forTests = Cost(log2N: 4, r: 8, p: 1)
    }

    /// Hashes that wait for each one that runs.
    private static let waitingPerThread = 4

    package let cost: Cost
    private let lanes: HashingLanes
    private let decoy: PasswordHash

    package convenience init(
        cost: Cost = .standard, concurrent: Int = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    ) {
        self.init(cost: cost, concurrent: concurrent, waitingMax: concurrent * Self.waitingPerThread)
    }

    package init(cost: Cost = .standard, concurrent: Int, waitingMax: Int) {
        self.cost = cost
        lanes = HashingLanes(count: concurrent, waitingMax: waitingMax)
        decoy = PasswordHash(
            cost: cost, salt: [UInt8](repeating: 0, count: PasswordHash.saltBytes),
            hash: [UInt8](repeating: 0, count: PasswordHash.hashBytes))
    }

    /// The hash to store, with its salt and cost. Throws `busy` over capacity.
    package func hash(_ password: [UInt8]) async throws(SecretsError) -> String {
        let (cost, salt) = (cost, randomBytes(PasswordHash.saltBytes))
        let hash = try await lanes.run { () throws(SecretsError) in
            try Scrypt.derive(password, salt: salt, cost: cost, count: PasswordHash.hashBytes)
        }
        return PasswordHash(cost: cost, salt: salt, hash: hash).text
    }

    /// Whether `password` has the hash `stored`. Nil, for nobody of that name, does the same work and is false, so that the time tells
    /// nothing. Throws `busy` over capacity, and `notGenuine` for a stored hash that is none.
    package func verify(_ password: [UInt8], against stored: String?) async throws(SecretsError) -> Bool {
        let reference: PasswordHash
        if let stored {
            guard let parsed = PasswordHash(stored) else { throw .notGenuine }
            reference = parsed
        } else {
            reference = decoy
        }
        let hash = try await lanes.run { () throws(SecretsError) in
            try Scrypt.derive(password, salt: reference.salt, cost: reference.cost, count: PasswordHash.hashBytes)
        }
        let isEqual = constantTimeEquals(hash, reference.hash)
        return isEqual && stored != nil
    }
}
