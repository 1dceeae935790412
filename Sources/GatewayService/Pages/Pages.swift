import Domain
import HTTPTypes
import Messaging
import ServiceKit
import Wire

/// The pages themselves: shells with every text, which their scripts fill through the public API.
struct Pages: Sendable {
    let edge: Edge
    let content: WebContent

    /// The bare address leads to sign-in where there is no choice of tenants.
    func root(_ inbound: Inbound) async throws -> Reply {
        guard let tenant = edge.soleTenant() else { throw ServiceError(.notFound, "there is nothing here") }
        return Self.see("/\(tenant)/sign-in")
    }

    func front(_ inbound: Inbound) async throws -> Reply {
        Self.see("/\(try edge.tenants.tenant(inbound.tenant).id)/sign-in")
    }

    func signIn(_ inbound: Inbound) async throws -> Reply {
        let tenant = try edge.tenants.tenant(inbound.tenant)
        let target = ReturnPath.checked(inbound.query["return"]) ?? "/\(tenant.id)/security-info"
        // Whoever has a session is there already, unless somebody asks for another one.
        if inbound.query["prompt"] != "login", try await person(inbound) != nil { return Self.see(target) }
        let language = Texts.language(accepted: inbound.headers[.acceptLanguage])
        let words = content.words(in: language)
        // By the tenant's policy alone: the page is the same for every name.
        let noPhone = tenant.policy.isForNobody
        var more: [String: Any] = [
            "return": target, "codeAlone": tenant.settings.offlineCodeAlone && !noPhone, "noPhone": noPhone,
            "codes": tenant.policy.isSoftwareOathEnabled || !noPhone, "silenceMinutes": tenant.settings.silenceMinutes,
        ]
        switch inbound.query["session"] {
        case "ended": more["notice"] = words["signIn.sessionEnded"]
        case "signed-out": more["notice"] = words["signIn.signedOut"]
        default: break
        }
        return page(.signIn, inbound, tenant, more)
    }

    func securityInfo(_ inbound: Inbound) async throws -> Reply {
        let tenant = try edge.tenants.tenant(inbound.tenant)
        guard let person = try await person(inbound) else { return Self.signInFirst(inbound) }
        let verdict = try await Me(edge: edge).verdict(on: person, inbound)
        return page(
            .securityInfo, inbound, tenant,
            [
                "codeAlone": tenant.settings.offlineCodeAlone, "silenceMinutes": tenant.settings.silenceMinutes,
                "notAllowed": verdict.mode == nil, "noPhoneSignIn": !verdict.allowsPush(.passwordless),
                "isAdministrator": person.roles.contains("administrator"),
            ])
    }

    /// A page of one tenant, in the browser's language.
    func page(
        _ page: WebPage, _ inbound: Inbound, _ tenant: TenantView, _ more: [String: Any] = [:],
        status: HTTPResponse.Status = .ok
    ) -> Reply {
        let language = Texts.language(accepted: inbound.headers[.acceptLanguage])
        let values = ["tenant": tenant.name]
        var more = more
        more["tenant"] = tenant.id.rawValue
        return PageReply.reply(
            content.html(page, in: language, place: tenant.name, values: values, more: more), inbound.headers,
            status: status, language: language)
    }

    /// Whose session it is; nil without one. Throws when that cannot be found out.
    func person(_ inbound: Inbound) async throws(ServiceError) -> PersonRecord? {
        do {
            return try await edge.authentication.session(inbound).person
        } catch {
            guard error.code == .notAuthenticated else { throw error }
            return nil
        }
    }

    /// To the sign-in page, which leads back to this one.
    static func signInFirst(_ inbound: Inbound) -> Reply {
        let place = inbound.path + (inbound.query.text.isEmpty ? "" : "?\(inbound.query.text)")
        return see("/\(inbound.tenant)/sign-in?return=\(PercentText.encode(place, keepingSlash: true))")
    }

    private static func see(_ path: String) -> Reply {
        Reply(.seeOther, headers: [.location: path, .cacheControl: "no-store"])
    }

    // MARK: assets

    /// Under its hashed name for ever, under its plain name to be asked for again each time.
    func asset(_ inbound: Inbound) async throws -> Reply {
        guard let (asset, immutable) = content.assets.asked(inbound.parameter("name")) else {
            throw ServiceError(.notFound, "there is no such file")
        }
        let isCompressed = asset.gzip != nil && Gzip.isAccepted(inbound.headers[.acceptEncoding])
        let tag = "\"\(asset.hash)\(isCompressed ? "-gzip" : "")\""
        var headers: HTTPFields = [
            .contentType: asset.type, .eTag: tag, .resourcePolicy: "same-origin",
            .cacheControl: immutable ? "public, max-age=31536000, immutable" : "no-cache",
        ]
        // An image that is opened by itself is a document: nothing in it may run.
        if asset.type == "image/svg+xml" { headers[.securityPolicy] = "default-src 'none'" }
        if let known = inbound.headers[.ifNoneMatch], Self.names(known, tag) {
            headers[.vary] = "Accept-Encoding"
            return Reply(.notModified, headers: headers)
        }
        return PageReply.encoded(
            Reply(.ok, headers: headers), asset.bytes, { _ in asset.gzip }, inbound.headers)
    }

    /// Weak comparison, as `If-None-Match` asks for (RFC 9110 section 13.1.2).
    private static func names(_ header: String, _ tag: String) -> Bool {
        header.split(separator: ",").contains { part in
            let text = part.trimmed
            return text == "*" || text == tag || text == "W/\(tag)"
        }
    }
}
