package import Domain

// Section 2: a phone becomes a device.

/// What a phone says of itself.
package struct DeviceDescription: APIRequest {
    package var name: String
    package var platform: Platform
    package var osVersion: String
    package var appVersion: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case name, platform, osVersion, appVersion }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(name: String, platform: Platform, osVersion: String, appVersion: String) {
        self.name = name
        self.platform = platform
        self.osVersion = osVersion
        self.appVersion = appVersion
    }
}

/// Where a phone is woken. Which members apply depends on the transport.
package struct PushRegistration: APIRequest {
    package var transport: PushTransport
    /// apns, fcm.
    package var token: String?
    /// apns, optional.
    package var topic: String?
    /// webpush.
    package var endpoint: String?
    /// webpush.
    package var p256dh: String?
    /// webpush.
    package var auth: String?

    package enum CodingKeys: String, CodingKey, CaseIterable { case transport, token, topic, endpoint, p256dh, auth }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(
        transport: PushTransport, token: String? = nil, topic: String? = nil, endpoint: String? = nil,
        p256dh: String? = nil, auth: String? = nil
    ) {
        self.transport = transport
        self.token = token
        self.topic = topic
        self.endpoint = endpoint
        self.p256dh = p256dh
        self.auth = auth
    }
}

/// `POST …/me/activations`.
package struct ActivationStart: APIRequest {
    /// Where as many codes wait as may, the oldest of them is withdrawn instead of `too_many_activations`.
    package var replaceOldest: Bool?

    package enum CodingKeys: String, CodingKey, CaseIterable { case replaceOldest }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(replaceOldest: Bool? = nil) { self.replaceOldest = replaceOldest }
}

/// `POST /v1/{tenant}/devices`.
package struct ActivationRequest: APIRequest {
    package var ticket: String
    /// Compact JWS of the device's key over the ticket.
    package var proof: String
    package var device: DeviceDescription
    package var push: PushRegistration?

    package enum CodingKeys: String, CodingKey, CaseIterable { case ticket, proof, device, push }
    package static var shape: DocumentShape {
        .members(of: CodingKeys.self, ["device": DeviceDescription.shape, "push": PushRegistration.shape])
    }

    package init(ticket: String, proof: String, device: DeviceDescription, push: PushRegistration? = nil) {
        self.ticket = ticket
        self.proof = proof
        self.device = device
        self.push = push
    }
}

/// Whose device it is.
package struct ActivatedUser: APIReply {
    package var username: String
    package var displayName: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case username, displayName }

    package init(username: String, displayName: String) {
        self.username = username
        self.displayName = displayName
    }
}

/// Which tenant, and what people call it.
package struct TenantName: APIReply {
    package var id: String
    package var name: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, name }

    package init(id: String, name: String) {
        self.id = id
        self.name = name
    }
}

/// What a phone needs for offline codes (RFC 6238), given once.
package struct OfflineCodeSecret: APIReply {
    /// RFC 4648 base32 without padding.
    package var secret: String
    package var algorithm: CodeAlgorithm
    package var digits: Int
    /// Seconds.
    package var period: Int
    package var uri: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case secret, algorithm, digits, period, uri }

    package init(secret: String, algorithm: CodeAlgorithm, digits: Int, period: Int, uri: String) {
        self.secret = secret
        self.algorithm = algorithm
        self.digits = digits
        self.period = period
        self.uri = uri
    }
}

/// A device that awaits confirmation by number.
package struct ActivationReply: APIReply {
    package var deviceId: String
    package var state: DeviceState
    package var user: ActivatedUser
    package var tenant: TenantName
    package var offlineCode: OfflineCodeSecret

    package enum CodingKeys: String, CodingKey, CaseIterable { case deviceId, state, user, tenant, offlineCode }

    package init(
        deviceId: String, state: DeviceState, user: ActivatedUser, tenant: TenantName, offlineCode: OfflineCodeSecret
    ) {
        self.deviceId = deviceId
        self.state = state
        self.user = user
        self.tenant = tenant
        self.offlineCode = offlineCode
    }
}
