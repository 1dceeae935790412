import Domain
import HTTPTypes
import ServiceKit

/// An error as a small page, for a person who opened an address that is not the API's.
struct ErrorPage: Sendable {
    let edge: Edge
    let content: WebContent

    /// The page in the place of a problem document, with its status; nil where whoever asks wants no page.
    func reply(
        instead problem: Reply, _ method: HTTPRequest.Method, _ path: Substring, _ headers: HTTPFields,
        _ requestID: Domain.RequestID
    ) -> Reply? {
        guard method == .get || method == .head, !path.hasPrefix("/v1/"), Self.wantsPage(headers[.accept]) else {
            return nil
        }
        let (name, glyph, isAgain) =
            switch problem.status.code {
            case 404, 405: ("notFound", "info", false)
            case 500...: ("unavailable", "clock", true)
            default: ("refused", "alert", false)
            }
        let language = Texts.language(accepted: headers[.acceptLanguage])
        let words = content.words(in: language)
        var more: [String: Any] = [
            "words": words["errorPage.\(name)"] ?? "", "glyph": glyph, "reference": requestID.description,
        ]
        if isAgain { more["again"] = true } else { more["front"] = front(path) }
        let html = content.html(.error(name), in: language, place: words["site.product"] ?? "", more: more)
        var reply = PageReply.reply(html, headers, status: problem.status, language: language)
        for name in [HTTPField.Name.retryAfter, .allow] { reply.headers[name] = problem.headers[name] }
        return reply
    }

    /// Where a person goes on: to the tenant that the path names, otherwise to the only one there is.
    private func front(_ path: Substring) -> String? {
        let named = path.split(separator: "/", maxSplits: 1).first.flatMap { TenantID(String($0)) }
        let known = named.flatMap { try? edge.tenants.tenant($0).id } ?? edge.soleTenant()
        return known.map { "/\($0)" }
    }

    private static func wantsPage(_ accept: String?) -> Bool {
        (accept ?? "").split(separator: ",").contains { ContentType.essence(String($0)) == "text/html" }
    }
}
