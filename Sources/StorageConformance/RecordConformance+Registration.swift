import Domain
package import Storage

extension RecordConformance {
    package func registration(_ store: any Store<any RegistrationRecords>) async throws {
        try await people(store)
        try await groups(store)
        try await credentials(store)
        try await sessions(store)
        try await attempts(store)
        try await calls(store)
        try await removal(store)
    }

    private func person(_ id: String, _ username: String, _ displayName: String) -> StoredPerson {
        StoredPerson(
            tenant: tenant, id: PersonID(id), username: username, displayName: displayName, passwordHash: "h",
            roles: ["a", "b"], createdAt: time(1))
    }

    private func people(_ store: any Store<any RegistrationRecords>) async throws {
        let tenant = tenant
        let (ann, bob) = (person("p1", "Ann", "Zoe A"), person("p2", "bob", "Ann's Bob"))
        try await store.write { records in for one in [ann, bob] { try records.insert(one) } }
        let double = person("p3", "ANN", "x")
        try await expect(.alreadyExists, in: store, "a taken name") { try $0.insert(double) }
        try await expect(.notFound, in: store, "an update of nobody") { try $0.update(double) }
        var changed = bob
        (changed.isBlocked, changed.passwordHash, changed.roles) = (true, nil, [])
        changed.defaultMethod = .code
        let found = try await store.write { [changed] records in
            try records.update(changed)
            return [
                try records.person(PersonID("p2"), tenant: tenant).map { [$0] } ?? [],
                try records.person(named: FoldedUsername("ann"), tenant: tenant).map { [$0] } ?? [],
                try records.people(tenant: tenant, search: "", after: nil, limit: 1),
                try records.people(tenant: tenant, search: "", after: FoldedUsername("ann"), limit: 9),
                try records.people(tenant: tenant, search: "AN", after: nil, limit: 9),
                try records.people(tenant: tenant, search: "zo", after: nil, limit: 9),
            ]
        }
        try expectEqual(found, [[changed], [ann], [ann], [changed], [ann, changed], [ann]], "people")
        let (existing, subjects) = try await store.read { records in
            (
                try records.existing(people: [PersonID("p1"), PersonID("p9")], tenant: tenant),
                try records.policySubjects(tenant: tenant, after: nil, limit: 9)
            )
        }
        try expectEqual(existing, [PersonID("p1")], "people that exist")
        try expectEqual(subjects.map(\.person.rawValue), ["p1", "p2"], "subjects by id")
    }

    private func groups(_ store: any Store<any RegistrationRecords>) async throws {
        let (tenant, ann, bob) = (tenant, PersonID("p1"), PersonID("p2"))
        let (staff, crew) = (
            StoredGroup(tenant: tenant, id: GroupID("g1"), name: "Staff", createdAt: time(1)),
            StoredGroup(tenant: tenant, id: GroupID("g2"), name: "crew", createdAt: time(1))
        )
        try await store.write { records in for one in [staff, crew] { try records.insert(one) } }
        let double = StoredGroup(tenant: tenant, id: GroupID("g3"), name: "STAFF", createdAt: time(1))
        try await expect(.alreadyExists, in: store, "a taken group name") { try $0.insert(double) }
        try await expect(.alreadyExists, in: store, "a group renamed to a taken name") {
            try $0.rename(GroupID("g2"), to: "staff", tenant: tenant)
        }
        try await expect(.notFound, in: store, "a group that is not there") {
            try $0.rename(GroupID("g9"), to: "x", tenant: tenant)
        }
        try await store.write { records in
            try records.rename(GroupID("g2"), to: "Crew", tenant: tenant)
            for person in [ann, bob, ann] { try records.add(person, to: staff.id, tenant: tenant) }
            try records.add(ann, to: crew.id, tenant: tenant)
        }
        let found = try await store.read { records in
            (
                try records.group(staff.id, tenant: tenant), try records.group(named: "cREW", tenant: tenant)?.name,
                try records.groups(tenant: tenant, search: "", after: "crew", limit: 9).map(\.id),
                try records.groups(tenant: tenant, search: "ST", after: nil, limit: 9).map(\.id),
                try records.existing(groups: [crew.id, GroupID("g9")], tenant: tenant)
            )
        }
        try expectEqual(found.0, staff, "a group")
        try expectEqual(found.1, "Crew", "a renamed group")
        try expectEqual(found.2 + found.3, [staff.id, staff.id], "groups by name")
        try expectEqual(found.4, [crew.id], "groups that exist")
        let members = try await store.write { records in
            let all = try records.members(of: staff.id, tenant: tenant, after: nil, limit: 9).map(\.id)
            let count = try records.memberCount(staff.id, tenant: tenant)
            let ofMany = try records.groups(of: [ann, bob, PersonID("p9")], tenant: tenant)
            let subjects = try records.policySubjects(tenant: tenant, after: nil, limit: 9)
            try records.remove(ann, from: staff.id, tenant: tenant)
            try records.deleteGroup(crew.id, tenant: tenant)
            return (all, count, ofMany, subjects.first?.groups, try records.groups(of: ann, tenant: tenant))
        }
        try expectEqual(members.0, [ann, bob], "members by user name")
        try expectEqual(members.1, 2, "the count of members")
        try expectEqual(members.2, [ann: [staff.id, crew.id], bob: [staff.id]], "groups of many people")
        try expectEqual(members.3, [staff.id, crew.id], "a subject's groups")
        try expectEqual(members.4, [], "groups of somebody who left them")
    }

