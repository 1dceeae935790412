import Domain
import Proofs
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

// How stored records look on the wire, and in the audit log.

extension StoredPerson {
    func record(groups: [GroupID]) -> PersonRecord {
        PersonRecord.with {
            $0.id = id.rawValue
            $0.username = username
            $0.displayName = displayName
            $0.blocked = isBlocked
            $0.roles = roles
            $0.groups = groups.map(\.rawValue)
            $0.createdAtMs = createdAt.milliseconds
        }
    }

    fileprivate func auditDocument(groups: [StoredGroup]) -> JSONValue {
        [
            "id": .string(id.rawValue), "username": .string(username), "displayName": .string(displayName),
            "blocked": .bool(isBlocked), "roles": .array(roles.map(JSONValue.string)),
            "groups": .array(groups.map { .string($0.id.rawValue) }),
            "groupNames": .array(groups.map { .string($0.name) }), "hasPassword": .bool(passwordHash != nil),
        ]
    }
}

extension StoredGroup {
    func record(memberCount: Int) -> GroupRecord {
        GroupRecord.with {
            $0.id = id.rawValue
            $0.name = name
            $0.memberCount = UInt32(clamping: memberCount)
            $0.createdAtMs = createdAt.milliseconds
        }
    }

    var auditDocument: JSONValue { ["id": .string(id.rawValue), "name": .string(name)] }
}

extension StoredDevice {
    func record(_ vault: Vault) throws -> DeviceRecord {
        let address = try push.sealedAddress.isEmpty ? [] : vault.open(push.sealedAddress, .push(tenant, id))
        return DeviceRecord.with {
            $0.id = id.rawValue
            $0.personID = person.rawValue
            $0.tenant = tenant.rawValue
            $0.facts = facts.wire
            $0.state = state.rawValue
            $0.phoneSignIn = phoneSignInAt != nil
            $0.phoneSignInAtMs = phoneSignInAt?.milliseconds ?? 0
            $0.createdAtMs = createdAt.milliseconds
            $0.lastUsedAtMs = lastUsedAt.milliseconds
            $0.publicKey = publicKey.data
            $0.push = PushAddress.with {
                $0.transport = push.transport.rawValue
                $0.address = address.data
            }
            $0.activationChallengeID = state == .awaitingConfirmation ? challenge.rawValue : ""
        }
    }

    func offlineSecret(_ vault: Vault) throws -> OfflineSecret {
        let secret = try vault.open(offlineCode.sealedSecret, .offlineCode(tenant, id))
        return OfflineSecret.with {
            $0.deviceID = id.rawValue
            $0.secret = secret.data
            $0.algorithm = offlineCode.algorithm.rawValue
            $0.digits = UInt32(offlineCode.digits)
            $0.period = UInt32(offlineCode.period)
            $0.deviceName = facts.name
        }
    }

    /// Without key, secret and push address.
    fileprivate func auditDocument(username: String) -> JSONValue {
        [
            "id": .string(id.rawValue), "user": .string(person.rawValue), "username": .string(username),
            "name": .string(facts.name),
            "platform": .string(facts.platform.rawValue), "osVersion": .string(facts.osVersion),
            "appVersion": .string(facts.appVersion), "state": .string(state.rawValue),
            "phoneSignIn": .bool(phoneSignInAt != nil),
            "pushTransport": .string(push.transport.rawValue),
        ]
    }
}

extension StoredDevice.Facts {
    var wire: DeviceFacts {
        DeviceFacts.with {
            $0.name = name
            $0.platform = platform.rawValue
            $0.osVersion = osVersion
            $0.appVersion = appVersion
        }
    }
}

extension RegistrationRecords {
    func record(_ person: StoredPerson) throws -> PersonRecord {
        person.record(groups: try groups(of: person.id, tenant: person.tenant))
    }

    /// The groups of all of them in one query.
    func records(_ people: [StoredPerson], tenant: TenantID) throws -> [PersonRecord] {
        let groups = try groups(of: people.map(\.id), tenant: tenant)
        return people.map { $0.record(groups: groups[$0.id] ?? []) }
    }

    /// With the names of what it refers to: the row must be readable when they have gone.
    func auditDocument(_ person: StoredPerson) throws -> JSONValue {
        person.auditDocument(
            groups: try groups(of: person.id, tenant: person.tenant).compactMap {
                try group($0, tenant: person.tenant)
            })
    }

    /// As of a person.
    func auditDocument(_ device: StoredDevice) throws -> JSONValue {
        device.auditDocument(username: try person(device.person, tenant: device.tenant)?.username ?? "")
    }

    func needPerson(_ id: String, tenant: TenantID) throws -> StoredPerson {
        guard let person = try person(PersonID(id), tenant: tenant) else {
            throw ServiceError(.notFound, "no such user")
        }
        return person
    }

    func needGroup(_ id: String, tenant: TenantID) throws -> StoredGroup {
        guard let group = try group(GroupID(id), tenant: tenant) else { throw ServiceError(.notFound, "no such group") }
        return group
    }

    func needDevice(_ id: String, tenant: TenantID) throws -> StoredDevice {
        guard let device = try device(DeviceID(id), tenant: tenant) else {
            throw ServiceError(.notFound, "no such device")
        }
        return device
    }
}

extension SwiftProtobuf.Message {
    /// Of what is shown of a person or a group. Their messages have no maps, so that equal ones have equal bytes.
    func entityTag() throws -> String { EntityTag.of(try serializedBytes()) }
}

/// Fresh names and secrets.
enum Fresh {
    /// A UUID version 4 (RFC 9562 section 5.4).
    static func uuid() -> String {
        var bytes = randomBytes(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = bytes.map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
        var parts: [Substring] = []
        var rest = digits[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }

    /// 128 random bits, base64url.
    static func id() -> String { Base64URL.random(16, randomBytes) }

    /// 256 random bits, base64url: a bearer secret, of which only the digest is stored.
    static func secret() -> (text: String, digest: [UInt8]) {
        let text = Base64URL.random(32, randomBytes)
        return (text, sha256(Array(text.utf8)))
    }
}
