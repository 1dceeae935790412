import HTTPTypes

/// A page as a browser gets it: with what it may do, never kept, and compressed where that is accepted.
struct PageReply: Sendable {
    /// Nothing from anywhere else, no script or style in the page itself, and no frame around it.
    static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
        "font-src 'self'", "manifest-src 'self'", "worker-src 'self'", "form-action 'self'", "frame-ancestors 'none'",
        "base-uri 'none'",
    ].joined(separator: "; ")

    static let permissions = [
        "camera=(self)", "clipboard-write=(self)", "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)", "fullscreen=()", "geolocation=()", "microphone=()", "payment=()", "usb=()",
    ].joined(separator: ", ")

    static func reply(_ html: [UInt8], _ request: HTTPFields, status: HTTPResponse.Status = .ok, language: String)
        -> Reply
    {
        let headers: HTTPFields = [
            .contentType: "text/html; charset=utf-8", .contentLanguage: language, .cacheControl: "no-store",
            .securityPolicy: policy, .permissionsPolicy: permissions, .referrerPolicy: "no-referrer",
            .openerPolicy: "same-origin", .resourcePolicy: "same-origin", .contentTypeOptions: "nosniff",
        ]
        return encoded(Reply(status, headers: headers), html, Gzip.compressed, request, vary: "Accept-Language")
    }

    /// With the compressed bytes where the browser takes them. How long they are tells something of what is in them: a page repeats
    /// what its address says, and has therefore no secret in it (BREACH); replies of the API are never compressed.
    static func encoded(
        _ reply: Reply, _ plain: [UInt8], _ gzip: ([UInt8]) -> [UInt8]?, _ request: HTTPFields, vary: String? = nil
    ) -> Reply {
        var reply = reply
        reply.headers[.vary] = ["Accept-Encoding", vary].compactMap { $0 }.joined(separator: ", ")
        reply.body = .bytes(plain)
        if Gzip.isAccepted(request[.acceptEncoding]), let bytes = gzip(plain) {
            reply.headers[.contentEncoding] = "gzip"
            reply.body = .bytes(bytes)
        }
        return reply
    }
}

extension HTTPField.Name {
    private static func named(_ text: String) -> Self {
        guard let name = Self(text) else { preconditionFailure("\(text) is no header name") }
        return name
    }

    static let permissionsPolicy = named("Permissions-Policy")
    static let referrerPolicy = named("Referrer-Policy")
    static let openerPolicy = named("Cross-Origin-Opener-Policy")
    static let resourcePolicy = named("Cross-Origin-Resource-Policy")
    static let serviceWorkerAllowed = named("Service-Worker-Allowed")
}