    private func device(_ id: String, of person: String) -> StoredDevice {
        StoredDevice(
            tenant: tenant, id: DeviceID(id), person: PersonID(person),
            facts: .init(name: "n", platform: .web, osVersion: "1", appVersion: "2"),
            push: .init(transport: .none, sealedAddress: []), createdAt: time(5), publicKey: bytes(4),
            keyDigest: bytes(5), challenge: ChallengeID("c"),
            offlineCode: .init(sealedSecret: bytes(6), algorithm: .sha256, digits: 8, period: 30))
    }

    private func credentials(_ store: any Store<any RegistrationRecords>) async throws {
        let (tenant, ann) = (tenant, PersonID("p1"))
        var (first, second) = (device("d1", of: "p1"), device("d2", of: "p2"))
        try await store.write { [first, second] records in for one in [first, second] { try records.insert(one) } }
        try await expect(.alreadyExists, in: store, "a taken device id") { [first] in try $0.insert(first) }
        (first.state, first.phoneSignInAt, first.isExclusive, first.grantedUntil) = (.active, time(6), true, time(7))
        try await store.write { [first, time] records in
            try records.update(first)
            for (id, second) in [("d1", 9), ("d1", 8), ("d9", 9)] {
                try records.touchDevice(DeviceID(id), tenant: tenant, at: time(Int64(second)))
            }
        }
        // Later than it was stored, and it did not go back.
        first.lastUsedAt = time(9)
        (second.phoneSignInAt, second.isExclusive) = (time(6), true)
        try await expect(.alreadyExists, in: store, "a second account of one key") { [second] in try $0.update(second) }
        try await expect(.notFound, in: store, "a device that is not there") {
            try $0.deleteDevice(DeviceID("d9"), tenant: tenant)
        }
        let found = try await store.write { [keyDigest = first.keyDigest] records in
            let subjects = try records.policySubjects(tenant: tenant, after: nil, limit: 9)
            try records.deleteDevice(DeviceID("d2"), tenant: tenant)
            return (
                try records.device(DeviceID("d1"), tenant: tenant), try records.devices(of: ann, tenant: tenant),
                try records.phoneSignIns(keyDigest: keyDigest), subjects.map { [$0.hasDevice, $0.hasPhoneSignIn] }
            )
        }
        try expectEqual([found.0].compactMap(\.self) + found.1 + found.2, [first, first, first], "a device")
        try expectEqual(found.3, [[true, true], [false, false]], "what subjects have set up")
        try await activations(store)
        var pass = StoredPass(
            tenant: tenant, person: ann, id: "one", hash: "h", createdAt: time(1), expiresAt: time(100),
            isUsableOnce: true)
        let passes = try await store.write { [pass, time] records in
            try records.save(
                StoredPass(
                    tenant: tenant, person: ann, id: "old", hash: "h", createdAt: time(1), expiresAt: time(9),
                    isUsableOnce: false))
            try records.save(pass)
            return try ["old", "one", "one"].map { try records.consumePass($0, of: ann, tenant: tenant, at: time(50)) }
        }
        try expectEqual(passes, [false, true, false], "consumed passes")
        pass.usedAt = time(50)
        let left = try await store.write { [pass] records in
            let used = try records.pass(of: ann, tenant: tenant)
            try records.deletePass(of: PersonID("p2"), tenant: tenant)
            let others = try records.pass(of: ann, tenant: tenant)
            try records.deletePass(of: ann, tenant: tenant)
            let none = try records.pass(of: ann, tenant: tenant)
            try records.save(pass)
            return [used, others, none]
        }
        try expectEqual(left, [pass, pass, nil], "a pass that was used, that was another's, and that was deleted")
    }

