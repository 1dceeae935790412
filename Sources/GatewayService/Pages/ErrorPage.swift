import Domain
import HTTPTypes

/// An error as a small page, for a person who opened an address that is not the API's.
struct ErrorPage: Sendable {
    let content: WebContent

    /// The page in the place of a problem document, with its status; nil where whoever asks wants no page.
    func reply(
        instead problem: Reply, _ method: HTTPRequest.Method, _ path: Substring, _ headers: HTTPFields,
        _ requestID: Domain.RequestID
    ) -> Reply? {
        guard method == .get || method == .head, !path.hasPrefix("/v1/"), Self.wantsPage(headers[.accept]) else {
            return nil
        }
        let (name, glyph) =
            switch problem.status.code {
            case 404, 405: ("notFound", "info")
            case 500...: ("unavailable", "clock")
            default: ("refused", "alert")
            }
        let language = Texts.language(accepted: headers[.acceptLanguage])
        let words = content.words(in: language)
        let html = content.html(
            .error(name), in: language, place: words["site.product"] ?? "",
            more: ["words": words["errorPage.\(name)"] ?? "", "glyph": glyph, "reference": requestID.description])
        var reply = PageReply.reply(html, headers, status: problem.status, language: language)
        for name in [HTTPField.Name.retryAfter, .allow] { reply.headers[name] = problem.headers[name] }
        return reply
    }

    private static func wantsPage(_ accept: String?) -> Bool {
        (accept ?? "").split(separator: ",").contains { ContentType.essence(String($0)) == "text/html" }
    }
}
