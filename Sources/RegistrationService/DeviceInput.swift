import Domain
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

/// What phones say of themselves, checked before it is kept.
enum DeviceInput {
    private static let nameCharactersMax = 64
    private static let versionCharactersMax = 32
    private static let addressBytesMax = 4096

    struct Push: Sendable {
        let transport: PushTransport
        /// JSON of the transport's own members.
        let address: [UInt8]

        /// The address as it is kept: with `registeredAt`, milliseconds since 1970, by which a provider's word that it has given the
        /// address up is told from one about a time before the phone gave it again. It also makes each registration another address, so
        /// that a word about an earlier one drops no later one.
        func address(registeredAt time: Timestamp) -> [UInt8] {
            guard case .object(var members)? = try? JSONValue(parsing: address) else { return address }
            members["registeredAt"] = .integer(time.milliseconds)
            return Array(JSONValue.object(members).canonicalText.utf8)
        }
    }

    static func facts(_ facts: DeviceFacts) throws(ServiceError) -> StoredDevice.Facts {
        guard let platform = Platform(rawValue: facts.platform) else {
            throw invalid("platform", "ios, android, web or cli")
        }
        return StoredDevice.Facts(
            name: try name(facts.name), platform: platform, osVersion: try version(facts.osVersion, "osVersion"),
            appVersion: try version(facts.appVersion, "appVersion"))
    }

    static func name(_ text: String) throws(ServiceError) -> String {
        guard (1...nameCharactersMax).contains(text.unicodeScalars.count),
            !text.unicodeScalars.contains(where: \.isUnprintable)
        else {
            throw invalid("name", "1 to \(nameCharactersMax) characters, none of them a control character")
        }
        return text
    }

    static func version(_ text: String, _ member: String) throws(ServiceError) -> String {
        guard text.unicodeScalars.count <= versionCharactersMax, !text.unicodeScalars.contains(where: \.isUnprintable)
        else {
            throw invalid(member, "at most \(versionCharactersMax) characters")
        }
        return text
    }

    /// An absent address is the transport `none`.
    static func push(_ push: PushAddress) throws(ServiceError) -> Push {
        if push.transport.isEmpty { return Push(transport: .none, address: []) }
        guard let transport = PushTransport(rawValue: push.transport) else {
            throw invalid("transport", "apns, fcm, webpush or none")
        }
        guard push.address.count <= addressBytesMax else { throw invalid("push", "at most \(addressBytesMax) bytes") }
        return Push(transport: transport, address: Array(push.address))
    }

    /// The request that a device's own change is confirmed with.
    static func challenge(
        _ purpose: Purpose, id: ChallengeID, _ device: StoredDevice, _ person: StoredPerson, _ view: TenantView,
        address: [UInt8],
        _ change: (inout BeginDeviceChallenge) -> Void = { _ in }
    ) -> BeginDeviceChallenge {
        var request = BeginDeviceChallenge()
        request.tenant = device.tenant.rawValue
        request.id = id.rawValue
        request.purpose = purpose.rawValue
        request.personID = person.id.rawValue
        request.username = person.username
        request.deviceID = device.id.rawValue
        request.push = PushAddress.with {
            $0.transport = device.push.transport.rawValue
            $0.address = address.data
        }
        request.application = view.name
        change(&request)
        return request
    }

    private static func invalid(_ member: String, _ rule: String) -> ServiceError {
        ServiceError(.invalidValue, "\(member): \(rule)", members: ["member": member])
    }
}

extension Unicode.Scalar {
    /// A control character, or one that changes the direction of the text around it and so could disguise a name. Unlike what is not
    /// plain, the joiners of scripts and emoji are left to people's names.
    var isUnprintable: Bool {
        properties.generalCategory == .control || (0x202A...0x202E).contains(value) || (0x2066...0x2069).contains(value)
            || value == 0x200E || value == 0x200F || value == 0x061C
    }
}
