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

/// What a request's line says now. What is nil stays as it is.
package struct SignInChange: Hashable, Sendable {
    package var status: ChallengeStatus?
    package let reason: SignInReason?
    /// Whether the reason, which may be none, takes the place of the line's.
    package let setsReason: Bool
    package var method: SignInMethod?
    package var device: DeviceID?
    package var deviceName: String?
    package var settledAt: Timestamp?
    /// Whether a line that says how its request ended stays as it is.
    package var isOfPendingOnly = false

    package init(reason: SignInReason?, setsReason: Bool = true) {
        self.reason = reason
        self.setsReason = setsReason
    }

    /// With a place for each of the fields above, for `setsReason` before the reason's, and for the line's id.
    package static let sql = """
        UPDATE sign_in SET status = coalesce(?, status), reason = CASE WHEN ? THEN ? ELSE reason END,
            method = coalesce(?, method), device = coalesce(?, device), device_name = coalesce(?, device_name),
            settled_at = coalesce(?, settled_at)
        WHERE (status = 'pending' OR NOT ?) AND id = ?
        """
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
    package var reason: SignInReason?
    /// Included.
    package var from: Timestamp?
    /// Not included.
    package var to: Timestamp?
    package var before: Position?

    package init() {}
}

/// Requests of one step that ended alike.
package struct SignInGroup: Hashable, Sendable {
    /// Its place in the range.
    package let step: Int
    package let status: ChallengeStatus
    package let isDecoy: Bool
    /// From the request to the person's answer, in tenths of a second. Nil: nobody answered.
    package let answerTenths: Int?
    package let count: Int
    package let earliest: Timestamp

    package init(
        step: Int, status: ChallengeStatus, isDecoy: Bool, answerTenths: Int?, count: Int, earliest: Timestamp
    ) {
        self.step = step
        self.status = status
        self.isDecoy = isDecoy
        self.answerTenths = answerTenths
        self.count = count
        self.earliest = earliest
    }
}

package protocol SignInRecords {
    func insert(_ line: SignInRecord) throws
    func signIn(_ id: ChallengeID) throws -> SignInRecord?
    /// Stores what became of a request; nothing where its line is not kept any more.
    func update(signIn id: ChallengeID, _ change: SignInChange) throws
    /// Newest first, at most `limit`.
    func signIns(tenant: TenantID, _ filter: SignInFilter, limit: Int) throws -> [SignInRecord]
    /// The sign-ins and second factors of a range, counted by step and outcome: the newest `linesMax` of them.
    func signInGroups(tenant: TenantID, in range: SignInRange, linesMax: Int) throws -> [SignInGroup]
    /// Deletes at most `limit` lines older than `time`; returns how many.
    func deleteSignIns(before time: Timestamp, limit: Int) throws -> Int
}
