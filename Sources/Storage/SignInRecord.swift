package import Domain

/// A line of the sign-in log: one request and what became of it.
package struct SignInRecord: Hashable, Sendable {
    package var id: ChallengeID
    package var tenant: TenantID
    package var at: Timestamp
    /// As typed.
    package var username: String
    package var person: PersonID?
    package var purpose: Purpose
    package var status = ChallengeStatus.pending
    package var application = ""
    package var ipAddress = ""
    package var userAgent = ""
    package var client: ClientID?
    package var requestID = ""
    package var isDecoy = false
    package var isSilenced = false
    package var reason: SignInReason?
    package var method: SignInMethod?
    package var device: DeviceID?
    package var deviceName = ""
    package var settledAt: Timestamp?

    package init(
        id: ChallengeID, tenant: TenantID, at: Timestamp, username: String, person: PersonID?, purpose: Purpose
    ) {
        self.id = id
        self.tenant = tenant
        self.at = at
        self.username = username
        self.person = person
        self.purpose = purpose
    }
}

/// Which lines of the log to read.
package struct SignInFilter: Hashable, Sendable {
    /// Where the last page ended: newest first, so the next begins below it.
    package struct Position: Hashable, Sendable {
        package let at: Timestamp
        package let id: ChallengeID
        package init(at: Timestamp, id: ChallengeID) {
            self.at = at
            self.id = id
        }
    }

    package var username: FoldedUsername?
    package var status: ChallengeStatus?
    /// Included.
    package var from: Timestamp?
    /// Not included.
    package var to: Timestamp?
    package var before: Position?

    package init() {}
}

package protocol SignInRecords {
    func insert(_ line: SignInRecord) throws
    func signIn(_ id: ChallengeID) throws -> SignInRecord?
    /// Stores what became of a request: status, reason, method, device and time.
    func update(_ line: SignInRecord) throws
    /// Newest first, at most `limit`.
    func signIns(tenant: TenantID, _ filter: SignInFilter, limit: Int) throws -> [SignInRecord]
    /// Deletes at most `limit` lines older than `time`; returns how many.
    func deleteSignIns(before time: Timestamp, limit: Int) throws -> Int
}
