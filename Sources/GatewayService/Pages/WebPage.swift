/// One page: what it is made of. A page is added by a line here, its files in `Web/` and `WebFiles`, and a route to a handler.
struct WebPage: Sendable {
    let template: String
    /// Of the catalogue: `section.key`.
    let title: String
    /// Its one script, which imports the others.
    var script: String?
    /// The sections of the catalogue that its script uses.
    var says: [String] = []

    static let signIn = WebPage(
        template: "sign-in", title: "signIn.title", script: "sign-in.js", says: ["says", "signInSays"])
    static let securityInfo = WebPage(
        template: "security-info", title: "securityInfo.title", script: "security-info.js",
        says: ["says", "securityInfoSays"])
    static let authenticator = WebPage(
        template: "authenticator", title: "phone.title", script: "authenticator.js", says: ["says", "phoneSays"])

    static let adminRefused = WebPage(template: "admin-refused", title: "adminRefused.title")

    static func error(_ name: String) -> WebPage { WebPage(template: "error", title: "errorPage.\(name)Title") }

    /// Looked over when the process starts.
    static let all =
        [signIn, securityInfo, authenticator, adminRefused] + AdminPages.Place.allCases.map(\.page) + [
            error("notFound"), error("unavailable"), error("refused"),
        ]
}
