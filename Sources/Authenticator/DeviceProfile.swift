import DeviceAPI
import Domain

/// What this phone says of itself.
public struct DeviceProfile: Sendable, Hashable {
    public enum Platform: String, Sendable { case ios, android, web, cli }

    public var name: String
    public var platform: Platform
    public var osVersion: String
    public var appVersion: String

    public init(name: String, platform: Platform, osVersion: String, appVersion: String) {
        self.name = name
        self.platform = platform
        self.osVersion = osVersion
        self.appVersion = appVersion
    }

    var body: DeviceDescription {
        let platform: Domain.Platform =
            switch self.platform {
            case .ios: .ios
            case .android: .android
            case .web: .web
            case .cli: .cli
            }
        return DeviceDescription(name: name, platform: platform, osVersion: osVersion, appVersion: appVersion)
    }
}

/// Where this phone is woken. Without one it still asks for its requests, and hears of them while its event stream is open.
public enum PushAddress: Sendable, Hashable, CustomStringConvertible {
    case apns(token: String, topic: String?)
    case fcm(token: String)
    case webPush(endpoint: String, p256dh: String, auth: String)
    case none

    /// Without the address, which must not be logged.
    public var description: String { body.transport.rawValue }

    var body: PushRegistration {
        switch self {
        case .apns(let token, let topic): PushRegistration(transport: .apns, token: token, topic: topic)
        case .fcm(let token): PushRegistration(transport: .fcm, token: token)
        case .webPush(let endpoint, let p256dh, let auth):
            PushRegistration(transport: .webpush, endpoint: endpoint, p256dh: p256dh, auth: auth)
        case .none: PushRegistration(transport: .none)
        }
    }
}

/// What changed about this phone; what is nil stays.
public struct DeviceUpdate: Sendable, Hashable {
    public var name: String?
    public var push: PushAddress?
    public var osVersion: String?
    public var appVersion: String?

    public init(name: String? = nil, push: PushAddress? = nil, osVersion: String? = nil, appVersion: String? = nil) {
        self.name = name
        self.push = push
        self.osVersion = osVersion
        self.appVersion = appVersion
    }

    var body: DevicePatch { DevicePatch(name: name, push: push?.body, osVersion: osVersion, appVersion: appVersion) }
}