    private func activations(_ store: any Store<any RegistrationRecords>) async throws {
        let (tenant, ann) = (tenant, PersonID("p1"))
        var activation = StoredActivation(
            tenant: tenant, id: ActivationID("a"), person: ann, ticketDigest: bytes(1), sealedTicket: bytes(2),
            session: "s1", passSession: nil, createdAt: time(1), machine: ActivationMachine(expiresAt: time(10)))
        let setup = StoredSetup(tenant: tenant, challenge: ChallengeID("c"), device: DeviceID("d1"), createdAt: time(1))
        try await store.write { [activation] in try $0.insert(activation) }
        try await expect(.alreadyExists, in: store, "a taken activation id") { [activation] in try $0.insert(activation)
        }
        activation.machine = ActivationMachine(state: .confirming, expiresAt: time(10), device: DeviceID("d1"))
        (activation.sealedTicket, activation.sealedNumber) = ([], bytes(3))
        let found = try await store.write { [activation, time, bytes] records in
            try records.update(activation)
            try records.save(setup)
            var done = setup
            done.isDone = true
            try records.save(done)
            return (
                [
                    try records.activation(activation.id, tenant: tenant),
                    try records.activation(ticketDigest: bytes(1), tenant: tenant),
                    try records.activation(device: DeviceID("d1"), tenant: tenant),
                    try records.openActivations(of: ann, tenant: tenant).first,
                    try records.abandonedActivations(expiredBefore: time(11), limit: 9).first,
                ], try records.setup(setup.challenge, tenant: tenant)?.isDone
            )
        }
        try expectEqual(found.0, [StoredActivation?](repeating: activation, count: 5), "an activation")
        try expectEqual(found.1, true, "a set-up that is done")
    }

    private func sessions(_ store: any Store<any RegistrationRecords>) async throws {
        let (tenant, ann) = (tenant, PersonID("p1"))
        func session(_ byte: UInt8) -> StoredSession {
            StoredSession(
                tenant: tenant, digest: bytes(byte), id: "s\(byte)", person: ann, isByPass: true, createdAt: time(1),
                lastUsedAt: time(2))
        }
        let all = [1, 2, 3].map(session)
        let found = try await store.write { [time] records in
            for one in all { try records.insert(one) }
            for second in [9, 5] {
                try records.touchSession(digest: all[0].digest, tenant: tenant, at: time(Int64(second)))
            }
            let touched = try records.session(digest: all[0].digest, tenant: tenant)
            func there() throws -> [Bool] {
                try all.map { try records.session(digest: $0.digest, tenant: tenant) != nil }
            }
            try records.deleteSession(digest: all[0].digest, tenant: tenant)
            var left = [try there()]
            var counts = [try records.deleteSessions(of: ann, tenant: tenant, except: all[2].digest)]
            left.append(try there())
            for one in all.prefix(2) { try records.insert(one) }
            counts.append(try records.deleteSessions(of: ann, tenant: tenant, exceptID: all[1].id))
            left.append(try there())
            for _ in 0..<2 { counts.append(try records.deleteSessions(of: ann, tenant: tenant, except: [])) }
            left.append(try there())
            return (touched?.lastUsedAt, left, counts)
        }
        try expectEqual(found.0, time(9), "when a session was last used: it never goes back")
        try expectEqual(
            found.1,
            [[false, true, true], [false, false, true], [false, true, false], [false, false, false]],
            "sessions that are there")
        try expectEqual(found.2, [1, 2, 1, 0], "how many sessions ended")
        let taken = try await store.write { [time] records in
            try (0..<2).flatMap { _ in
                [
                    try records.take(ChallengeID("c"), tenant: tenant, at: time(1)),
                    try records.takeGrant(session: "s", tenant: tenant, device: DeviceID("d"), at: time(1)),
                ]
            }
        }
        try expectEqual(taken, [true, true, false, false], "challenges and grants, once")
    }

