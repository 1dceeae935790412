package import Domain

/// Everything that the registration service stores: the directory, what people sign in with, and their phones.
package protocol RegistrationRecords: RegistrationPersonRecords, RegistrationGroupRecords,
    RegistrationMembershipRecords,
    RegistrationDeviceRecords, RegistrationActivationRecords, RegistrationPassRecords, RegistrationSessionRecords,
    RegistrationAttemptRecords, RegistrationCallRecords, RegistrationPurgeRecords, MemoRecords, AuditRecords
{}

package protocol RegistrationPersonRecords {
    func person(_ id: PersonID, tenant: TenantID) throws -> StoredPerson?
    func person(named name: FoldedUsername, tenant: TenantID) throws -> StoredPerson?
    /// Throws `alreadyExists` when the folded name is taken.
    func insert(_ person: StoredPerson) throws
    /// Throws `notFound` when there is no such person.
    func update(_ person: StoredPerson) throws
    /// Deletes the person with memberships, devices, activations, passes and sessions.
    func deletePerson(_ id: PersonID, tenant: TenantID) throws
    /// People by folded user name, after `after`; `search` is the beginning of a user name or of a display name, empty for all.
    func people(tenant: TenantID, search: String, after: FoldedUsername?, limit: Int) throws -> [StoredPerson]
    /// Everybody by id, after `after`, at most `limit`.
    func policySubjects(tenant: TenantID, after: PersonID?, limit: Int) throws -> [PolicySubject]
    /// Those of `ids` that exist.
    func existing(people ids: [PersonID], tenant: TenantID) throws -> Set<PersonID>
}

package protocol RegistrationGroupRecords {
    func group(_ id: GroupID, tenant: TenantID) throws -> StoredGroup?
    /// By name, whatever its case.
    func group(named name: String, tenant: TenantID) throws -> StoredGroup?
    /// Throws `alreadyExists` when the folded name is taken.
    func insert(_ group: StoredGroup) throws
    /// Throws `notFound`, or `alreadyExists` when the folded name is taken.
    func rename(_ id: GroupID, to name: String, tenant: TenantID) throws
    /// Deletes the group and its memberships.
    func deleteGroup(_ id: GroupID, tenant: TenantID) throws
    /// Groups by folded name, after `after`, whose name begins with `search`.
    func groups(tenant: TenantID, search: String, after: String?, limit: Int) throws -> [StoredGroup]
    /// Those of `ids` that exist.
    func existing(groups ids: [GroupID], tenant: TenantID) throws -> Set<GroupID>
}

package protocol RegistrationMembershipRecords {
    /// The groups of one person, by id.
    func groups(of person: PersonID, tenant: TenantID) throws -> [GroupID]
    /// The groups of many people at once; people without any are left out.
    func groups(of people: [PersonID], tenant: TenantID) throws -> [PersonID: [GroupID]]
    /// Harmless when the person is a member already.
    func add(_ person: PersonID, to group: GroupID, tenant: TenantID) throws
    /// Harmless when the person is no member.
    func remove(_ person: PersonID, from group: GroupID, tenant: TenantID) throws
    func memberCount(_ group: GroupID, tenant: TenantID) throws -> Int
    /// Members by folded user name, after `after`.
    func members(of group: GroupID, tenant: TenantID, after: FoldedUsername?, limit: Int) throws -> [StoredPerson]
}

package protocol RegistrationDeviceRecords {
    func device(_ id: DeviceID, tenant: TenantID) throws -> StoredDevice?
    /// Oldest first.
    func devices(of person: PersonID, tenant: TenantID) throws -> [StoredDevice]
    /// The devices of all tenants with this key on which phone sign-in is set up.
    func phoneSignIns(keyDigest: [UInt8]) throws -> [StoredDevice]
    /// Throws `alreadyExists` when the id is taken, or the key is in use in a way that the one-tenant rule forbids.
    func insert(_ device: StoredDevice) throws
    /// As `insert`; throws `notFound` when there is no such device.
    func update(_ device: StoredDevice) throws
    /// When it was last used never goes back; harmless when there is no such device.
    func touchDevice(_ id: DeviceID, tenant: TenantID, at time: Timestamp) throws
    func deleteDevice(_ id: DeviceID, tenant: TenantID) throws
}

