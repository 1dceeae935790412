package import Domain

// Section 5: the logs, and the page that every list comes in.

/// One page of a list; `next` is the cursor of the one after it.
package struct Page<Item: APIReply>: APIReply {
    package var items: [Item]
    @Nullable package var next: String?

    package enum CodingKeys: String, CodingKey, CaseIterable { case items, next }

    package init(items: [Item], next: String? = nil) {
        self.items = items
        self.next = next
    }
}

/// One request in the sign-in log.
package struct SignInLogEntry: APIReply {
    package var id: String
    package var at: Timestamp
    package var username: String
    @Nullable package var userId: String?
    @Nullable package var factor: String?
    package var purpose: Purpose
    @Nullable package var application: String?
    package var status: ChallengeStatus
    /// The exact one.
    @Nullable package var reason: String?
    @Nullable package var method: SignInMethod?
    @Nullable package var deviceId: String?
    @Nullable package var deviceName: String?
    @Nullable package var ipAddress: String?
    @Nullable package var userAgent: String?
    @Nullable package var settledAt: Timestamp?
    /// From the request to its settlement.
    @Nullable package var latencyMilliseconds: Int?
    @Nullable package var clientId: String?
    @Nullable package var requestId: String?
    package var decoy: Bool
    package var silenced: Bool

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case id, at, username, userId, factor, purpose, application, status, reason, method, deviceId, deviceName,
            ipAddress, userAgent, settledAt, latencyMilliseconds, clientId, requestId, decoy, silenced
    }

    package init(
        id: String, at: Timestamp, username: String, userId: String? = nil, factor: String? = nil, purpose: Purpose,
        application: String? = nil, status: ChallengeStatus, reason: String? = nil, method: SignInMethod? = nil,
        deviceId: String? = nil, deviceName: String? = nil, ipAddress: String? = nil, userAgent: String? = nil,
        settledAt: Timestamp? = nil, latencyMilliseconds: Int? = nil, clientId: String? = nil,
        requestId: String? = nil, decoy: Bool, silenced: Bool
    ) {
        self.id = id
        self.at = at
        self.username = username
        self.userId = userId
        self.factor = factor
        self.purpose = purpose
        self.application = application
        self.status = status
        self.reason = reason
        self.method = method
        self.deviceId = deviceId
        self.deviceName = deviceName
        self.ipAddress = ipAddress
        self.userAgent = userAgent
        self.settledAt = settledAt
        self.latencyMilliseconds = latencyMilliseconds
        self.clientId = clientId
        self.requestId = requestId
        self.decoy = decoy
        self.silenced = silenced
    }
}

/// Who made a change.
package struct AuditActor: APIReply {
    package var kind: String
    package var id: String
    package var name: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case kind, id, name }

    package init(kind: String, id: String, name: String) {
        self.kind = kind
        self.id = id
        self.name = name
    }
}

/// A person or a group that the documents of a change name by its id alone.
package struct AuditTarget: APIReply {
    package var targetType: AuthenticatorPolicy.TargetType
    package var id: String
    /// As it is now; null where it does not exist any more.
    @Nullable package var name: String?

    package enum CodingKeys: String, CodingKey, CaseIterable { case targetType, id, name }

    package init(targetType: AuthenticatorPolicy.TargetType, id: String, name: String? = nil) {
        self.targetType = targetType
        self.id = id
        self.name = name
    }
}

/// One change.
package struct AuditDocument: APIReply {
    package var id: String
    package var at: Timestamp
    package var actor: AuditActor
    package var action: String
    package var target: String
    @Nullable package var before: JSONValue?
    @Nullable package var after: JSONValue?
    @Nullable package var requestId: String?
    /// Of a change of policy: null of every other, and where the directory could not be asked, which is for at most 1,000 of a page.
    @Nullable package var targets: [AuditTarget]?

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case id, at, actor, action, target, before, after, requestId, targets
    }

    package init(
        id: String, at: Timestamp, actor: AuditActor, action: String, target: String, before: JSONValue? = nil,
        after: JSONValue? = nil, requestId: String? = nil, targets: [AuditTarget]? = nil
    ) {
        self.id = id
        self.at = at
        self.actor = actor
        self.action = action
        self.target = target
        self.before = before
        self.after = after
        self.requestId = requestId
        self.targets = targets
    }
}

/// From the request to the person's answer, to a tenth of a second.
package struct AnswerTimesView: APIReply {
    package var count: Int
    package var medianMilliseconds: Int
    package var p90Milliseconds: Int
    package var p99Milliseconds: Int

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case count, medianMilliseconds, p90Milliseconds, p99Milliseconds
    }

    package init(count: Int, medianMilliseconds: Int, p90Milliseconds: Int, p99Milliseconds: Int) {
        self.count = count
        self.medianMilliseconds = medianMilliseconds
        self.p90Milliseconds = p90Milliseconds
        self.p99Milliseconds = p99Milliseconds
    }
}

/// One step of a summary: how many requests that began in it ended how.
package struct SignInSummaryItem: APIReply {
    package var at: Timestamp
    /// Redeemed or not.
    package var approved: Int
    package var denied: Int
    package var expired: Int
    package var canceled: Int
    package var pending: Int
    /// Decoys that nothing settled: they never reached a phone.
    package var unreached: Int
    /// Of those, the ones that were withdrawn.
    package var unreachedCanceled: Int
    /// Null where nobody answered.
    @Nullable package var answers: AnswerTimesView?

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case at, approved, denied, expired, canceled, pending, unreached, unreachedCanceled, answers
    }

    package init(
        at: Timestamp, approved: Int, denied: Int, expired: Int, canceled: Int, pending: Int, unreached: Int,
        unreachedCanceled: Int, answers: AnswerTimesView?
    ) {
        self.at = at
        self.approved = approved
        self.denied = denied
        self.expired = expired
        self.canceled = canceled
        self.pending = pending
        self.unreached = unreached
        self.unreachedCanceled = unreachedCanceled
        self.answers = answers
    }
}

/// `GET …/admin/sign-ins:summary`: sign-ins and second factors of a range, step by step.
package struct SignInSummaryDocument: APIReply {
    package var from: Timestamp
    package var to: Timestamp
    package var stepSeconds: Int
    /// False where the range has more requests than are counted: then the newest are.
    package var complete: Bool
    /// Where counting began.
    package var countedFrom: Timestamp
    package var items: [SignInSummaryItem]
    /// Of the whole range; null where nobody answered.
    @Nullable package var answers: AnswerTimesView?

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case from, to, stepSeconds, complete, countedFrom, items, answers
    }

    package init(
        from: Timestamp, to: Timestamp, stepSeconds: Int, complete: Bool, countedFrom: Timestamp,
        items: [SignInSummaryItem], answers: AnswerTimesView?
    ) {
        self.from = from
        self.to = to
        self.stepSeconds = stepSeconds
        self.complete = complete
        self.countedFrom = countedFrom
        self.items = items
        self.answers = answers
    }
}