    private func attempts(_ store: any Store<any RegistrationRecords>) async throws {
        let (tenant, name) = (tenant, FoldedUsername("ann"))
        let blank = AttemptLimiter(rules: .passwords)
        let failed = AttemptLimiter(rules: .passwords, failures: [time(1), time(2)], delays: 1, nextAllowedAt: time(9))
        let found = try await store.write { records in
            var seen = [try records.attempts(name, tenant: tenant, rules: .passwords)]
            for attempts in [failed, failed, blank] {
                try records.save(attempts, name: name, tenant: tenant)
                seen.append(try records.attempts(name, tenant: tenant, rules: .passwords))
            }
            return seen
        }
        try expectEqual(found, [blank, failed, failed, blank], "attempts")
    }

    private func calls(_ store: any Store<any RegistrationRecords>) async throws {
        func call(due second: Int64) -> OutboundCall {
            OutboundCall(
                kind: .cancelForPerson, tenant: tenant, request: RequestID(high: 1, low: 2),
                origin: RequestID(high: 3, low: 4), body: [0, 1], createdAt: time(1), dueAt: time(second))
        }
        let (soon, late) = (call(due: 10), call(due: 20))
        let empty = try await store.read { try $0.callBacklog() }
        try expectEqual(empty, Backlog(count: 0, oldest: nil), "no calls")
        let found = try await store.write { [time] records in
            let sequences = [try records.append(soon), try records.append(late)]
            let next = try records.nextCallDue()
            let leased = try records.leaseDue(at: time(15), until: time(30), limit: 9)
            let again = try records.lease(sequences[0], at: time(15), until: time(30))
            let taken = try records.lease(sequences[0], at: time(30), until: time(40))
            return (sequences, next, leased, again, taken)
        }
        try expectEqual(found.1, time(10), "when the next call is due")
        let backlog = try await store.read { try $0.callBacklog() }
        try expectEqual(backlog, Backlog(count: 2, oldest: time(1)), "calls that wait")
        var leased = soon
        (leased.sequence, leased.dueAt, leased.fence, leased.attempts) = (found.0[0], time(30), 1, 1)
        try expectEqual(found.2, [leased], "a leased call")
        try expectEqual(found.3, nil, "a lease of what another holds")
        let finished = try await store.write { [leased, time, taken = found.4] records -> [Bool] in
            guard let taken else { return [] }
            let early = try records.finish(leased)
            try records.postpone(leased, to: time(1))
            try records.postpone(taken, to: time(50))
            return [early, try records.nextCallDue() == time(20), try records.finish(taken)]
        }
        let recalled = try await store.write { [time] records in
            let none = try records.recallCalls(dueAfter: time(20), to: time(3))
            let one = try records.recallCalls(dueAfter: time(19), to: time(3))
            return ([none, one], try records.nextCallDue())
        }
        try expectEqual(recalled.0, [0, 1], "calls that are due too late")
        try expectEqual(recalled.1, time(3), "when a call that was due too late is due")
        try expectEqual(finished, [false, true, true], "only the latest lease finishes a call")
    }

    private func removal(_ store: any Store<any RegistrationRecords>) async throws {
        let tenant = tenant
        let all = time(1_000_000)
        let limits = RegistrationPurge(
            sessionsIdleSince: all, sessionsCreatedBefore: all, passesExpiredBefore: all, activationsExpiredBefore: all,
            attemptsForgottenBefore: all, repeatsBefore: all)
        // A pass, a set-up, a used challenge and a used grant are left; an activation that is being confirmed stays.
        let purged = try await store.write { try [$0.purge(limits, limit: 9), $0.purge(limits, limit: 9)] }
        try expectEqual(purged, [4, 0], "purged rows")
        try await store.write { try $0.deletePerson(PersonID("p1"), tenant: tenant) }
        try await expect(.notFound, in: store, "a person who is gone") {
            try $0.deletePerson(PersonID("p1"), tenant: tenant)
        }
        let left = try await store.read { records in
            (
                try records.devices(of: PersonID("p1"), tenant: tenant).count,
                try records.activation(ActivationID("a"), tenant: tenant) == nil
            )
        }
        try StorageConformance.expect(left == (0, true), "a person's devices or activations outlive them")
    }
}