package protocol RegistrationActivationRecords {
    func activation(_ id: ActivationID, tenant: TenantID) throws -> StoredActivation?
    func activation(ticketDigest: [UInt8], tenant: TenantID) throws -> StoredActivation?
    func activation(device: DeviceID, tenant: TenantID) throws -> StoredActivation?
    func insert(_ activation: StoredActivation) throws
    func update(_ activation: StoredActivation) throws
    /// Activations of this person that are stored as waiting or confirming, those whose time is over included.
    func openActivations(of person: PersonID, tenant: TenantID) throws -> [StoredActivation]
    func setup(_ challenge: ChallengeID, tenant: TenantID) throws -> StoredSetup?
    /// Inserts or, when the challenge is known, replaces.
    func save(_ setup: StoredSetup) throws
}

package protocol RegistrationPassRecords {
    func pass(of person: PersonID, tenant: TenantID) throws -> StoredPass?
    /// The person's only pass from now on.
    func save(_ pass: StoredPass) throws
    /// Marks the pass as used unless it was: of two racing calls one gets true.
    func consumePass(_ id: String, of person: PersonID, tenant: TenantID, at time: Timestamp) throws -> Bool
    /// Harmless when there is none.
    func deletePass(of person: PersonID, tenant: TenantID) throws
}

package protocol RegistrationSessionRecords {
    func session(digest: [UInt8], tenant: TenantID) throws -> StoredSession?
    func insert(_ session: StoredSession) throws
    func touchSession(digest: [UInt8], tenant: TenantID, at time: Timestamp) throws
    func deleteSession(digest: [UInt8], tenant: TenantID) throws
    /// All of the person's but the one that `digest` names, if any; returns how many.
    @discardableResult
    func deleteSessions(of person: PersonID, tenant: TenantID, except digest: [UInt8]) throws -> Int
    /// All of the person's but the one with this id; returns how many.
    @discardableResult
    func deleteSessions(of person: PersonID, tenant: TenantID, exceptID id: String) throws -> Int
    /// Records that a session came out of this challenge; false when one did before.
    func take(_ challenge: ChallengeID, tenant: TenantID, at time: Timestamp) throws -> Bool
    /// Records that a session opened by a pass gave its one device; false when it did before.
    func takeGrant(session: String, tenant: TenantID, device: DeviceID, at time: Timestamp) throws -> Bool
}

package protocol RegistrationAttemptRecords {
    /// Blank when nothing is known of this name.
    func attempts(_ name: FoldedUsername, tenant: TenantID, rules: AttemptLimiter.Rules) throws -> AttemptLimiter
    /// A blank one is deleted.
    func save(_ attempts: AttemptLimiter, name: FoldedUsername, tenant: TenantID) throws
}

package protocol RegistrationCallRecords {
    /// Stores a call and returns its sequence.
    func append(_ call: OutboundCall) throws -> Int64
    /// Leases one call until `until`, unless another worker holds it: nil then, or when it has gone. The fence moves with every
    /// lease, so that a worker whose lease ended cannot finish what another now does.
    func lease(_ sequence: Int64, at time: Timestamp, until: Timestamp) throws -> OutboundCall?
    /// Leases what is due at `time`, at most `limit`, soonest first.
    func leaseDue(at time: Timestamp, until: Timestamp, limit: Int) throws -> [OutboundCall]
    /// Deletes a call that arrived; false when another worker has leased it since.
    func finish(_ call: OutboundCall) throws -> Bool
    /// Gives up the lease until `time`; harmless when another worker has leased it since.
    func postpone(_ call: OutboundCall, to time: Timestamp) throws
    /// When the next call is due or the next lease ends; nil when there is none.
    func nextCallDue() throws -> Timestamp?
    /// Makes calls that are due, or whose lease ends, after `horizon` due at `time`; returns how many.
    func recallCalls(dueAfter horizon: Timestamp, to time: Timestamp) throws -> Int
    func callBacklog() throws -> Backlog
}

package protocol RegistrationPurgeRecords {
    /// Deletes at most `limit` rows of each kind that nobody can use any more; returns how many.
    func purge(_ limits: RegistrationPurge, limit: Int) throws -> Int
    /// Activations that were still being confirmed when they expired before `time`.
    func abandonedActivations(expiredBefore time: Timestamp, limit: Int) throws -> [StoredActivation]
}
