import Domain
package import Storage

extension RecordConformance {
    package func policy(_ store: any Store<any PolicyRecords>) async throws {
        try await tenants(store)
        try await credentials(store)
        try await audit(store) { $0 }
    }

    private func stored(_ id: TenantID, _ revision: Revision) -> StoredTenant {
        StoredTenant(
            id: id, name: "Name", createdAt: time(1), revision: revision,
            policy: StoredDocument(json: "{}", revision: revision),
            settings: StoredDocument(json: "[]", revision: revision))
    }

    private func tenants(_ store: any Store<any PolicyRecords>) async throws {
        let (tenant, other) = (tenant, other)
        let revisions = try await store.write { records in
            [
                try records.latestRevision(), try records.nextRevision(), try records.nextRevision(),
                try records.latestRevision(),
            ]
        }
        try expectEqual(revisions, [1, 2, 3, 3], "revisions")
        try await store.write { [stored] records in
            try records.insert(stored(tenant, 2))
            try records.insert(stored(other, 3))
        }
        try await expect(.alreadyExists, in: store, "a tenant that exists") { [stored] in
            try $0.insert(stored(tenant, 9))
        }
        let document = StoredDocument(json: "{\"a\":1}", revision: 4)
        try await store.write { records in
            try records.replace(.policy, of: tenant, with: document, expecting: 2)
            try records.replace(.settings, of: other, with: StoredDocument(json: "{}", revision: 5), expecting: 3)
        }
        try await expect(.conflict, in: store, "a change of an older document") {
            try $0.replace(.policy, of: tenant, with: document, expecting: 2)
        }
        try await expect(.notFound, in: store, "a move of nothing") { try $0.move(TenantID("none"), to: 9) }
        try await store.write { try $0.move(tenant, to: 6) }
        let found = try await store.read { records in
            (
                try records.tenant(tenant), try records.tenants(changedAfter: 5, limit: 9).map(\.id),
                try records.tenants(after: nil, limit: 1).map(\.id),
                try records.tenants(after: tenant, limit: 9).map(\.id),
                try records.tenant(TenantID("none"))
            )
        }
        try expectEqual(found.0?.policy, document, "a replaced policy")
        try expectEqual(found.0?.revision, 6, "a moved tenant's revision")
        try expectEqual(found.0?.settings.revision, 2, "the other document's revision")
        try expectEqual(found.1, [tenant], "tenants changed after 5")
        try expectEqual(found.2 + found.3, [tenant, other], "tenants by id")
        try expectEqual(found.4, nil, "a tenant that is not there")
    }

    private func credentials(_ store: any Store<any PolicyRecords>) async throws {
        let tenant = tenant
        func client(_ id: String) -> StoredClient {
            StoredClient(
                tenant: tenant, id: ClientID(id), name: "N", secretDigest: bytes(1),
                rights: .init(applications: ["a,b", "c\"d"], anyApplication: true, roles: []), createdAt: time(1))
        }
        func token(_ byte: UInt8, _ holder: StoredToken.Holder, expiresAt: Timestamp?) -> StoredToken {
            StoredToken(
                digest: bytes(byte), id: "t\(byte)", tenant: tenant, holder: holder, createdAt: time(1),
                expiresAt: expiresAt)
        }
        let clients = [client("one"), client("two")]
        let tokens = [
            token(1, .client(ClientID("one")), expiresAt: time(50)),
            token(2, .administrator(name: "root"), expiresAt: nil),
            token(3, .administrator(name: "root"), expiresAt: time(10)),
        ]
        try await store.write { records in
            for client in clients { try records.insert(client) }
            for token in tokens { try records.insert(token) }
        }
        try await expect(.alreadyExists, in: store, "a client that exists") { try $0.insert(clients[0]) }
        try await expect(.alreadyExists, in: store, "a token that exists") { try $0.insert(tokens[0]) }
        let orphan = token(9, .client(ClientID("nobody")), expiresAt: nil)
        try await expect(.notFound, in: store, "a token of no client") { try $0.insert(orphan) }
        let first = try await store.read { try $0.clients(of: tenant, after: nil, limit: 1) }
        let (rest, one, read) = try await store.read { [place = first.first?.place] records in
            (
                try records.clients(of: tenant, after: place, limit: 9),
                try records.client(ClientID("one"), of: tenant),
                try tokens.map { try records.token(digest: $0.digest, of: tenant) }
            )
        }
        try expectEqual(first.map(\.client) + rest.map(\.client), clients, "clients in the order of their creation")
        try expectEqual(one, clients[0], "a client")
        try expectEqual(read, tokens, "tokens")
        try await store.write { try $0.deleteClient(ClientID("one"), of: tenant) }
        try await expect(.notFound, in: store, "a client that is gone") {
            try $0.deleteClient(ClientID("one"), of: tenant)
        }
        let (gone, expired) = try await store.write { [time] records in
            (
                try records.token(digest: tokens[0].digest, of: tenant),
                try records.deleteTokens(expiredAt: time(10), limit: 9)
            )
        }
        try expectEqual(gone, nil, "a token of a deleted client")
        try expectEqual(expired, 1, "expired tokens")
        let application = token(4, .client(ClientID("two")), expiresAt: nil)
        let (ended, further) = try await store.write { records in
            let ended = try records.deleteAdministratorTokens(of: tenant)
            try records.insert(application)
            return (ended, try records.deleteAdministratorTokens(of: tenant))
        }
        try expectEqual([ended, further], [1, 0], "administrators' tokens, and those of applications")
    }

    /// The audit log of any service.
    package func audit<Records>(
        _ store: any Store<Records>, _ log: @escaping @Sendable (Records) -> any AuditRecords
    ) async throws {
        let (tenant, other, time) = (tenant, other, time)
        try await store.write { records in
            for number in 1...5 {
                for tenant in [tenant, other] {
                    try log(records).append(
                        AuditRecord(
                            tenant: tenant, at: time(Int64(number)), actorKind: "person", actorID: "7",
                            actorName: "Root", action: number == 3 ? "users" : "user.change\(number)",
                            target: "t\(number)",
                            beforeJSON: "{}", requestID: "r"))
                }
            }
        }
        let first = try await store.read {
            try log($0).auditEntries(tenant: tenant, AuditFilter(), before: nil, limit: 2)
        }
        let rest = try await store.read {
            try log($0).auditEntries(tenant: tenant, AuditFilter(), before: first[1].sequence, limit: 9)
        }
        try expectEqual((first + rest).map(\.target), ["t5", "t4", "t3", "t2", "t1"], "entries, newest first")
        var filter = AuditFilter()
        (filter.actor, filter.action, filter.from, filter.to) = ("ROOT", "user", time(2), time(5))
        let some = try await store.read { [filter] in
            try log($0).auditEntries(tenant: tenant, filter, before: nil, limit: 9)
        }
        try expectEqual(some.map(\.target), ["t4", "t2"], "entries of an actor, a word and a time")
        filter = AuditFilter()
        filter.target = "t3"
        let one = try await store.read { [filter] in
            try log($0).auditEntries(tenant: tenant, filter, before: nil, limit: 9)
        }
        try expectEqual(one.map(\.action), ["users"], "entries of a target")
    }
}
