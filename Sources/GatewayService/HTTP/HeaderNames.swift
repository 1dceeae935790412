import DeviceAPI
import HTTPTypes

extension HTTPField.Name {
    private static func named(_ text: String) -> Self {
        guard let name = Self(text) else { preconditionFailure("\(text) is no header name") }
        return name
    }

    static let requestID = named(APIHeaders.requestID)
    static let loadTest = named(APIHeaders.loadTest)
    static let idempotencyKey = named(APIHeaders.idempotencyKey)
    static let signInSecret = named(APIHeaders.signInSecret)
    static let traceparent = named("traceparent")
    static let forwardedFor = named("X-Forwarded-For")
    static let forwardedProto = named("X-Forwarded-Proto")
    static let secFetchSite = named("Sec-Fetch-Site")
    static let contentTypeOptions = named("X-Content-Type-Options")
    static let proxyBuffering = named("X-Accel-Buffering")
    static let securityPolicy = named("Content-Security-Policy")
}
